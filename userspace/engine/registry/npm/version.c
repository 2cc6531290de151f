// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/semver.h"

#include "prim/err.h"

#include <errno.h>

static const char *scan_digits(const char *p, const char *end, size_t max)
{
	const char *limit = (size_t)(end - p) > max ? p + max : end;

	while (p < limit && is_digit(*p))
		p++;
	return p;
}

const char *semver_scan_number(const char *p, const char *end, bool loose)
{
	if (!loose && p < end && *p == '0')
		return p + 1;
	return scan_digits(p, end, loose ? SEMVER_LENGTH_MAX : SEMVER_LENGTH_MAX + 1);
}

static const char *scan_ident(const char *p, const char *end, bool loose)
{
	const char *digits = scan_digits(p, end, SEMVER_LENGTH_MAX);
	const char *q = digits;

	if (q == end || !is_ident(*q) || is_digit(*q))
		return semver_scan_number(p, end, loose);
	while (q < end && q <= digits + SEMVER_IDENT_MAX && is_ident(*q))
		q++;
	return q;
}

static const char *scan_pre(const char *p, const char *end, bool loose, struct str *ret)
{
	const char *start = p, *q;

	*ret = str_of(p, 0);
	if (p < end && *p == '-')
		start++;
	else if (!loose)
		return p;
	q = scan_ident(start, end, loose);
	/* A loose pre-release needs no hyphen, so that a lone one is an identifier. */
	if (q == start && loose && start > p) {
		start = p;
		q = scan_ident(start, end, loose);
	}
	if (q == start)
		return p;
	while (q < end && *q == '.') {
		const char *next = scan_ident(q + 1, end, loose);

		if (next == q + 1)
			break;
		q = next;
	}
	*ret = str_of(start, (size_t)(q - start));
	return q;
}

static const char *scan_build_ident(const char *p, const char *end)
{
	const char *limit = end - p > SEMVER_IDENT_MAX ? p + SEMVER_IDENT_MAX : end;

	while (p < limit && is_ident(*p))
		p++;
	return p;
}

static const char *scan_build(const char *p, const char *end, struct str *ret)
{
	const char *q, *next;

	*ret = str_of(p, 0);
	if (p == end || *p != '+')
		return p;
	q = scan_build_ident(p + 1, end);
	if (q == p + 1)
		return p;
	while (q < end && *q == '.' && (next = scan_build_ident(q + 1, end)) > q + 1)
		q = next;
	*ret = str_of(p + 1, (size_t)(q - p - 1));
	return q;
}

const char *semver_scan_tail(const char *p, const char *end, enum scan how, struct xrange *x,
	struct str *ret_build)
{
	if (how == SCAN_LOOSE_WHOLE && p < end && *p == '.' && x->patch.n > 1) {
		x->patch.n--;
		p--;
	}
	p = scan_pre(p, end, how != SCAN_STRICT, &x->pre);
	return scan_build(p, end, ret_build);
}

const char *semver_scan_full(const char *p, const char *end, enum scan how, struct xrange *ret,
	struct str *ret_build)
{
	struct str *part[] = { &ret->major, &ret->minor, &ret->patch };

	for (size_t i = 0; i < 3; i++) {
		const char *q = semver_scan_number(p, end, how != SCAN_STRICT);

		if (q == p || (i < 2 && (q == end || *q != '.')))
			return NULL;
		*part[i] = str_of(p, (size_t)(q - p));
		p = q + (i < 2);
	}
	return semver_scan_tail(p, end, how, ret, ret_build);
}

bool semver_number(struct str digits, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits.n; i++) {
		v = v * 10 + (uint64_t)(digits.p[i] - '0');
		if (v > SEMVER_NUMBER_MAX)
			return false;
	}
	*ret = v;
	return true;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

/* Takes the leading zeros off numeric identifiers, in place, as reading them as numbers would. From
 * MAX_SAFE_INTEGER on they are text. Returns the new length. */
static size_t canonical_pre(char *text, size_t n)
{
	struct str rest = { text, n };
	size_t to = 0;

	while (rest.p) {
		struct str id = str_cut(&rest, '.');
		uint64_t v;

		if (all_digits(id) && semver_number(id, &v) && v < SEMVER_NUMBER_MAX)
			while (id.n > 1 && *id.p == '0')
				id.p++, id.n--;
		if (to)
			text[to++] = '.';
		memmove(text + to, id.p, id.n);
		to += id.n;
	}
	return to;
}

int semver_fill(struct version *v, struct arena *a, const struct xrange *x, struct str build,
	bool loose)
{
	struct version filled = { 0 };
	char *copy;

	if (!semver_number(x->major, &filled.major) || !semver_number(x->minor, &filled.minor) ||
		!semver_number(x->patch, &filled.patch))
		return -ERR_VERSION;
	if (x->pre.n + build.n) {
		copy = arena_alloc(a, x->pre.n + build.n);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, x->pre.p, x->pre.n);
		filled.pre = copy;
		filled.npre = (uint16_t)x->pre.n;
		if (loose && x->pre.n)
			filled.npre = (uint16_t)canonical_pre(copy, x->pre.n);
		if (build.n)
			memcpy(copy + x->pre.n, build.p, build.n);
		filled.build = copy + x->pre.n;
		filled.nbuild = (uint16_t)build.n;
	}
	*v = filled;
	return 0;
}

