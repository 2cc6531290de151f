/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * npm's versions and ranges, private to this folder. The grammar is that of node-semver 7, whose
 * regular expressions decide, by where they happen to match, what npm accepts; the scanners here take
 * the same bytes that those expressions take, their repetition limits included.
 */
#ifndef CRATONS_NPM_SEMVER_H
#define CRATONS_NPM_SEMVER_H

#include "engine/version/version.h"

#define SEMVER_LENGTH_MAX  256
#define SEMVER_NUMBER_MAX  9007199254740991ull	/* JavaScript's MAX_SAFE_INTEGER */
#define SEMVER_IDENT_MAX   250
/* Not node-semver's: it has none. The longest range in use is far below. */
#define SEMVER_RANGE_MAX   ((size_t)16 << 10)

/* `pre` and `build` hold the dotted identifiers without '-' and '+', not NUL-terminated. */
struct version {
	uint64_t major, minor, patch;
	const char *pre, *build;
	uint16_t npre, nbuild;
};

/* A version with parts missing or wild. The parts are as written: empty where they are not there. */
struct xrange {
	struct str major, minor, patch, pre;
};

static inline bool xpart_is_wild(struct str part)
{
	return part.n == 0 || *part.p == 'x' || *part.p == 'X' || *part.p == '*';
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_ident(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/*
 * How to scan. A loose version that must go on to the end of the text ("whole") takes "1.2.34.5" as
 * 1.2.3-4.5: the number gives its last digit to a pre-release that needs no hyphen.
 */
enum scan { SCAN_STRICT, SCAN_LOOSE, SCAN_LOOSE_WHOLE };

static inline enum scan scan_whole(bool loose)
{
	return loose ? SCAN_LOOSE_WHOLE : SCAN_STRICT;
}

/* Each gives the end of what it takes at `p`, which is `p` itself when it takes nothing. */
const char *semver_scan_number(const char *p, const char *end, bool loose);
/* What may follow the third number, which `patch` is: pre-release and build. */
const char *semver_scan_tail(const char *p, const char *end, enum scan how, struct xrange *x,
	struct str *ret_build);
/* Three numbers, pre-release and build: NULL when there are no three numbers. */
const char *semver_scan_full(const char *p, const char *end, enum scan how, struct xrange *ret,
	struct str *ret_build);
/* One to three numbers or wild cards, and pre-release and build behind the third. NULL: none. */
const char *semver_scan_xrange(const char *p, const char *end, enum scan how, struct xrange *ret);

/* Decimal digits; false past SEMVER_NUMBER_MAX. */
bool semver_number(struct str digits, uint64_t *ret);

/* The number after `digits`, as JavaScript writes it: as a double, and from 1e21 on as in "1.5e+21",
 * which in a version is text. */
#define SEMVER_NEXT_SIZE 32
struct str semver_next(struct str digits, char text[SEMVER_NEXT_SIZE]);

/* Past "v", "=" and spaces. */
const char *semver_skip_prefix(const char *p, const char *end);

/* Fills `v` from parts that were scanned, with copies in the arena. -ERR_VERSION for a number that is
 * too large, -ENOMEM. */
int semver_fill(struct version *v, struct arena *a, const struct xrange *x, struct str build,
	bool loose);

/* The precedence of versions: build metadata does not count. */
int semver_compare(const struct version *a, const struct version *b);

/* White space is JavaScript's, which knows Unicode: the bytes of one at `p`, or 0. */
size_t semver_space(const char *p, const char *end);
struct str semver_trim(struct str s);

/*
 * A part of a range between "||"s, rewritten so that it is comparators with single spaces between:
 * build metadata goes, a hyphen range becomes two comparators, an operator meets its version. Gives
 * `part` itself when nothing had to change; .p is NULL on no memory.
 */
struct str range_rewrite(struct arena *a, struct str part, bool loose, bool pre);

int npm_requirement(struct arena *a, struct str text, unsigned flags, struct requirement **ret);
bool npm_matches(const struct requirement *r, const struct version *v);

extern const struct version_scheme npm_versions;

#endif
