// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A pack with any table: what pack_read accepts stays within the file. The digest of the tail is made
 * to fit, since no fuzzer would find it: first byte of the input: how long the tail is, in 8 bytes.
 */
#include "base/fd.h"
#include "cas/pack.h"
#include "tree/tree.h"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_fd_ int fd = -1;
	struct pack p = { 0 };
	struct digest id;
	size_t tail;

	if (size < 1)
		return 0;
	tail = MIN((size_t)data[0] * 8, size - 1);
	id = hash_bytes(data + size - tail, tail);
	fd = memfd_create("pack", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, data + 1, size - 1) < 0)
		return 0;
	if (pack_read(&p, fd, &id) == 0)
		vec_foreach(e, &p.entries)
			assert(e->size <= TREE_CHUNK && (uint64_t)e->offset + e->size <= size - 1);
	pack_done(&p);
	return 0;
}
