/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which directories may be a project whose container is built: the whole project can be written from
 * inside, so one that holds the person's home or the system would leave no wall standing.
 */
#ifndef CRATONS_ENGINE_RUN_PLACE_H
#define CRATONS_ENGINE_RUN_PLACE_H

#include "engine/install/install.h"

/*
 * -ERR_CONTAINER when the project is a directory of the system, or holds `user_home` (NULL: none)
 * unless `allow_home`, or holds the store elsewhere than directly in itself. *ret_cover is true when
 * the store is directly in the project, and has to be covered in the container.
 */
int run_check_place(const struct project *p, const char *user_home, bool allow_home,
	bool *ret_cover, struct diag *d);

#endif
