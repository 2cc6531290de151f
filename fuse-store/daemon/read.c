// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include "prim/err.h"

#include <errno.h>

/* The kernel asks for a file in pieces of its read-ahead; a small file's digest is over the whole.
 * So the worker keeps the last one that it verified, in memory of its own. */
static ssize_t read_small(struct server *s, struct worker *w, const struct node *file,
	uint64_t offset, size_t size, const void **ret)
{
	ssize_t r;

	if (w->small_id != file->id) {
		w->small_id = 0;
		r = cas_read(s->cas, &file->entry, 0, w->small, (size_t)file->entry.size, NULL);
		if (r < 0)
			return r;
		if ((uint64_t)r != file->entry.size)
			return -ERR_DIGEST;
		w->small_id = file->id;
	}
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
		worker_yields(s);
		r = cas_read(s->cas, &file->entry, offset, w->large, MIN(size, sizeof(w->large)), NULL);
		*ret = w->large;
	}
	if (r == -ERR_DIGEST)
		damage_report(s->damage, "object", &file->entry.digest);
	return r;
}
