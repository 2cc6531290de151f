/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Version schemes: each ecosystem orders and matches versions in its own exact way. A struct version
 * and a struct requirement are opaque to all but their scheme and live in the caller's arena.
 */
#ifndef CRATONS_ENGINE_VERSION_H
#define CRATONS_ENGINE_VERSION_H

#include "base/arena.h"
#include "prim/diag.h"

struct version;
struct requirement;

#define VERSION_LOOSE 1u	/* accept what the registry is known to hold besides the strict form */
#define VERSION_PRERELEASE 2u	/* pre-releases match as any other version does */

struct version_scheme {
	const char *name;	/* "npm" */
	/* -ERR_VERSION (no diagnostic) when malformed. */
	int (*parse)(struct arena *a, struct str text, unsigned flags, struct version **ret);
	/* <0, 0, >0. */
	int (*compare)(const struct version *a, const struct version *b);
	/* -ERR_REQUIREMENT when malformed. */
	int (*requirement)(struct arena *a, struct str text, unsigned flags,
		struct requirement **ret);
	bool (*matches)(const struct requirement *r, const struct version *v);
	bool (*is_prerelease)(const struct version *v);
	/* The canonical text. */
	int (*format)(const struct version *v, struct buf *ret);
};

#endif
