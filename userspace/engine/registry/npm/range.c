// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ranges. A range is sets of comparators: a version matches when it meets all of one set. In loose
 * ranges what is no comparator is passed over, and it is not valid only when nothing is left.
 */
#include "engine/registry/npm/semver.h"

#include "prim/err.h"

#include <errno.h>
#include <stdio.h>

enum op { OP_EQ, OP_LT, OP_LE, OP_GT, OP_GE };

struct comparator {
	struct version version;
	enum op op;
	bool last;	/* of its set */
};

struct requirement {
	bool any;		/* "*": comparators do not count */
	bool prerelease;	/* VERSION_PRERELEASE was given */
	size_t n;		/* 0 and not any: nothing matches */
	struct comparator comparators[];
};

struct reader {
	struct arena *arena;
	bool loose;
	struct requirement *out;
	/* Of the set that is being read: */
	bool any;	/* "*" is among its comparators */
	bool none;	/* "<0.0.0-0" is: it matches nothing */
};

struct str semver_next(struct str digits, char text[SEMVER_NEXT_SIZE])
{
	char copy[SEMVER_LENGTH_MAX + 2];
	uint64_t v;
	double f;
	int n = 0;

	if (semver_number(digits, &v)) {
		n = snprintf(text, SEMVER_NEXT_SIZE, "%llu", (unsigned long long)v + 1);
		return str_of(text, (size_t)n);
	}
	memcpy(copy, digits.p, digits.n);
	copy[digits.n] = '\0';
	f = strtod(copy, NULL) + 1;
	if (f < 1e21)
		n = snprintf(text, SEMVER_NEXT_SIZE, "%.0f", f);
	/* The fewest digits that are read back as the same number. */
	for (int precision = 0; f >= 1e21 && precision < 17; precision++) {
		n = snprintf(text, SEMVER_NEXT_SIZE, "%.*e", precision, f);
		if (strtod(text, NULL) == f)
			break;
	}
	return str_of(text, (size_t)n);
}

const char *semver_skip_prefix(const char *p, const char *end)
{
	while (p < end && (*p == 'v' || *p == '=' || *p == ' '))
		p++;
	return p;
}

static const char *scan_xpart(const char *p, const char *end, bool loose)
{
	if (p < end && (*p == 'x' || *p == 'X' || *p == '*'))
		return p + 1;
	return semver_scan_number(p, end, loose);
}

const char *semver_scan_xrange(const char *p, const char *end, enum scan how, struct xrange *ret)
{
	struct str *part[] = { &ret->major, &ret->minor, &ret->patch };
	struct str build;

	*ret = (struct xrange){ 0 };
	for (size_t i = 0; i < 3; i++) {
		const char *start = p + (i > 0), *q;

		if (i && (p == end || *p != '.'))
			return p;
		q = scan_xpart(start, end, how != SCAN_STRICT);
		if (q == start)
			return i ? p : NULL;
		*part[i] = str_of(start, (size_t)(q - start));
		p = q;
	}
	return semver_scan_tail(p, end, how, ret, &build);
}

/* Adds a comparator whose version is made of `x`, whose text would be `length` bytes. */
static int add(struct reader *r, enum op op, const struct xrange *x, size_t length)
{
	struct comparator c = { .op = op };
	int error;

	/* ">=0.0.0" is "*", but only where it is written just so. */
	if (op == OP_GE && length == 5 + 2 * (size_t)r->out->prerelease && str_is(x->major, "0") &&
		str_is(x->minor, "0") && str_is(x->patch, "0") &&
		str_is(x->pre, r->out->prerelease ? "0" : "")) {
		r->any = true;
		return 0;
	}
	if (length > SEMVER_LENGTH_MAX)
		return -ERR_REQUIREMENT;
	error = semver_fill(&c.version, r->arena, x, STR(""), r->loose);
	if (error)
		return error == -ERR_VERSION ? -ERR_REQUIREMENT : error;
	if (op == OP_LT && !c.version.major && !c.version.minor && !c.version.patch &&
		c.version.npre == 1 && *c.version.pre == '0')
		r->none = true;
	r->out->comparators[r->out->n++] = c;
	return 0;
}

