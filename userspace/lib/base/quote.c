// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/quote.h"

static const char *escape_of(unsigned char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	}
	return NULL;
}

/* Bytes from `from` on that stand for themselves. */
static size_t plain_run(struct str s, size_t from)
{
	size_t i = from;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		size_t len = c < 0x80 ? 1 : str_utf8_sequence(s, i);

		if (len == 0 || c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			break;
		if (c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0)
			break;
		i += len;
	}
	return i - from;
}

static int add_escaped(struct buf *to, struct str s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[*i];
	size_t len = str_utf8_sequence(s, *i);

	*i += len ? len : 1;
	if (len == 0)
		return buf_adds(to, "\xef\xbf\xbd");
	if (escape_of(c))
		return buf_adds(to, escape_of(c));
	return buf_addf(to, "\\u%04x", len == 2 ? (unsigned char)s.p[*i - 1] : c);
}

int buf_add_quoted(struct buf *to, struct str s)
{
	int r = buf_addc(to, '"');

	for (size_t i = 0; r == 0 && i < s.n;) {
		size_t run = plain_run(s, i);

		r = buf_add(to, s.p + i, run);
		i += run;
		if (r == 0 && i < s.n)
			r = add_escaped(to, s, &i);
	}
	return r < 0 ? r : buf_addc(to, '"');
}
