// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

/* Who reads one file of a package soon reads others of it, and they lie side by side in its pack: one
 * large read of the disk, asked for early. */
#define COLD_AHEAD (1 << 20)

/* Gives up the lead if the first byte is not in the page cache: what is may be answered by the leader,
 * which costs less than handing over; what is not would keep the others waiting for a disk. */
static void yield_if_cold(struct server *s, const struct node *file, uint64_t offset)
{
	struct cas_place place;
	char byte;
	struct iovec iov = { &byte, 1 };

	if (cas_locate(s->cas, &file->entry.digest, &place, NULL) == 0 &&
		preadv2(place.fd, &iov, 1, (off_t)(place.offset + offset), RWF_NOWAIT) < 0 &&
		errno == EAGAIN) {
		worker_yields(s);
		(void)posix_fadvise(place.fd, (off_t)place.offset, COLD_AHEAD, POSIX_FADV_WILLNEED);
	}
}

/* The kernel asks for a file in pieces of its read-ahead; a small file's digest is over the whole.
 * So the worker keeps the last one that it verified, in memory of its own. */
static ssize_t read_small(struct server *s, struct worker *w, const struct node *file,
	uint64_t offset, size_t size, const void **ret)
{
	ssize_t r;

	if (w->small_id != file->id) {
		w->small_id = 0;
		yield_if_cold(s, file, 0);
		r = cas_read(s->cas, &file->entry, 0, w->small, (size_t)file->entry.size, NULL);
		if (r < 0)
			return r;
		if ((uint64_t)r != file->entry.size)
			return -ERR_DIGEST;
		w->small_id = file->id;
	}
	if (nodes_claim(s->nodes, file->id))
		read_ahead(s, file);
	*ret = w->small + offset;
	return (ssize_t)MIN(size, (size_t)(file->entry.size - offset));
}

ssize_t server_read(struct server *s, const struct node *file, uint64_t offset, size_t size,
	const void **ret)
{
	struct worker *w = server_worker(s);
	ssize_t r;

	if (offset >= file->entry.size)
		return 0;
	if (file->entry.size <= TREE_CHUNK) {
		r = read_small(s, w, file, offset, size, ret);
	} else {
		yield_if_cold(s, file, offset);
		r = cas_read(s->cas, &file->entry, offset, w->large, MIN(size, LARGE), NULL);
		*ret = w->large;
	}
	if (r == -ERR_DIGEST || r == -ERR_STORE_MISSING)
		damage_report(s->damage, "object", &file->entry.digest);
	return r;
}
