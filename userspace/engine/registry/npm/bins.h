/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of one node_modules: links in its .bin. Where two packages bring a command of the same
 * name, the package that is called like the command has it, otherwise the first one added.
 */
#ifndef CRATONS_REGISTRY_NPM_BINS_H
#define CRATONS_REGISTRY_NPM_BINS_H

#include "base/map.h"
#include "base/arena.h"
#include "engine/registry/registry.h"

struct bin_set {
	struct arena *arena;
	struct map links;	/* path of the link → struct bin_link */
};

/* The package is at `dir`/`name`; `dir` is "" or ends in '/'. */
int npm_bin_add(struct bin_set *s, struct str dir, struct str name, const struct lock_package *p);
int npm_bin_flush(struct bin_set *s, struct tree_builder *b);
void npm_bin_done(struct bin_set *s);

#endif
