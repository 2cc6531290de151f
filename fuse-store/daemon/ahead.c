// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading ahead over files. Who reads one small file of a directory soon reads its neighbours, and a
 * round trip for each costs several times what reading, checking and copying it does. So before a
 * READ is answered, what follows in its directory with the same suffix goes into the kernel's page
 * cache too (FUSE_NOTIFY_STORE), verified like all else.
 *
 * Before, not after: storing waits for a page that a READ has locked, and a client that waits for its
 * answer sends no other READ. Where several clients meet in one directory the page may be locked all
 * the same. Then either another worker is answering that READ, and does not wait for us: only one
 * stores at a time, the others go without. Or nobody has taken the READ from the device yet: the
 * guard (loop.c) sees that, takes it, and never stores.
 */
#define FUSE_USE_VERSION 314
#include "worker.h"

#include <errno.h>
#include <fuse_lowlevel.h>

#define AHEAD_BYTES ((size_t)256 << 10)

static struct str suffix(struct str name)
{
	size_t dot = name.n;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	return str_slice(name, dot, name.n);
}

static int store(struct server *s, struct worker *w, const struct node *file)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT((size_t)file->entry.size);
	int r;

	/* What is damaged or away is told to who reads it. */
	if (cas_read(s->cas, &file->entry, 0, w->ahead, (size_t)file->entry.size, NULL) !=
		(ssize_t)file->entry.size)
		return -EIO;
	bytes.buf[0].mem = w->ahead;
	/* In this order: the guard looks at the time after it has said that it sleeps. */
	atomic_store(&s->storing_since, now_us());
	if (!w->ring)
		guard_wake(s);
	r = fuse_lowlevel_notify_store(s->fuse, file->id, 0, &bytes, 0);
	atomic_store(&s->storing_since, 0);
	return r;
}

static void store_from(struct server *s, const struct node_dir *dir, uint32_t i)
{
	struct worker *w = server_worker(s);
	struct tree_entry first;
	size_t bytes = 0;
	uint32_t files = 0;
	struct node n;

	tree_get(dir->tree, dir->first + i, &first);
	while (++i < dir->count && files < s->read_ahead) {
		tree_get(dir->tree, dir->first + i, &n.entry);
		if (n.entry.kind != TREE_FILE || n.entry.size > TREE_CHUNK || n.entry.size == 0 ||
			!str_eq(suffix(n.entry.name), suffix(first.name)))
			continue;
		bytes += (size_t)n.entry.size;
		if (bytes > AHEAD_BYTES || nodes_entry(s->nodes, dir, i, &n) < 0)
			break;
		if (nodes_claim(s->nodes, n.id) && store(s, w, &n) < 0)
			break;
		files++;
	}
}

void read_ahead(struct server *s, const struct node *file)
{
	struct node_dir dir;
	uint32_t i;

	if (!s->read_ahead || server_worker(s)->guards || pthread_mutex_trylock(&s->storing) != 0)
		return;
	if (nodes_neighbours(s->nodes, file->id, &dir, &i) == 0)
		store_from(s, &dir, i);
	pthread_mutex_unlock(&s->storing);
}
