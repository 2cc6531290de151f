/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a lockfile, which is for all platforms, this host gets. */
#ifndef CRATONS_ENGINE_ENV_SELECT_H
#define CRATONS_ENGINE_ENV_SELECT_H

#include "engine/lock/lockfile.h"

/* For whom: the host, without the root's development dependencies, and without packages that cannot
 * be had (flags by index, or NULL). */
struct lock_wish {
	struct platform host;
	bool production;
	const bool *without;
};

/*
 * Marks the packages that a root reaches, by index, in `ret` (l->npackages flags, all written). A
 * package that does not support the host, or that needs one that does not, is left out
 * where every way to it is optional; where one is not, -ERR_INSTALL names the chain.
 */
int lock_select(const struct lockfile *l, const struct lock_root *root, const struct lock_wish *wish,
	bool *ret, struct diag *d);

#endif
