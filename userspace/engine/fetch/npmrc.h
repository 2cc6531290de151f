/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The syntax of .npmrc, as npm's "ini" package reads it: lines of key = value; ';' and '#' start a
 * comment, also behind a value unless escaped; a value in double quotes is a JSON string, one in
 * single quotes is literal; "key[] = value" adds to a list; a key alone is "true". What follows a
 * [section] is another program's and is passed over. Lines that are none of these are ignored.
 */
#ifndef CRATONS_ENGINE_FETCH_NPMRC_H
#define CRATONS_ENGINE_FETCH_NPMRC_H

#include "base/arena.h"

#define NPMRC_MAX ((size_t)1 << 20)	/* bytes of a file */

struct npmrc_line {
	struct str key, value;
	bool list;		/* "key[]" */
	unsigned number;
};

/* Calls fn for each line until it returns non-zero, which is returned. Strings live in the arena.
 * -ERR_LIMIT, -ERR_SYNTAX (a NUL, or not UTF-8), -ENOMEM. */
int npmrc_parse(struct str text, struct arena *a,
	int (*fn)(void *data, const struct npmrc_line *line), void *data);

/*
 * ${NAME} and ${NAME?} from the environment. An unset NAME stays as it is written, an unset NAME?
 * becomes empty; an odd number of backslashes before it keeps it literal (half of them go).
 */
struct npmrc_expansion {
	struct str text;
	struct str name;	/* the first variable whose value went in, or .p == NULL */
	struct str unset;	/* the last that stayed as it is written, or .p == NULL */
};
int npmrc_expand(struct str text, struct arena *a, struct npmrc_expansion *ret);

#endif
