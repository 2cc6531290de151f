/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decompression of gzip (RFC 1952), several members, bounded by size and ratio: whole, or as a stream. */
#ifndef CRATONS_ENGINE_UNPACK_INFLATE_H
#define CRATONS_ENGINE_UNPACK_INFLATE_H

#include "prim/buf.h"
#include "prim/diag.h"

bool inflate_is_gzip(struct str bytes);

/* Below this many bytes the ratio is not looked at: small files of one letter compress very well. */
#define INFLATE_RATIO_FREE ((uint64_t)64 << 20)

/* Decompresses all members into `ret`. Zero bytes after the last are padding; anything else there, a
 * wrong checksum, a cut stream, more than `max` bytes or a ratio beyond `max_ratio` is -ERR_ARCHIVE. */
int inflate_gzip(struct str bytes, uint64_t max, unsigned max_ratio, struct buf *ret,
	struct diag *d);

/* How large it says that it is, or at least is: a guess. */
uint64_t inflate_guess(struct str bytes);
uint64_t inflate_limit(size_t packed, uint64_t max, unsigned max_ratio);
bool inflate_is_padding(struct str rest);

/* The same as a stream; `bytes` (at most 4 GiB) must stay. Only when read gave 0 bytes is the checksum
 * known to be right. */
struct inflater;
int inflater_new(struct inflater **ret, struct str bytes, uint64_t max, unsigned max_ratio);
void inflater_free(struct inflater *i);
DEFINE_CLEANUP(struct inflater *, inflater_free);
uint64_t inflater_limit(const struct inflater *i);
/* n bytes, or fewer at the end; what was read so far may exceed the limit by this call's. */
int inflater_read(struct inflater *i, void *to, size_t n, size_t *ret_n, struct diag *d);

#endif