static int add_parts(struct reader *r, enum op op, struct str major, struct str minor,
	struct str patch, struct str pre)
{
	struct xrange x = { major, minor, patch, pre };

	return add(r, op, &x, major.n + minor.n + patch.n + 2 + (pre.n ? pre.n + 1 : 0));
}

/* A number with an exponent leaves a comparator only where its "." is taken for one of the version's
 * and its "e" for a pre-release. */
static int add_exponent(struct reader *r, enum op op, struct str major, struct str minor,
	struct str patch)
{
	char text[4 * SEMVER_LENGTH_MAX];
	struct xrange x = { 0 };
	struct str build;
	int n;

	if (!r->loose)
		return -ERR_REQUIREMENT;
	n = snprintf(text, sizeof(text), "%.*s.%.*s.%.*s%s", STR_ARG(major), STR_ARG(minor),
		STR_ARG(patch), op == OP_LT || r->out->prerelease ? "-0" : "");
	if (semver_scan_full(text, text + n, SCAN_LOOSE_WHOLE, &x, &build) != text + n)
		return 0;
	return add(r, op, &x, (size_t)n);
}

/* Adds "<…-0" (or ">=…") for the first version past those that begin with the given parts; the parts
 * that are not given are 0. */
static int add_next(struct reader *r, enum op op, struct str major, struct str minor,
	struct str patch, bool pre)
{
	struct str *last = patch.p ? &patch : minor.p ? &minor : &major;
	char text[SEMVER_NEXT_SIZE];

	*last = semver_next(*last, text);
	if (!minor.p)
		minor = STR("0");
	if (!patch.p)
		patch = STR("0");
	if (memchr(text, 'e', last->n))
		return add_exponent(r, op, major, minor, patch);
	return add_parts(r, op, major, minor, patch, pre ? STR("0") : STR(""));
}

static const struct str none = { NULL, 0 };

/* The versions that begin with major, or with major.minor. */
static int add_all_of(struct reader *r, struct str major, struct str minor)
{
	struct str zero = r->out->prerelease ? STR("0") : STR("");
	int error = add_parts(r, OP_GE, major, minor.p ? minor : STR("0"), STR("0"), zero);

	return error ? error : add_next(r, OP_LT, major, minor, none, true);
}

static int add_tilde(struct reader *r, const struct xrange *x)
{
	int error;

	if (xpart_is_wild(x->minor))
		return add_all_of(r, x->major, none);
	if (xpart_is_wild(x->patch))
		return add_all_of(r, x->major, x->minor);
	error = add_parts(r, OP_GE, x->major, x->minor, x->patch, x->pre);
	return error ? error : add_next(r, OP_LT, x->major, x->minor, none, true);
}

static int add_caret(struct reader *r, const struct xrange *x)
{
	bool zero = str_is(x->major, "0");
	bool wild = xpart_is_wild(x->patch);
	int error;

	if (xpart_is_wild(x->minor))
		return add_all_of(r, x->major, none);
	if (wild)
		error = add_parts(r, OP_GE, x->major, x->minor, STR("0"),
			r->out->prerelease ? STR("0") : STR(""));
	else
		error = add_parts(r, OP_GE, x->major, x->minor, x->patch, x->pre);
	if (error)
		return error;
	if (!zero)
		return add_next(r, OP_LT, x->major, none, none, true);
	if (wild || !str_is(x->minor, "0"))
		return add_next(r, OP_LT, x->major, x->minor, none, true);
	return add_next(r, OP_LT, x->major, x->minor, x->patch, true);
}

static int add_nothing(struct reader *r)
{
	return add_parts(r, OP_LT, STR("0"), STR("0"), STR("0"), STR("0"));
}

/* A partial version behind an operator: its minor or patch is wild. */
static int add_partial(struct reader *r, enum op op, const struct xrange *x)
{
	struct str minor = xpart_is_wild(x->minor) ? none : x->minor;
	struct str low = op == OP_LT || r->out->prerelease ? STR("0") : STR("");

	if (op == OP_EQ)
		return add_all_of(r, x->major, minor);
	if (op == OP_GT)
		return add_next(r, OP_GE, x->major, minor, none, r->out->prerelease);
	if (op == OP_LE)
		return add_next(r, OP_LT, x->major, minor, none, true);
	return add_parts(r, op, x->major, minor.p ? minor : STR("0"), STR("0"), low);
}

