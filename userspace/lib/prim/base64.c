// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t len, char *ret)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)b[i] << 16 |
			     (i + 1 < len ? (unsigned)b[i + 1] << 8 : 0) |
			     (i + 2 < len ? (unsigned)b[i + 2] : 0);

		*ret++ = alphabet[v >> 18];
		*ret++ = alphabet[v >> 12 & 63];
		*ret++ = i + 1 < len ? alphabet[v >> 6 & 63] : '=';
		*ret++ = i + 2 < len ? alphabet[v & 63] : '=';
	}
	*ret = '\0';
}

static int value(char c)
{
	const char *at;

	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int base64_decode(struct str text, void *ret, size_t *ret_len)
{
	uint8_t *b = ret;
	unsigned bits = 0, v = 0;
	size_t n = 0;

	for (int pad = 0; pad < 2 && text.n && text.p[text.n - 1] == '='; pad++)
		text.n--;
	if (text.n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		int x = value(text.p[i]);

		if (x < 0)
			return -EINVAL;
		v = v << 6 | (unsigned)x;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			b[n++] = (uint8_t)(v >> bits);
		}
	}
	*ret_len = n;
	return 0;
}
