// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strings are read twice: once to check them and find their end, and, where there was an escape, once
 * more to write what it stands for over the parser's copy of the text. What an escape stands for is
 * never longer than the escape.
 */
#include "base/toml-lex.h"

struct lexed {
	char *start;
	size_t n;
	char quote;
	bool lines;	/* three quotes */
	bool escaped;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t hex_number(const char *at, int digits)
{
	uint32_t c = 0;

	while (digits-- > 0)
		c = c << 4 | (uint32_t)hex_value(*at++);
	return c;
}

static int scan_code_point(struct toml_parser *p, const char *start, int digits)
{
	const char *first = p->at;
	uint32_t c;

	for (; p->at < first + digits; p->at++)
		if (hex_value(*p->at) < 0)
			return toml_fail(p, start, "an escape lacks hexadecimal digits");
	c = hex_number(first, digits);
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return toml_fail(p, start, "an escape names no character");
	return 0;
}

/* "\" at the end of a line: the rest of the line and white space up to the next text do not count. */
static bool scan_continuation(struct toml_parser *p)
{
	const char *q = p->at;

	while (*q == ' ' || *q == '\t')
		q++;
	if (*q != '\n' && !(q[0] == '\r' && q[1] == '\n'))
		return false;
	do
		toml_skip_space(p);
	while (toml_newline(p));
	return true;
}

static int scan_escape(struct toml_parser *p, const struct lexed *s)
{
	const char *start = p->at++;

	if (s->lines && scan_continuation(p))
		return 0;
	if (*p->at == 'u' || *p->at == 'U')
		return scan_code_point(p, start, *p->at++ == 'u' ? 4 : 8);
	if (*p->at == '\0' || !strchr("btnfr\"\\", *p->at))
		return toml_fail(p, start, "unknown escape: a backslash is written '\\\\'");
	p->at++;
	return 0;
}

/* Whether the string ends at p->at, which is then behind its quotes. Before the three that end it,
 * two may belong to the text. */
static bool scan_end(struct toml_parser *p, struct lexed *s)
{
	size_t n = 0;

	if (!s->lines) {
		s->n = (size_t)(p->at++ - s->start);
		return true;
	}
	while (n < 5 && p->at[n] == s->quote)
		n++;
	p->at += n;
	if (n < 3)
		return false;
	s->n = (size_t)(p->at - 3 - s->start);
	return true;
}

static inline bool plain(unsigned char c, char quote)
{
	return c >= 0x20 ? c != (unsigned char)quote && c != '\\' && c != 0x7f : c == '\t';
}

static int scan(struct toml_parser *p, struct lexed *s)
{
	const char *first = p->at;

	for (;;) {
		while (plain((unsigned char)*p->at, s->quote))
			p->at++;
		if (*p->at == s->quote) {
			if (scan_end(p, s))
				return 0;
		} else if (*p->at == '\\') {
			int e = s->quote == '"' ? scan_escape(p, s) : 0;

			if (e < 0)
				return e;
			if (s->quote == '"')
				s->escaped = true;
			else
				p->at++;
		} else if (p->at == p->end) {
			return toml_fail(p, p->at, "a string is not closed");
		} else if (!(s->lines && toml_newline(p))) {
			return toml_fail(p, *p->at == '\n' ? first : p->at,
				*p->at == '\n' ? "a string is not closed on its line"
					       : "a control character in a string");
		}
	}
}

static size_t put_utf8(char *to, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)(lead[n] | c);
	return n;
}

/* What was checked above: from behind a backslash; returns behind the escape. */
static const char *decode_escape(const char *at, char **to)
{
	static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
	const char *hit = strchr(letters, *at);
	int digits = *at == 'u' ? 4 : 8;

	if (hit) {
		*(*to)++ = meanings[hit - letters];
		return at + 1;
	}
	if (*at == 'u' || *at == 'U') {
		*to += put_utf8(*to, hex_number(at + 1, digits));
		return at + 1 + digits;
	}
	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
	return at;
}

static size_t decode(char *text, size_t n)
{
	const char *at = text, *end = text + n;
	char *to = text;

	while (at < end) {
		if (*at == '\\')
			at = decode_escape(at + 1, &to);
		else
			*to++ = *at++;
	}
	return (size_t)(to - text);
}

int toml_lex_string(struct toml_parser *p, bool key, struct str *ret)
{
	struct lexed s = { .quote = *p->at };
	int e;

	s.lines = p->at[1] == s.quote && p->at[2] == s.quote;
	if (s.lines && key)
		return toml_fail(p, p->at, "a key cannot have three quotes");
	p->at += s.lines ? 3 : 1;
	/* A newline right behind the opening quotes is not part of the text. */
	if (s.lines)
		(void)toml_newline(p);
	s.start = (char *)p->at;
	e = scan(p, &s);
	if (e < 0)
		return e;
	if (s.escaped) {
		/* Columns are counted in the text as it was. */
		(void)toml_begin(p);
		s.n = decode(s.start, s.n);
	}
	*ret = str_of(s.start, s.n);
	return 0;
}
