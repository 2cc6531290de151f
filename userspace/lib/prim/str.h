/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A borrowed run of bytes: a pointer and a length, not NUL-terminated, never owned. */
#ifndef CRATONS_PRIM_STR_H
#define CRATONS_PRIM_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_from(const char *text)
{
	return (struct str){ text, text ? strlen(text) : 0 };
}

static inline struct str str_of(const void *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
	return str_eq(a, str_from(text));
}

/* Bytewise order, the shorter first where one is the other's prefix: <0, 0, >0. */
int str_cmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* The index of the first `c` at or after `from`, or s.n. */
size_t str_find(struct str s, char c, size_t from);

/* Cuts `s` at the first `c`: returns what is before it and leaves in *s what is after (empty, with
 * p == NULL, where there was none). Loop while s->p. */
struct str str_cut(struct str *s, char c);

/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);

/* s[from, to) with both bounds clamped. */
struct str str_slice(struct str s, size_t from, size_t to);

/* A decimal number without sign, of the whole string: -EINVAL if malformed, -ERANGE if too large. */
int str_u64(struct str s, uint64_t *ret);

/* A NUL-terminated copy, which the caller frees; NULL on no memory. */
char *str_dup(struct str s);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_utf8(struct str s);

/* The length of the well-formed sequence at `at`, 0 if there is none there. */
size_t str_utf8_sequence(struct str s, size_t at);

/* The edit distance (Levenshtein) of two short names; names over 64 bytes give SIZE_MAX. */
size_t str_distance(struct str a, struct str b);

#endif
