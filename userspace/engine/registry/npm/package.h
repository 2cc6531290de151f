/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_REGISTRY_NPM_PACKAGE_H
#define CRATONS_REGISTRY_NPM_PACKAGE_H

#include "engine/registry/registry.h"

/* struct ecosystem's unpack. */
int npm_unpack(struct cas_writer *w, struct str archive, const struct lock_package *p,
	struct str source, struct digest *ret_tree, struct diag *d);

/* struct ecosystem's build_plan. */
int npm_build_plan(struct cas *c, const struct lock_package *p, const char *node, struct arena *a,
	struct build_plan *ret, struct diag *d);

#endif
