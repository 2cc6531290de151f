/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is alive: all that roots and leases reach. */
#ifndef CRATONS_CAS_MARK_H
#define CRATONS_CAS_MARK_H

#include "cas/writer-priv.h"

struct set {
	struct map map;
	struct arena arena;
};
void set_done(struct set *s);
bool set_has(const struct set *s, const struct digest *d);
int set_add(struct set *s, const struct digest *d);	/* 1 if it was not in it */

struct mark {
	struct cas_writer *w;
	struct set objects, trees;
	VEC(struct digest) todo;		/* trees that were added and not looked into yet */
	VEC(struct digest) damaged;		/* trees in the index that cannot be read */
	int64_t oldest;			/* nanoseconds: start of the oldest session alive */
	struct buf sessions;		/* names of those alive, each ended by a NUL */
	struct buf dead_staged;		/* names in staging/ */
	struct buf dead_roots;
};
void mark_done(struct mark *m);

/* The lock is held. Fills all of it. */
int mark_all(struct mark *m, struct cas_writer *w);

#endif