static const char *scan_op(const char *p, const char *end, enum op *ret)
{
	enum op op = OP_EQ;

	if (p < end && (*p == '<' || *p == '>'))
		op = *p++ == '<' ? OP_LT : OP_GT;
	if (p < end && *p == '=') {
		op = op == OP_LT ? OP_LE : op == OP_GT ? OP_GE : OP_EQ;
		p++;
	}
	*ret = op;
	return p;
}

/* What is no range of any kind must be an operator and a whole version. */
static int read_comparator(struct reader *r, const char *p, const char *end)
{
	struct xrange x = { 0 };
	const char *version;
	struct str build;
	enum op op;

	if (p == end) {
		r->any = true;
		return 0;
	}
	version = scan_op(p, end, &op);
	p = version;
	if (r->loose)
		p = semver_skip_prefix(p, end);
	else if (p < end && *p == 'v')
		p++;
	if (semver_scan_full(p, end, scan_whole(r->loose), &x, &build) != end)
		return r->loose ? 0 : -ERR_REQUIREMENT;
	return add(r, op, &x, (size_t)(end - version));
}

/* The first "*", with the operator before it, is taken out of whatever else it stands in. */
static int read_starred(struct reader *r, struct str token)
{
	const char *star = memchr(token.p, '*', token.n), *start = star;
	char text[2 * SEMVER_LENGTH_MAX];
	size_t n;

	if (!star)
		return read_comparator(r, token.p, token.p + token.n);
	if (start > token.p && start[-1] == '=')
		start--;
	if (start > token.p && (start[-1] == '<' || start[-1] == '>'))
		start--;
	n = token.n - (size_t)(star + 1 - start);
	if (n > sizeof(text))
		return r->loose ? 0 : -ERR_REQUIREMENT;
	memcpy(text, token.p, (size_t)(start - token.p));
	memcpy(text + (start - token.p), star + 1, (size_t)(token.p + token.n - star - 1));
	return read_comparator(r, text, text + n);
}

/* Gives in ret_empty whether the token comes to nothing ("*"), which node-semver forgets when other
 * tokens stand on both sides. */
static int read_token(struct reader *r, struct str token, bool *ret_empty)
{
	const char *p = token.p, *end = p + token.n;
	struct xrange x;
	enum op op;
	char kind = token.n ? *p : '\0';

	*ret_empty = false;
	if (kind == '^' || kind == '~') {
		p++;
		if (kind == '~' && p < end && *p == '>')
			p++;
		if (semver_scan_xrange(semver_skip_prefix(p, end), end, scan_whole(r->loose), &x) != end)
			return read_starred(r, token);
		*ret_empty = xpart_is_wild(x.major);
		if (*ret_empty)
			return 0;
		return kind == '^' ? add_caret(r, &x) : add_tilde(r, &x);
	}
	p = scan_op(p, end, &op);
	if (semver_scan_xrange(semver_skip_prefix(p, end), end, scan_whole(r->loose), &x) != end ||
		(xpart_is_wild(x.major) && !xpart_is_wild(x.minor)) ||
		(xpart_is_wild(x.minor) && !xpart_is_wild(x.patch))) {
		*ret_empty = token.n == 0;
		return token.n ? read_starred(r, token) : 0;
	}
	if (xpart_is_wild(x.major)) {
		*ret_empty = op != OP_LT && op != OP_GT;
		return *ret_empty ? 0 : add_nothing(r);
	}
	if (xpart_is_wild(x.patch))
		return add_partial(r, op, &x);
	return read_comparator(r, token.p, end);
}

