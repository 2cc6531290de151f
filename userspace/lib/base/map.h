/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash map from byte strings to pointers that remembers insertion order: map_foreach walks it in
 * that order, so that what is made from a map does not depend on the hash. The hash is keyed per
 * process: names from a registry cannot be chosen to collide. Keys are borrowed: they must live as
 * long as the map. There is no removal; a value may be set to NULL, which map_get cannot tell from
 * absence.
 */
#ifndef CRATONS_BASE_MAP_H
#define CRATONS_BASE_MAP_H

#include "prim/attr.h"
#include "prim/str.h"

struct map_entry {
	struct str key;
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries;
	size_t n, cap;
	uint32_t *slots;	/* index + 1 into entries; 0: free */
	size_t nslots;		/* a power of two, or 0 */
};

#define MAP_INIT { 0 }
#define _cleanup_map_ _cleanup_(map_done)

void map_done(struct map *m);

/* The value, or NULL. */
void *map_get(const struct map *m, struct str key);

/* Inserts or replaces: 0 or -ENOMEM. */
int map_put(struct map *m, struct str key, void *value);

/* The entry for the key, made with a NULL value if it was not there; NULL on -ENOMEM. Valid until
 * the next insertion. */
struct map_entry *map_entry(struct map *m, struct str key);

#define map_foreach(e, m)                                                                          \
	for (struct map_entry *e = (m)->entries; (m)->n && e < (m)->entries + (m)->n; e++)

#endif
