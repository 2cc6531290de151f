// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/buf.h"

#include "prim/err.h"

#include <errno.h>
#include <stdio.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
	size_t want, cap;
	char *data;

	if (more > max - b->len)
		return -ERR_LIMIT;
	want = b->len + more + 1;
	if (want <= b->cap)
		return 0;
	cap = MAX(want, b->cap + b->cap / 2);
	cap = MAX(cap, (size_t)64);
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	data[b->len] = '\0';
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t len)
{
	int r = buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_adds(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_addstr(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int buf_vaddf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	int n, r;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		return -EINVAL;
	r = buf_reserve(b, (size_t)n);
	if (r < 0)
		return r;
	vsnprintf(b->data + b->len, (size_t)n + 1, format, ap);
	b->len += (size_t)n;
	return 0;
}

int buf_addf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = buf_vaddf(b, format, ap);
	va_end(ap);
	return r;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

struct str buf_str(const struct buf *b)
{
	return (struct str){ buf_text(b), b->len };
}

static bool is_between(uint32_t code, uint32_t from, uint32_t to)
{
	return code >= from && code <= to;
}

/* A well-formed sequence of two bytes and more: U+0080 to U+009F; U+061C, 200E, 200F, 2028 to 202E, 2066 to
 * 2069 (Unicode's UAX 9 and 14). */
static bool drives(const unsigned char *p, size_t n)
{
	uint32_t code = n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3f) :
		n == 3 ? (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f) : 0xffff;

	return code < 0xa0 || code == 0x61c || is_between(code, 0x200e, 0x200f) || is_between(code, 0x2028, 0x202e) ||
		is_between(code, 0x2066, 0x2069);
}

void buf_disarm(struct buf *b, size_t from, const char *spared)
{
	for (size_t i = from; i < b->len;) {
		unsigned char *p = (unsigned char *)b->data + i;
		size_t n = str_utf8_sequence(buf_str(b), i);
		bool control = p[0] == 0x7f || (p[0] < ' ' && !(p[0] && strchr(spared, p[0])));
		bool bad = n > 1 ? drives(p, n) : n == 1 ? control : p[0] < 0xa0;

		n = n ? n : 1;
		if (bad)
			memset(p, '?', n);
		i += n;
	}
}

char *buf_take(struct buf *b)
{
	char *data;

	if (!b->data && buf_reserve(b, 0) < 0)
		return NULL;
	data = b->data;
	*b = (struct buf){ .max = b->max };
	return data;
}
