/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment that a command is to see, and the lease that keeps it while it does. */
#ifndef CRATONS_ENGINE_RUN_FIND_H
#define CRATONS_ENGINE_RUN_FIND_H

#include "engine/install/install.h"

/*
 * The environment that the project's files name, composed first when the store has all of it: what is
 * missing is not fetched behind the user's back (-ERR_STORE_MISSING with the hint to install). What a
 * server found damaged is put aside before. `lease` is a session whose end gives the environment up:
 * until then gc keeps all of it.
 */
int run_find(const struct project *p, bool production, struct cas_writer *lease,
	struct install_result *ret, struct diag *d);

/* Keeps one more environment with the same lease. -ERR_STORE_MISSING when it is not whole. */
int run_keep(struct cas_writer *lease, const struct digest *tree, struct diag *d);

#endif
