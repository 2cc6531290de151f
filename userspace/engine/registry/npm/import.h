/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest from an npm project's package.json (https://docs.npmjs.com/cli/configuring-npm/package-json). */
#ifndef CRATONS_ENGINE_NPM_IMPORT_H
#define CRATONS_ENGINE_NPM_IMPORT_H

#include "prim/diag.h"

struct npm_import_options {
	struct str name;	/* for a package.json without one */
	/* Told what could not be carried over, which stays in the text as a comment. */
	void (*warn)(void *data, const char *text);
	void *data;
};

/*
 * Appends a cratons.toml with the dependencies (of every kind; peers of the project become normal
 * ones, as npm installs them too), overrides, scripts and the packages whose scripts pnpm or bun were
 * told to run. What is appended parses. `where` is the file's name for diagnostics: -ERR_SYNTAX, or
 * -ERR_MANIFEST for what is no package.json.
 */
int npm_import(struct str package_json, const char *where, const struct npm_import_options *o,
	struct buf *ret, struct diag *d);

#endif
