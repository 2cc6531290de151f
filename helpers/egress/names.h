/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which number of the pool stands for which name. A name gets one when it is first asked for and keeps it
 * for as long as it is known; numbers are given in a circle, so that a forgotten one comes back late. At
 * most NAMES_MAX are known; past that, those asked for longest ago that no connection uses are forgotten.
 */
#ifndef CRATONS_HELPERS_EGRESS_NAMES_H
#define CRATONS_HELPERS_EGRESS_NAMES_H

#include "base/map.h"
#include "cratons/wire/egress.h"

#include <stdatomic.h>

#define NAMES_MAX 8192

struct name {
	uint32_t number;
	uint64_t asked;		/* the last time, counted in questions */
	size_t length;
	char text[];
};

struct names {
	struct map by_text;
	struct name **by_number;	/* EGRESS_NAMES of them */
	const _Atomic uint32_t *used;	/* of each number, by connections; the user's */
	uint32_t next;
	uint64_t clock;
};

int names_init(struct names *n, const _Atomic uint32_t *used);
void names_done(struct names *n);

/* The name, made if need be: -ENOSPC when all are in use. */
int names_get(struct names *n, struct str text, struct name **ret);
/* NULL: nothing has that number. */
struct name *names_find(const struct names *n, uint32_t number);

#endif
