/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node_modules as a tree. */
#ifndef CRATONS_REGISTRY_NPM_LAYOUT_H
#define CRATONS_REGISTRY_NPM_LAYOUT_H

#include "base/arena.h"
#include "engine/registry/registry.h"

/* struct ecosystem's compose: the isolated or the hoisted layout. */
int npm_compose(const struct lockfile *l, const struct lock_root *root,
	const struct compose_options *o, struct tree_builder *b, struct diag *d);

/* Where the isolated layout has a package's directory, relative to node_modules. */
struct str npm_home_of(struct arena *a, const struct lock_package *p);

/* layout_hoisted.c */
int npm_compose_hoisted(const struct lockfile *l, const struct lock_root *root,
	const struct compose_options *o, struct tree_builder *b, struct diag *d);

/* Shared by the two. A root's edge that this installation has. */
bool npm_edge_wanted(const struct compose_options *o, const struct lock_root_edge *e);
/* The directory of a "path:" package, relative to the project; .p is NULL for all others. */
struct str npm_linked_path(const struct lock_package *p);
/* The package's tree at a path, as a subtree, or merged when `merge`. */
int npm_place(const struct compose_options *o, struct tree_builder *b,
	const struct lock_package *p, struct str path, bool merge, struct diag *d);
/* A link at `path` to what is at `to`, both relative to node_modules; "../x" is in the project. */
int npm_link(struct tree_builder *b, struct str path, struct str to);

#endif
