// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/npmrc.h"

#include "prim/buf.h"
#include "prim/err.h"

#include <errno.h>

static bool quoted(struct str s, char quote)
{
	return s.n > 0 && s.p[0] == quote && s.p[s.n - 1] == quote;
}

static int hex4(struct str s, size_t at, unsigned *ret)
{
	unsigned v = 0;

	if (at + 4 > s.n)
		return -EINVAL;
	for (size_t i = at; i < at + 4; i++) {
		char c = s.p[i];
		int x = c >= '0' && c <= '9' ? c - '0' :
			c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (x < 0)
			return -EINVAL;
		v = v << 4 | (unsigned)x;
	}
	*ret = v;
	return 0;
}

static size_t put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* "\uXXXX" at s.p[at] ('u'), a surrogate pair taken together; unpaired ones and NUL are malformed. */
static int unicode_escape(struct str s, size_t *at, char *to, size_t *n)
{
	unsigned c, low;

	if (hex4(s, *at + 1, &c) < 0 || c == 0)
		return -EINVAL;
	*at += 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (*at + 2 >= s.n || s.p[*at + 1] != '\\' || s.p[*at + 2] != 'u' ||
				hex4(s, *at + 3, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return -EINVAL;
		*at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return -EINVAL;
	}
	*n += put_utf8(to + *n, c);
	return 0;
}

/* A JSON string with its quotes (RFC 8259 section 7). -EINVAL: it is not one. Never grows. */
static int json_string(struct str s, struct arena *a, struct str *ret)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	char *to;
	size_t n = 0;

	if (s.n < 2 || !quoted(s, '"'))
		return -EINVAL;
	s = str_slice(s, 1, s.n - 1);
	to = arena_alloc(a, s.n + 1);
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < s.n; i++) {
		const char *escape;

		if (s.p[i] == '"' || (unsigned char)s.p[i] < 0x20)
			return -EINVAL;
		if (s.p[i] != '\\') {
			to[n++] = s.p[i];
			continue;
		}
		if (++i == s.n)
			return -EINVAL;
		escape = strchr(from, s.p[i]);
		if (escape)
			to[n++] = into[escape - from];
		else if (s.p[i] != 'u' || unicode_escape(s, &i, to, &n) < 0)
			return -EINVAL;
	}
	*ret = str_of(to, n);
	return 0;
}

/* Up to a comment; "\;", "\#" and "\\" are the characters themselves. */
static int bare_value(struct str s, struct arena *a, struct str *ret)
{
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == ';' || c == '#')
			break;
		if (c == '\\' && i + 1 < s.n && strchr("\\;#", s.p[i + 1]))
			c = s.p[++i];
		to[n++] = c;
	}
	*ret = str_trim(str_of(to, n));
	return 0;
}

/* What is in quotes but no JSON string stays as it is written. */
static int unquote(struct str s, struct arena *a, struct str *ret)
{
	int r;

	s = str_trim(s);
	if (!quoted(s, '"') && !quoted(s, '\''))
		return bare_value(s, a, ret);
	if (s.p[0] == '\'')
		s = str_slice(s, 1, MAX(s.n, (size_t)2) - 1);
	r = json_string(s, a, ret);
	if (r == -EINVAL) {
		*ret = s;
		r = 0;
	}
	return r;
}

static bool is_section(struct str line)
{
	size_t close = str_find(line, ']', 0);

	return line.n && line.p[0] == '[' && close < line.n &&
	       str_trim(str_slice(line, close + 1, line.n)).n == 0;
}

static int parse_line(struct str line, struct arena *a, struct npmrc_line *ret)
{
	size_t eq = str_find(line, '=', 0);
	int r;

	r = unquote(str_slice(line, 0, eq), a, &ret->key);
	if (r < 0)
		return r;
	ret->list = ret->key.n > 2 && str_ends(ret->key, STR("[]"));
	if (ret->list)
		ret->key.n -= 2;
	if (eq == line.n) {
		ret->value = STR("true");
		return 0;
	}
	return unquote(str_slice(line, eq + 1, line.n), a, &ret->value);
}

int npmrc_parse(struct str text, struct arena *a,
	int (*fn)(void *data, const struct npmrc_line *line), void *data)
{
	unsigned number = 0;

	if (text.n > NPMRC_MAX)
		return -ERR_LIMIT;
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.n);
	if (text.n && (memchr(text.p, '\0', text.n) || !str_utf8(text)))
		return -ERR_SYNTAX;
	while (text.n) {
		struct npmrc_line l = { .number = ++number };
		size_t end = 0;
		struct str line, start;
		int r;

		while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r')
			end++;
		line = str_slice(text, 0, end);
		if (str_starts(str_slice(text, end, text.n), STR("\r\n")))
			end++;
		text = str_slice(text, end + 1, text.n);
		start = str_trim(line);
		if (start.n == 0 || start.p[0] == ';' || start.p[0] == '#' || line.p[0] == '=')
			continue;
		if (is_section(line))
			return 0;
		r = parse_line(line, a, &l);
		if (r == 0)
			r = fn(data, &l);
		if (r)
			return r;
	}
	return 0;
}

/* "${NAME}" or "${NAME?}" at the start of s: its length, or 0. */
static size_t variable(struct str s, struct str *name, bool *or_empty)
{
	size_t n = 2;

	if (!str_starts(s, STR("${")))
		return 0;
	while (n < s.n && !strchr("${}?", s.p[n]))
		n++;
	*name = str_slice(s, 2, n);
	*or_empty = n < s.n && s.p[n] == '?';
	n += *or_empty;
	return name->n && n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

static int add_variable(struct str name, bool or_empty, struct arena *a,
	struct npmrc_expansion *ret, struct buf *b)
{
	struct str copy = arena_str(a, name);
	const char *value;

	if (!copy.p)
		return -ENOMEM;
	value = secure_getenv(copy.p);
	if (value) {
		if (!ret->name.p)
			ret->name = copy;
		return buf_adds(b, value);
	}
	if (or_empty)
		return 0;
	ret->unset = copy;
	return buf_addf(b, "${%s}", copy.p);
}

int npmrc_expand(struct str text, struct arena *a, struct npmrc_expansion *ret)
{
	_cleanup_buf_ struct buf b = { .max = NPMRC_MAX };
	struct npmrc_expansion e = { .text = { NULL, 0 } };
	int r = 0;

	while (r == 0 && text.n) {
		size_t slashes = 0, n;
		bool or_empty;
		struct str name;

		while (slashes < text.n && text.p[slashes] == '\\')
			slashes++;
		n = variable(str_slice(text, slashes, text.n), &name, &or_empty);
		if (n == 0) {
			n = MAX(slashes, (size_t)1);
			r = buf_add(&b, text.p, n);
		} else if (slashes % 2) {
			n += slashes;
			r = buf_add(&b, text.p + (slashes + 1) / 2, n - (slashes + 1) / 2);
		} else {
			n += slashes;
			r = buf_add(&b, text.p, slashes / 2);
			if (r == 0)
				r = add_variable(name, or_empty, a, &e, &b);
		}
		text = str_slice(text, n, text.n);
	}
	if (r < 0)
		return r;
	e.text = arena_str(a, buf_str(&b));
	if (!e.text.p)
		return -ENOMEM;
	*ret = e;
	return 0;
}
