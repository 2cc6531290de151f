// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What node-semver does to the text of a range before it looks for comparators. It does so by
 * replacing what its regular expressions match, and what they match decides how odd ranges are read,
 * so each pass here is one of its passes. Nearly no range needs any of them.
 */
#include "engine/registry/npm/semver.h"

/* A pass only shortens, but for a hyphen range: there each side gets an operator, at most ".0.0-0",
 * and a number that may be a digit longer. */
#define HYPHEN_ROOM 64

struct text {
	char *p;
	size_t n;
};

static void put(struct text *t, struct str s)
{
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

static void put_until(struct text *t, const char *p, const char *end)
{
	put(t, str_of(p, (size_t)(end - p)));
}

static void put_next(struct text *t, struct str digits)
{
	char text[SEMVER_NEXT_SIZE];

	put(t, semver_next(digits, text));
}

static void strip_build(struct str s, struct text *ret)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		/* Here, and only here, an identifier has no greatest length. */
		if (*p != '+' || p + 1 == end || !is_ident(p[1])) {
			ret->p[ret->n++] = *p++;
			continue;
		}
		do
			for (p++; p < end && is_ident(*p); p++)
				;
		while (p + 1 < end && *p == '.' && is_ident(p[1]));
	}
}

static void put_from(struct text *t, struct str text, const struct xrange *x, bool pre)
{
	if (xpart_is_wild(x->major))
		return;
	put(t, STR(">="));
	if (xpart_is_wild(x->minor)) {
		put(t, x->major);
		put(t, STR(".0.0"));
	} else if (xpart_is_wild(x->patch)) {
		put(t, x->major);
		put(t, STR("."));
		put(t, x->minor);
		put(t, STR(".0"));
	} else {
		put(t, text);
		pre = pre && !x->pre.n;
	}
	if (pre)
		put(t, STR("-0"));
}

/* The parts of `x` up to the one that is counted up. */
static void put_below(struct text *t, struct str major, struct str minor, struct str patch)
{
	struct str part[] = { major, minor, patch };

	put(t, STR("<"));
	for (size_t i = 0; i < 3 && part[i].p; i++) {
		if (i)
			put(t, STR("."));
		if (i == 2 || !part[i + 1].p)
			put_next(t, part[i]);
		else
			put(t, part[i]);
	}
	put(t, minor.p ? patch.p ? STR("-0") : STR(".0-0") : STR(".0.0-0"));
}

static void put_to(struct text *t, struct str text, const struct xrange *x, bool pre)
{
	struct str none = { NULL, 0 };

	if (xpart_is_wild(x->major))
		return;
	if (xpart_is_wild(x->minor)) {
		put_below(t, x->major, none, none);
	} else if (xpart_is_wild(x->patch)) {
		put_below(t, x->major, x->minor, none);
	} else if (pre && !x->pre.n) {
		put_below(t, x->major, x->minor, x->patch);
	} else if (x->pre.n) {
		put(t, STR("<="));
		put(t, x->major);
		put(t, STR("."));
		put(t, x->minor);
		put(t, STR("."));
		put(t, x->patch);
		put(t, STR("-"));
		put(t, x->pre);
	} else {
		put(t, STR("<="));
		put(t, text);
	}
}

/* "1.2 - 3" and nothing else in the text. */
static bool hyphen_range(struct str s, bool loose, bool pre, struct text *ret)
{
	const char *p = s.p, *end = s.p + s.n, *from, *from_end, *to, *to_end;
	struct xrange x, y;
	size_t start;

	from = p < end && *p == ' ' ? p + 1 : p;
	from_end = semver_scan_xrange(semver_skip_prefix(from, end), end, scan_whole(loose), &x);
	if (!from_end || end - from_end < 3 || memcmp(from_end, " - ", 3) != 0)
		return false;
	to = from_end + 3;
	to_end = semver_scan_xrange(semver_skip_prefix(to, end), end, scan_whole(loose), &y);
	if (!to_end || to_end + (to_end < end && *to_end == ' ') != end)
		return false;
	put_from(ret, str_of(from, (size_t)(from_end - from)), &x, pre);
	start = ret->n;
	put(ret, STR(" "));
	put_to(ret, str_of(to, (size_t)(to_end - to)), &y, pre);
	if (start == 0)
		memmove(ret->p, ret->p + 1, --ret->n);
	else if (ret->n == start + 1)
		ret->n--;
	return true;
}

/* Where one space between an operator and its version goes, or NULL. */
static const char *gap_of(const char *p)
{
	p += *p == ' ';
	p += *p == '<' || *p == '>';
	p += *p == '=';
	return *p == ' ' ? p : NULL;
}

/* "> 1" to ">1", one space for each version that follows. `s` has a version's start behind every
 * byte that gap_of looks at, so that it needs no end. */
static void join_operators(struct str s, struct text *ret)
{
	const char *p = s.p, *end = s.p + s.n, *from = p;

	while (p < end) {
		const char *start = p, *gap, *version;
		struct xrange x;
		struct str build;

		if (*p == '<' || *p == '>')
			p++;
		p = semver_skip_prefix(p, end);
		if (p == end)
			break;
		version = semver_scan_full(p, end, SCAN_LOOSE, &x, &build);
		if (!version)
			version = semver_scan_xrange(p, end, SCAN_STRICT, &x);
		if (!version) {
			p += p == start;
			continue;
		}
		gap = gap_of(start);
		if (gap) {
			put_until(ret, from, gap);
			from = gap + 1;
		}
		p = version;
	}
	put_until(ret, from, end);
}

/* "~ 1", "~> 1" and "^ 1" to "~1" and "^1". */
static void join_tildes(struct str s, struct text *ret)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *q = p + 1;

		if (*p == '~' && end - p > 2 && p[1] == '>' && p[2] == ' ')
			q++;
		ret->p[ret->n++] = *p;
		if ((*p == '~' || *p == '^') && q < end && *q == ' ')
			p = q + 1;
		else
			p++;
	}
}

static bool needs_rewrite(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '+')
			return true;
		if (s.p[i] != ' ' || i == 0)
			continue;
		if (memchr("<>=~^-", s.p[i - 1], 6))
			return true;
	}
	return false;
}

struct str range_rewrite(struct arena *a, struct str part, bool loose, bool pre)
{
	struct text one, two;

	if (!needs_rewrite(part))
		return part;
	one = (struct text){ arena_alloc(a, part.n + HYPHEN_ROOM), 0 };
	two = (struct text){ arena_alloc(a, part.n + HYPHEN_ROOM), 0 };
	if (!one.p || !two.p)
		return (struct str){ NULL, 0 };
	strip_build(part, &one);
	if (hyphen_range(str_of(one.p, one.n), loose, pre, &two)) {
		memcpy(one.p, two.p, two.n);
		one.n = two.n;
	}
	two.n = 0;
	join_operators(str_of(one.p, one.n), &two);
	one.n = 0;
	join_tildes(str_of(two.p, two.n), &one);
	return str_of(one.p, one.n);
}
