// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/hash.h"

#include <errno.h>

void hash_init(struct hasher *h)
{
	blake3_hasher_init(&h->state);
}

void hash_add(struct hasher *h, const void *bytes, size_t len)
{
	blake3_hasher_update(&h->state, bytes, len);
}

struct digest hash_end(const struct hasher *h)
{
	struct digest d;

	blake3_hasher_finalize(&h->state, d.b, sizeof(d.b));
	return d;
}

struct digest hash_bytes(const void *bytes, size_t len)
{
	struct hasher h;

	hash_init(&h);
	hash_add(&h, bytes, len);
	return hash_end(&h);
}

bool digest_is_zero(const struct digest *d)
{
	static const struct digest zero;

	return digest_eq(d, &zero);
}

void hex_encode(char *hex, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[b[i] >> 4];
		hex[2 * i + 1] = digits[b[i] & 15];
	}
	hex[2 * len] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int hex_decode(void *bytes, size_t len, struct str hex)
{
	uint8_t *b = bytes;

	if (hex.n != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (nibble(hex.p[2 * i]) < 0 || nibble(hex.p[2 * i + 1]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(nibble(hex.p[2 * i]) << 4 | nibble(hex.p[2 * i + 1]));
	return 0;
}

char *digest_hex(const struct digest *d, char hex[DIGEST_HEX])
{
	hex_encode(hex, d->b, DIGEST_SIZE);
	return hex;
}

int digest_parse(struct digest *ret, struct str hex)
{
	return hex_decode(ret->b, DIGEST_SIZE, hex);
}
