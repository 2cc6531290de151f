// SPDX-License-Identifier: GPL-2.0-or-later
/* What parses prints, and what was printed parses and prints the same. */
#include "engine/lock/lockfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL, *again = NULL;
	_cleanup_buf_ struct buf one = BUF_INIT, two = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	if (lockfile_parse(&l, str_of(data, size), "fuzz", &d) < 0) {
		if (d.code == 0 || d.where.len == 0)
			abort();
		return 0;
	}
	if (lockfile_print(l, &one) < 0)
		abort();
	if (lockfile_parse(&again, buf_str(&one), "fuzz", &d) < 0 || lockfile_print(again, &two) < 0)
		abort();
	if (!str_eq(buf_str(&one), buf_str(&two)))
		abort();
	return 0;
}
