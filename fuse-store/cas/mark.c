// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/mark.h"
#include "cas/root.h"
#include "cas/scan.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

void set_done(struct set *s)
{
	map_done(&s->map);
	arena_done(&s->arena);
}

bool set_has(const struct set *s, const struct digest *d)
{
	return map_get(&s->map, digest_key(d)) != NULL;
}

int set_add(struct set *s, const struct digest *d)
{
	struct digest *copy;
	int r;

	if (set_has(s, d))
		return 0;
	copy = arena_new(&s->arena, struct digest);
	if (!copy)
		return -ENOMEM;
	*copy = *d;
	r = map_put(&s->map, digest_key(copy), copy);
	return r < 0 ? r : 1;
}

void mark_done(struct mark *m)
{
	set_done(&m->objects);
	set_done(&m->trees);
	vec_done(&m->todo);
	vec_done(&m->damaged);
	buf_done(&m->sessions);
	buf_done(&m->dead_staged);
	buf_done(&m->dead_roots);
}

static int mark_tree(struct mark *m, const struct digest *d)
{
	int r = set_add(&m->trees, d);

	return r <= 0 ? r : vec_push(&m->todo, *d);
}

static int add_name(struct buf *b, const char *name)
{
	return buf_add(b, name, strlen(name) + 1);
}

static int mark_pins(struct mark *m, const struct buf *lease)
{
	int r = 0;

	for (size_t at = sizeof(struct lease_header);
		r == 0 && at + sizeof(struct digest) <= lease->len; at += sizeof(struct digest)) {
		struct digest d;

		memcpy(&d, lease->data + at, sizeof(d));
		r = mark_tree(m, &d);
	}
	return r;
}

static int mark_lease(struct mark *m, int fd, unsigned slot)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct lease_header h = { 0 };
	char name[LEASE_NAME_MAX];
	int r = fd_slurp(fd, &b, LEASE_MAX);

	if (r < 0)
		return r;
	/* A header that is missing is that of a session which is failing to begin: files as old as
	 * anything may be its. */
	if (b.len >= sizeof(h))
		memcpy(&h, b.data, sizeof(h));
	m->oldest = MIN(m->oldest, h.start);
	lease_name(name, slot, h.id);
	r = add_name(&m->sessions, name);
	return r < 0 ? r : mark_pins(m, &b);
}

static int each_lease(void *data, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct mark *m = data;
	uint64_t slot;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (str_u64(str_from(name), &slot) < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? mark_lease(m, fd, (unsigned)slot) : -errno;
}

/* "3-0123456789abcdef-17" belongs to the session "3-0123456789abcdef". */
static int each_staged(void *data, int dirfd, const char *name)
{
	struct mark *m = data;
	const char *end = strrchr(name, '-');
	size_t len = end ? (size_t)(end - name) : 0;

	for (size_t at = 0; at < m->sessions.len; at += strlen(m->sessions.data + at) + 1)
		if (strlen(m->sessions.data + at) == len &&
			memcmp(m->sessions.data + at, name, len) == 0)
			return 0;
	return add_name(&m->dead_staged, name);
}

static bool project_gone(struct str name)
{
	_cleanup_free_ char *path = str_dup(name);

	return path && path[0] == '/' && access(path, F_OK) < 0 &&
		(errno == ENOENT || errno == ENOTDIR);
}

static int each_root_file(void *data, int dirfd, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct mark *m = data;
	struct cas_root root;
	int r = file_slurp(dirfd, name, &b, ROOT_BYTES_MAX);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -ERR_LIMIT)
		return r;
	if (r < 0 || root_parse(&root, &b) < 0 || project_gone(root.name))
		return add_name(&m->dead_roots, name);
	for (size_t i = 0; r == 0 && i < root.n; i++)
		r = mark_tree(m, &root.trees[i]);
	return r;
}

static int mark_into(struct mark *m, const struct digest *d)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;
	int r = cas_load_tree(m->w->cas, d, &t, NULL);

	/* One that left the index since something below it was damaged may still be read: what it reaches
	 * beside that is alive, or the next installation would fetch all of it again. */
	if (r < 0 && !cas_has_tree(m->w->cas, d))
		return 0;
	if (r == -ERR_DIGEST || r == -ERR_TREE || r == -ERR_STORE_MISSING)
		return vec_push(&m->damaged, *d);
	for (uint32_t i = 0; r >= 0 && t && i < tree_nentries(t); i++) {
		struct tree_entry e;

		tree_get(t, i, &e);
		if (e.kind == TREE_FILE)
			r = set_add(&m->objects, &e.digest);
		else if (e.kind == TREE_SUBTREE)
			r = mark_tree(m, &e.digest);
	}
	return MIN(r, 0);
}

int mark_all(struct mark *m, struct cas_writer *w)
{
	int r;

	*m = (struct mark){ .w = w, .oldest = INT64_MAX };
	/* Leases first: a session sets its root before it ends its lease. */
	r = scan_folder(w->store_fd, "leases", each_lease, m);
	if (r == 0)
		r = scan_folder(w->store_fd, "staging", each_staged, m);
	if (r == 0)
		r = scan_folder(w->store_fd, "roots", each_root_file, m);
	while (r == 0 && m->todo.n > 0) {
		struct digest d = m->todo.v[--m->todo.n];

		r = mark_into(m, &d);
	}
	return r;
}
