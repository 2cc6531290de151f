/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extensions: dependencies that releases have without declaring them. They come from the manifest and
 * from the ecosystem's own list (policies/npm/extensions.toml), and are added when a release is looked
 * at. A lockfile that was resolved with another list stays as it is.
 */
#ifndef CRATONS_RESOLVE_EXTENSION_H
#define CRATONS_RESOLVE_EXTENSION_H

#include "engine/resolve/resolve.h"

struct extensions {
	struct arena arena;
	struct map by_name;	/* "npm:name" → the first struct extension of that name */
	struct manifest **files;	/* what the ecosystems bring */
	size_t nfiles;
};

int extensions_init(struct extensions *x, const struct manifest *m, struct diag *d);
void extensions_done(struct extensions *x);

/* What `rel` needs, sorted by alias as its own list is: that list itself where nothing is to be added. */
int extension_apply(const struct extensions *x, struct arena *a, const struct ecosystem *e,
	struct str name, const struct release *rel, struct dependency **ret, size_t *ret_n,
	struct diag *d);

#endif
