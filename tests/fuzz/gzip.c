// SPDX-License-Identifier: GPL-2.0-or-later
/* A gzip stream: never more bytes than the limits allow, and a refusal says why. */
#include "engine/unpack/inflate.h"

#define MAX_BYTES ((uint64_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf plain = BUF_INIT;
	struct str bytes = str_of(data, size);
	int r;

	if (!inflate_is_gzip(bytes))
		return 0;
	r = inflate_gzip(bytes, MAX_BYTES, 1000, &plain, &d);
	if (r < 0 && d.code == 0)
		abort();
	if (plain.len > MAX_BYTES)
		abort();
	return 0;
}
