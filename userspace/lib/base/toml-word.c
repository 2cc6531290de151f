// SPDX-License-Identifier: GPL-2.0-or-later
/* Values without quotes: booleans, numbers, dates and times. */
#include "base/toml-lex.h"

#include <errno.h>
#include <math.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
	       c == '.' || c == '_' || c == ':';
}

/* Digits with single underscores between them, copied without these: how many, or 0 when malformed. */
static size_t copy_digits(struct str *s, char *to, size_t max, bool (*valid)(char))
{
	size_t n = 0;

	while (s->n && (valid(s->p[0]) || s->p[0] == '_')) {
		if (s->p[0] == '_') {
			if (n == 0 || s->n < 2 || !valid(s->p[1]))
				return 0;
		} else {
			if (n == max)
				return 0;
			to[n++] = s->p[0];
		}
		s->p++, s->n--;
	}
	return n;
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool is_binary(char c)
{
	return c == '0' || c == '1';
}

static int lex_based(struct str s, int64_t *ret)
{
	char digits[128];
	bool (*valid)(char) = s.p[1] == 'x' ? is_hex : s.p[1] == 'o' ? is_octal : is_binary;
	int base = s.p[1] == 'x' ? 16 : s.p[1] == 'o' ? 8 : 2;
	uint64_t v;
	size_t n;

	s = str_slice(s, 2, s.n);
	n = copy_digits(&s, digits, sizeof(digits) - 1, valid);
	if (n == 0 || s.n)
		return -EINVAL;
	digits[n] = '\0';
	errno = 0;
	v = strtoull(digits, NULL, base);
	if (errno || v > INT64_MAX)
		return -ERANGE;
	*ret = (int64_t)v;
	return 0;
}

/* Decimal integers and floats, cleaned into `text`, which strtoll or strtod then reads. */
struct number {
	char text[512];
	size_t n;
	bool real;
};

static bool put_digits(struct number *number, struct str *s, bool leading)
{
	size_t room = sizeof(number->text) - number->n - 8;
	size_t n = copy_digits(s, number->text + number->n, room, is_digit);

	if (n == 0 || (leading && n > 1 && number->text[number->n] == '0'))
		return false;
	number->n += n;
	return true;
}

static bool put_sign(struct number *number, struct str *s)
{
	if (s->n && (s->p[0] == '+' || s->p[0] == '-')) {
		number->text[number->n++] = s->p[0];
		s->p++, s->n--;
	}
	return true;
}

static bool clean_number(struct str s, struct number *number)
{
	if (!put_sign(number, &s) || !put_digits(number, &s, true))
		return false;
	if (s.n && s.p[0] == '.') {
		number->real = true;
		number->text[number->n++] = '.';
		s.p++, s.n--;
		if (!put_digits(number, &s, false))
			return false;
	}
	if (s.n && (s.p[0] | 0x20) == 'e') {
		number->real = true;
		number->text[number->n++] = 'e';
		s.p++, s.n--;
		if (!put_sign(number, &s) || !put_digits(number, &s, false))
			return false;
	}
	number->text[number->n] = '\0';
	return s.n == 0;
}

static int lex_number(struct str s, struct toml_node *ret)
{
	struct number number = { .n = 0 };

	if (!clean_number(s, &number))
		return -EINVAL;
	errno = 0;
	if (number.real) {
		ret->kind = TOML_FLOAT;
		ret->u.real = strtod(number.text, NULL);
		return 0;
	}
	ret->kind = TOML_INTEGER;
	ret->u.integer = strtoll(number.text, NULL, 10);
	return errno ? -ERANGE : 0;
}

static bool lex_special(struct str s, struct toml_node *ret)
{
	bool sign = s.n && (s.p[0] == '+' || s.p[0] == '-');
	struct str word = str_slice(s, sign, s.n);

	if (str_is(s, "true") || str_is(s, "false")) {
		ret->kind = TOML_BOOL;
		ret->u.boolean = s.p[0] == 't';
		return true;
	}
	if (!str_is(word, "inf") && !str_is(word, "nan"))
		return false;
	ret->kind = TOML_FLOAT;
	ret->u.real = word.p[0] == 'i' ? INFINITY : NAN;
	if (sign && s.p[0] == '-')
		ret->u.real = -ret->u.real;
	return true;
}

/* A number of exactly `n` digits between bounds, at the front of *s. */
static bool take(struct str *s, size_t n, unsigned low, unsigned high, unsigned *ret)
{
	uint64_t v;

	if (s->n < n || str_u64(str_slice(*s, 0, n), &v) < 0 || v < low || v > high)
		return false;
	*s = str_slice(*s, n, s->n);
	*ret = (unsigned)v;
	return true;
}

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_slice(*s, 1, s->n);
	return true;
}

static bool take_date(struct str *s)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year, month, day, last;

	if (!take(s, 4, 0, 9999, &year) || !take_char(s, '-') || !take(s, 2, 1, 12, &month) ||
			!take_char(s, '-'))
		return false;
	last = lengths[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	return take(s, 2, 1, last, &day);
}

static bool take_time(struct str *s)
{
	unsigned v;

	if (!take(s, 2, 0, 23, &v) || !take_char(s, ':') || !take(s, 2, 0, 59, &v) ||
			!take_char(s, ':') || !take(s, 2, 0, 59, &v))
		return false;
	if (!take_char(s, '.'))
		return true;
	if (s->n == 0 || !is_digit(s->p[0]))
		return false;
	while (s->n && is_digit(s->p[0]))
		*s = str_slice(*s, 1, s->n);
	return true;
}

static bool take_offset(struct str *s)
{
	unsigned v;

	if (s->n == 0 || take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	return (take_char(s, '+') || take_char(s, '-')) && take(s, 2, 0, 23, &v) && take_char(s, ':') &&
	       take(s, 2, 0, 59, &v);
}

/* RFC 3339 dates and times; only whether it is one matters here. */
static bool is_date(struct str s)
{
	if (s.n >= 3 && s.p[2] == ':')
		return take_time(&s) && s.n == 0;
	if (!take_date(&s))
		return false;
	if (s.n == 0)
		return true;
	return (take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) && take_time(&s) &&
	       take_offset(&s) && s.n == 0;
}

/* A date and its time may have a space between them. */
static struct str word_at(struct toml_parser *p)
{
	const char *q = p->at;

	while (is_word(*q))
		q++;
	if (q - p->at == 10 && p->at[4] == '-' && *q == ' ' && is_digit(q[1]) && is_digit(q[2]) &&
			q[3] == ':') {
		q++;
		while (is_word(*q))
			q++;
	}
	return str_of(p->at, (size_t)(q - p->at));
}

int toml_lex_word(struct toml_parser *p, struct toml_node *ret)
{
	struct str s = word_at(p);
	int e = 0;

	if (s.n == 0)
		return toml_fail(p, p->at, "a value is missing");
	if (!lex_special(s, ret)) {
		bool based = s.n > 2 && s.p[0] == '0' && strchr("xob", s.p[1]);

		ret->kind = based ? TOML_INTEGER : TOML_DATE;
		if (based)
			e = lex_based(s, &ret->u.integer);
		else if (!is_date(s))
			e = lex_number(s, ret);
	}
	if (e == -ERANGE)
		return toml_fail(p, p->at, "the number '%.*s' is too large", STR_ARG(s));
	if (e < 0)
		return toml_fail(p, p->at, "'%.*s' is not a value: text needs quotes", STR_ARG(s));
	p->at += s.n;
	return 0;
}
