// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/unpack/inflate.h"

#include "prim/err.h"

#include <errno.h>
#include <libdeflate.h>

DEFINE_CLEANUP(struct libdeflate_decompressor *, libdeflate_free_decompressor);

#define GZIP_SMALLEST 18	/* header 10, empty block 2 (at least), trailer 8 */

bool inflate_is_gzip(struct str bytes)
{
	return bytes.n >= 2 && (uint8_t)bytes.p[0] == 0x1f && (uint8_t)bytes.p[1] == 0x8b;
}

/* The trailer's ISIZE is the size modulo 2^32 of the last member: right for what registries hold,
 * and only a guess of the room needed. */
uint64_t inflate_guess(struct str bytes)
{
	uint32_t isize = 0;

	if (bytes.n >= GZIP_SMALLEST)
		for (int i = 0; i < 4; i++)
			isize |= (uint32_t)(uint8_t)bytes.p[bytes.n - 4 + (size_t)i] << (8 * i);
	return MAX((uint64_t)isize, (uint64_t)bytes.n);
}

bool inflate_is_padding(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			return false;
	return true;
}

uint64_t inflate_limit(size_t packed, uint64_t max, unsigned max_ratio)
{
	uint64_t by_ratio;

	if (__builtin_mul_overflow((uint64_t)packed, (uint64_t)max_ratio, &by_ratio))
		by_ratio = UINT64_MAX;
	return MIN(max, MAX(by_ratio, INFLATE_RATIO_FREE));
}

/* One member at *at: advances *at and ret->len, growing the buffer up to `limit` bytes. */
static int member(struct libdeflate_decompressor *z, struct str bytes, size_t *at, uint64_t limit,
	struct buf *ret, struct diag *d)
{
	for (;;) {
		/* The buffer may have been given more room than was asked for. */
		size_t end = ret->cap ? (size_t)MIN((uint64_t)ret->cap - 1, limit) : 0;
		size_t used, made, room = end - ret->len;
		enum libdeflate_result result = libdeflate_gzip_decompress_ex(z, bytes.p + *at,
			bytes.n - *at, ret->data + ret->len, room, &used, &made);
		int r;

		if (result == LIBDEFLATE_SUCCESS) {
			*at += used;
			ret->len += made;
			return 0;
		}
		if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
			return diag_fail(d, -ERR_ARCHIVE, "the gzip stream is damaged or cut short");
		if (ret->len + room >= limit)
			return diag_fail(d, -ERR_ARCHIVE,
				"the archive unpacks to more than %llu bytes",
				(unsigned long long)limit);
		r = buf_reserve(ret, (size_t)MIN(limit - ret->len, (uint64_t)room * 2 + 65536));
		if (r < 0)
			return diag_errno(d, r, "unpacking an archive");
	}
}

int inflate_gzip(struct str bytes, uint64_t max, unsigned max_ratio, struct buf *ret,
	struct diag *d)
{
	_cleanup_(libdeflate_free_decompressor_p) struct libdeflate_decompressor *z =
		libdeflate_alloc_decompressor();
	uint64_t limit = inflate_limit(bytes.n, max, max_ratio);
	size_t at = 0;
	int r;

	if (!z)
		return diag_errno(d, -ENOMEM, "unpacking an archive");
	ret->max = (size_t)limit;
	r = buf_reserve(ret, (size_t)MIN(limit, inflate_guess(bytes)));
	if (r < 0)
		return diag_errno(d, r, "unpacking an archive");
	while (r == 0 && at < bytes.n) {
		struct str rest = str_slice(bytes, at, bytes.n);

		if (at > 0 && !inflate_is_gzip(rest)) {
			if (inflate_is_padding(rest))
				break;
			return diag_fail(d, -ERR_ARCHIVE, "bytes follow the gzip stream");
		}
		r = member(z, bytes, &at, limit, ret, d);
	}
	if (ret->data)
		ret->data[ret->len] = '\0';
	return r;
}
