/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The npm ecosystem: https://docs.npmjs.com/cli/configuring-npm/package-json and its registry. */
#ifndef CRATONS_NPM_H
#define CRATONS_NPM_H

#include "engine/registry/registry.h"

extern const struct ecosystem npm_ecosystem;

/* What the registry has ever let in, but for what a path or an option could be. */
bool npm_name_valid(struct str name);

int npm_metadata_url(struct str registry, struct str name, struct buf *ret,
	const char **ret_accept);
int npm_metadata_parse(struct str body, struct str name, const char *url, struct package **ret,
	struct diag *d);

/* Sets alias, name and requirement: "npm:other@^1" is of another name, all else of the alias's. */
void npm_alias_split(struct str alias, struct str text, struct dependency *ret);

int npm_requirement_parse(struct str alias, struct str text, struct arena *a,
	struct dependency *ret, struct diag *d);

#endif
