// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json-fault.h"

struct scan {
	struct str text;
	size_t at;
	char open[JSON_TAPE_DEPTH];	/* the brackets */
	unsigned depth;
};

static char peek(const struct scan *s)
{
	return s->at < s->text.n ? s->text.p[s->at] : '\0';
}

static bool take(struct scan *s, char c)
{
	bool is = s->at < s->text.n && s->text.p[s->at] == c;

	s->at += is;
	return is;
}

static bool take_any(struct scan *s, const char *set)
{
	bool is = s->at < s->text.n && s->text.p[s->at] && strchr(set, s->text.p[s->at]);

	s->at += is;
	return is;
}

static void skip_space(struct scan *s)
{
	while (take_any(s, " \t\r\n"))
		;
}

static bool digits(struct scan *s)
{
	size_t from = s->at;

	while (take_any(s, "0123456789"))
		;
	return s->at > from;
}

static bool number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (!take_any(s, "eE"))
		return true;
	take_any(s, "+-");
	return digits(s);
}

static bool escape(struct scan *s)
{
	if (!take(s, 'u'))
		return take_any(s, "\"\\/bfnrt");
	for (int i = 0; i < 4; i++)
		if (!take_any(s, "0123456789abcdefABCDEF"))
			return false;
	return true;
}

static bool string(struct scan *s)
{
	if (!take(s, '"'))
		return false;
	while (!take(s, '"')) {
		size_t n = s->at < s->text.n ? str_utf8_sequence(s->text, s->at) : 0;

		if (take(s, '\\')) {
			if (!escape(s))
				return false;
		} else if (n == 0 || (unsigned char)peek(s) < 0x20) {
			return false;
		} else {
			s->at += n;
		}
	}
	return true;
}

static bool word(struct scan *s, const char *w)
{
	for (; *w; w++)
		if (!take(s, *w))
			return false;
	return true;
}

static bool scalar(struct scan *s)
{
	switch (peek(s)) {
	case '"':
		return string(s);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		return number(s);
	}
}

static bool key(struct scan *s)
{
	skip_space(s);
	if (!string(s))
		return false;
	skip_space(s);
	return take(s, ':');
}

/* Behind a value: the brackets that end here, then what leads to the next value. False also where all is
 * closed. */
static bool go_on(struct scan *s)
{
	for (; s->depth > 0; s->depth--) {
		skip_space(s);
		if (take(s, ','))
			return s->open[s->depth - 1] == '[' || key(s);
		if (!take(s, s->open[s->depth - 1] == '[' ? ']' : '}'))
			return false;
	}
	skip_space(s);
	return false;
}

/* 1 where a value has to follow, 0 behind an empty one, -1 where neither is. */
static int enter(struct scan *s, char bracket)
{
	if (s->depth == sizeof(s->open))
		return -1;
	s->open[s->depth++] = bracket;
	s->at++;
	skip_space(s);
	if (peek(s) == (bracket == '[' ? ']' : '}'))
		return 0;
	return bracket == '[' || key(s) ? 1 : -1;
}

size_t json_fault(struct str text)
{
	struct scan s = { .text = text };
	bool more = true;

	while (more) {
		int inside = 0;

		skip_space(&s);
		if (peek(&s) == '[' || peek(&s) == '{')
			inside = enter(&s, peek(&s));
		else if (!scalar(&s))
			break;
		if (inside < 0)
			break;
		more = inside == 1 || go_on(&s);
	}
	return s.at;
}
