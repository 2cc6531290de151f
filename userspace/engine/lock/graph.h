/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to a lockfile's graph: who depends on a package, and the shortest way to it from what the
 * project asks for. Built in one pass; borrows the lockfile, which must be settled.
 */
#ifndef CRATONS_ENGINE_LOCK_GRAPH_H
#define CRATONS_ENGINE_LOCK_GRAPH_H

#include "engine/lock/lockfile.h"

#define LOCK_GRAPH_NONE UINT32_MAX

struct lock_graph {
	const struct lockfile *lockfile;
	/* The packages that depend on package i: dependents[first[i]] up to dependents[first[i + 1]],
	 * by index, ascending. */
	uint32_t *first, *dependents;
	uint32_t *distance;	/* edges from the nearest root; LOCK_GRAPH_NONE: unreachable */
	uint32_t *via;		/* the package before it on that way; LOCK_GRAPH_NONE: a root */
	uint32_t *root;		/* the root where that way begins */
};

/* 0 or -ENOMEM. */
int lock_graph_init(struct lock_graph *g, const struct lockfile *l);
void lock_graph_done(struct lock_graph *g);
#define _cleanup_lock_graph_ _cleanup_(lock_graph_done)

/* The shortest way to a package, itself last: at most `max` of its end into `ret`. Returns how many
 * there are (0: unreachable). */
size_t lock_graph_chain(const struct lock_graph *g, const struct lock_package *p,
	const struct lock_package **ret, size_t max);

/* Whether a root asks for it itself; the edge, or NULL. */
const struct lock_root_edge *lock_root_find(const struct lock_root *r, const struct lock_package *p);

#endif
