/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BLAKE3-256, the one digest of the store (https://github.com/BLAKE3-team/BLAKE3-specs). What a
 * digest names is what `b3sum` prints. Digests are compared whole, always.
 */
#ifndef CRATONS_PRIM_HASH_H
#define CRATONS_PRIM_HASH_H

#include "prim/str.h"

#include <blake3.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX  (2 * DIGEST_SIZE + 1)

struct digest {
	uint8_t b[DIGEST_SIZE];
};

struct hasher {
	blake3_hasher state;
};

void hash_init(struct hasher *h);
void hash_add(struct hasher *h, const void *bytes, size_t len);
struct digest hash_end(const struct hasher *h);
struct digest hash_bytes(const void *bytes, size_t len);

static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, DIGEST_SIZE) == 0;
}
bool digest_is_zero(const struct digest *d);

/* 64 lower-case hexadecimal digits and a NUL into `hex`, which is also returned. */
char *digest_hex(const struct digest *d, char hex[DIGEST_HEX]);

/* Reads exactly 64 lower-case hexadecimal digits; -EINVAL for anything else. */
int digest_parse(struct digest *ret, struct str hex);

/* Bytes to lower-case hexadecimal and back. `hex` takes 2 * len + 1 bytes. */
void hex_encode(char *hex, const void *bytes, size_t len);
int hex_decode(void *bytes, size_t len, struct str hex);

#endif