/* One set: the text between "||"s. Gives whether there was any comparator in it. */
static int read_set(struct reader *r, struct str part, bool *ret_some)
{
	struct requirement *out = r->out;
	size_t first = out->n;
	bool start = true, empty;
	struct str token;
	int error;

	r->any = r->none = false;
	part = range_rewrite(r->arena, part, r->loose, out->prerelease);
	if (!part.p)
		return -ENOMEM;
	for (; part.p; start = false) {
		token = str_cut(&part, ' ');
		error = read_token(r, token, &empty);
		if (error)
			return error;
		if (empty && (start || !part.p))
			r->any = true;
	}
	*ret_some = r->any || out->n > first;
	if (r->none)
		out->n = first;
	else if (r->any && out->n == first)
		out->any = true;
	else if (out->n > first)
		out->comparators[out->n - 1].last = true;
	return 0;
}

/* The text with single spaces only and none at its ends; .p is NULL on no memory. */
static struct str collapse(struct arena *a, struct str s)
{
	const char *p, *end;
	size_t n = 0, space;
	bool clean = true;
	char *copy;

	s = semver_trim(s);
	for (size_t i = 0; i < s.n && clean; i++)
		clean = s.p[i] > ' ' || (s.p[i] == ' ' && s.p[i + 1] != ' ');
	if (clean)
		return s.p ? s : STR("");
	copy = arena_alloc(a, s.n);
	if (!copy)
		return (struct str){ NULL, 0 };
	for (p = s.p, end = s.p + s.n; p < end; p += MAX(space, 1u)) {
		space = semver_space(p, end);
		if (!space)
			copy[n++] = *p;
		else if (copy[n - 1] != ' ')
			copy[n++] = ' ';
	}
	return str_of(copy, n);
}

/* What is before the first "||", trimmed; *rest.p is NULL when there is no more. */
static struct str cut_set(struct str *rest)
{
	struct str s = *rest;
	const char *bar = s.p, *end = s.p + s.n;

	while ((bar = memchr(bar, '|', (size_t)(end - bar))) && (bar + 1 == end || bar[1] != '|'))
		bar++;
	*rest = bar ? str_of(bar + 2, (size_t)(end - bar - 2)) : (struct str){ NULL, 0 };
	if (bar)
		s.n = (size_t)(bar - s.p);
	return semver_trim(s);
}

/* How many comparators a text can have: a word makes two at most. */
static size_t comparators_max(struct str s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ' ' || s.p[i] == '|';
	return 2 * n;
}

int npm_requirement(struct arena *a, struct str text, unsigned flags, struct requirement **ret)
{
	struct reader r = { .arena = a, .loose = flags & VERSION_LOOSE };
	struct requirement *out;
	bool some = false, valid = false;
	int error;

	if (text.n > SEMVER_RANGE_MAX)
		return -ERR_REQUIREMENT;
	text = collapse(a, text);
	if (!text.p)
		return -ENOMEM;
	out = arena_alloc(a, sizeof(*out) + comparators_max(text) * sizeof(*out->comparators));
	if (!out)
		return -ENOMEM;
	out->prerelease = flags & VERSION_PRERELEASE;
	r.out = out;
	while (text.p) {
		error = read_set(&r, cut_set(&text), &some);
		if (error)
			return error;
		valid = valid || some;
	}
	if (!valid)
		return -ERR_REQUIREMENT;
	*ret = out;
	return 0;
}

static bool meets(const struct comparator *c, const struct version *v)
{
	int r = semver_compare(v, &c->version);

	switch (c->op) {
	case OP_EQ:
		return r == 0;
	case OP_LT:
		return r < 0;
	case OP_LE:
		return r <= 0;
	case OP_GT:
		return r > 0;
	case OP_GE:
		return r >= 0;
	}
	return false;
}

/* A pre-release counts only where a comparator names one of the same three numbers. */
static bool names_prerelease_of(const struct comparator *c, const struct version *v)
{
	return c->version.npre && c->version.major == v->major && c->version.minor == v->minor &&
		c->version.patch == v->patch;
}

bool npm_matches(const struct requirement *r, const struct version *v)
{
	const struct comparator *c = r->comparators, *end = c + r->n;
	bool wants_name = v->npre && !r->prerelease;

	if (r->any)
		return !wants_name;
	while (c < end) {
		bool good = true, named = !wants_name, last;

		do {
			good = good && meets(c, v);
			named = named || names_prerelease_of(c, v);
			last = c++->last;
		} while (!last);
		if (good && named)
			return true;
	}
	return false;
}