/* UTF-8 of U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000, U+FEFF. */
static size_t wide_space(const unsigned char *p, size_t n)
{
	unsigned c;

	if (n >= 2 && p[0] == 0xc2 && p[1] == 0xa0)
		return 2;
	if (n < 3 || (p[0] & 0xf0) != 0xe0)
		return 0;
	c = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
		return 0;
	return (c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
		c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff) ? 3 : 0;
}

size_t semver_space(const char *p, const char *end)
{
	if (p == end)
		return 0;
	if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		return 1;
	return (unsigned char)*p < 0x80 ? 0 : wide_space((const unsigned char *)p, (size_t)(end - p));
}

struct str semver_trim(struct str s)
{
	const char *p = s.n ? s.p : "", *end = p + s.n;
	size_t n;

	while ((n = semver_space(p, end)))
		p += n;
	for (;;) {
		if (end > p && semver_space(end - 1, end))
			end -= 1;
		else if (end - p >= 2 && semver_space(end - 2, end) == 2)
			end -= 2;
		else if (end - p >= 3 && semver_space(end - 3, end) == 3)
			end -= 3;
		else
			return str_of(p, (size_t)(end - p));
	}
}

/* The length as JavaScript counts it, in UTF-16 units; only white space may be wide here. */
static size_t utf16_length(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += c < 0x80 || c >= 0xc0;
		n += c >= 0xf0;
	}
	return n;
}

static int npm_parse(struct arena *a, struct str text, unsigned flags, struct version **ret)
{
	bool loose = flags & VERSION_LOOSE;
	struct version parsed, *v;
	struct xrange x = { 0 };
	const char *p, *end;
	struct str build;
	int r;

	if (text.n > SEMVER_LENGTH_MAX && utf16_length(text) > SEMVER_LENGTH_MAX)
		return -ERR_VERSION;
	text = semver_trim(text);
	p = text.p;
	end = text.p + text.n;
	if (!loose && p < end && *p == 'v')
		p++;
	while (loose && p < end && (*p == 'v' || *p == '=' || semver_space(p, end)))
		p += MAX(semver_space(p, end), 1u);
	if (semver_scan_full(p, end, scan_whole(loose), &x, &build) != end)
		return -ERR_VERSION;
	r = semver_fill(&parsed, a, &x, build, loose);
	if (r < 0)
		return r;
	v = arena_new(a, struct version);
	if (!v)
		return -ENOMEM;
	*v = parsed;
	*ret = v;
	return 0;
}

/* As JavaScript's numbers, which are doubles past SEMVER_NUMBER_MAX. */
static int compare_numbers(struct str a, struct str b)
{
	char text[2][SEMVER_LENGTH_MAX + 1];
	uint64_t x, y;
	double f, g;

	if (semver_number(a, &x) && semver_number(b, &y))
		return x < y ? -1 : x > y;
	memcpy(text[0], a.p, a.n);
	text[0][a.n] = '\0';
	memcpy(text[1], b.p, b.n);
	text[1][b.n] = '\0';
	f = strtod(text[0], NULL);
	g = strtod(text[1], NULL);
	return f < g ? -1 : f > g;
}

/* Numbers before text, numbers by value. */
static int compare_ident(struct str a, struct str b)
{
	bool a_digits = all_digits(a), b_digits = all_digits(b);

	if (a_digits && b_digits)
		return compare_numbers(a, b);
	if (a_digits != b_digits)
		return a_digits ? -1 : 1;
	return str_cmp(a, b);
}

/* Dotted identifiers; of two lists that begin alike, the shorter is first. The first two that are
 * not the same text decide, even where they are one number: so it is in node-semver. */
static int compare_idents(struct str a, struct str b)
{
	while (a.p && b.p) {
		struct str x = str_cut(&a, '.'), y = str_cut(&b, '.');

		if (!str_eq(x, y))
			return compare_ident(x, y);
	}
	return a.p ? 1 : b.p ? -1 : 0;
}

static int compare_pre(const struct version *a, const struct version *b)
{
	if (!a->npre || !b->npre)
		return a->npre ? -1 : b->npre ? 1 : 0;
	if (a->npre == b->npre && memcmp(a->pre, b->pre, a->npre) == 0)
		return 0;
	return compare_idents(str_of(a->pre, a->npre), str_of(b->pre, b->npre));
}

int semver_compare(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor < b->minor ? -1 : 1;
	if (a->patch != b->patch)
		return a->patch < b->patch ? -1 : 1;
	return compare_pre(a, b);
}

/* As `sort` wants it: versions of one precedence by their build metadata. */
static int npm_order(const struct version *a, const struct version *b)
{
	int r = semver_compare(a, b);

	if (r || (!a->nbuild && !b->nbuild))
		return r;
	if (!a->nbuild || !b->nbuild)
		return a->nbuild ? 1 : -1;
	return compare_idents(str_of(a->build, a->nbuild), str_of(b->build, b->nbuild));
}

static bool npm_is_prerelease(const struct version *v)
{
	return v->npre > 0;
}

static int npm_format(const struct version *v, struct buf *ret)
{
	int r = buf_addf(ret, "%llu.%llu.%llu", (unsigned long long)v->major,
		(unsigned long long)v->minor, (unsigned long long)v->patch);

	if (r == 0 && v->npre)
		r = buf_addf(ret, "-%.*s", (int)v->npre, v->pre);
	return r;
}

const struct version_scheme npm_versions = {
	.name = "npm",
	.parse = npm_parse,
	.compare = semver_compare,
	.order = npm_order,
	.requirement = npm_requirement,
	.matches = npm_matches,
	.is_prerelease = npm_is_prerelease,
	.format = npm_format,
};
