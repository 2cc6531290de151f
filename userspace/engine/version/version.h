/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Version schemes: each ecosystem orders and matches versions in its own exact way. A struct version
 * and a struct requirement are opaque to all but their scheme and live in the caller's arena.
 */
#ifndef CRATONS_ENGINE_VERSION_H
#define CRATONS_ENGINE_VERSION_H

#include "base/arena.h"
#include "prim/diag.h"

#include <stdio.h>

struct version;
struct requirement;

#define VERSION_LOOSE 1u	/* accept what the registry is known to hold besides the strict form */
#define VERSION_PRERELEASE 2u	/* pre-releases match as any other version does */

struct version_scheme {
	const char *name;	/* "npm" */
	/* -ERR_VERSION (no diagnostic) when malformed. */
	int (*parse)(struct arena *a, struct str text, unsigned flags, struct version **ret);
	/* <0, 0, >0: precedence, which decides what matches. */
	int (*compare)(const struct version *a, const struct version *b);
	/* The same, refined where versions of one precedence are still told apart when they are
	 * listed (build metadata). */
	int (*order)(const struct version *a, const struct version *b);
	/* -ERR_REQUIREMENT when malformed. */
	int (*requirement)(struct arena *a, struct str text, unsigned flags,
		struct requirement **ret);
	bool (*matches)(const struct requirement *r, const struct version *v);
	bool (*is_prerelease)(const struct version *v);
	/* The canonical text. */
	int (*format)(const struct version *v, struct buf *ret);
};

/* The verb's answers: "true", "false" or "invalid"; "<", "=", ">" or "invalid". */
const char *version_match(const struct version_scheme *s, struct arena *a, struct str requirement,
	struct str version, unsigned flags);
const char *version_cmp(const struct version_scheme *s, struct arena *a, struct str left,
	struct str right, unsigned flags);

/* Puts the texts in ascending order; equal ones keep theirs. -ERR_VERSION names the one that is
 * malformed, and then the order is as it was. */
int version_sort(const struct version_scheme *s, struct arena *a, struct str *texts, size_t n,
	unsigned flags, struct diag *d);

enum version_op {
	VERSION_MATCH,	/* lines of REQUIREMENT<tab>VERSION */
	VERSION_CMP,	/* lines of A<tab>B */
	VERSION_SORT,	/* lines of versions; blank ones are left out */
};

/*
 * Reads lines and writes an answer a line: how the schemes are compared with the ecosystems' own
 * tools. A line that cannot be read is "invalid" to match and cmp; sort then fails with -ERR_VERSION
 * before it wrote anything. -errno when reading or writing fails, -ERR_LIMIT past 1 MiB a line or
 * 1 GiB to sort.
 */
int version_batch(const struct version_scheme *s, enum version_op op, unsigned flags, FILE *in,
	FILE *out, struct diag *d);

#endif
