/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole-buffer decompression of gzip (RFC 1952), several members, bounded by size and ratio. */
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

#endif
