// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/repair.h"
#include "cas/scan.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

struct moved {
	struct digest digest;
	struct index_object to;
};

struct move {
	struct cas_writer *w;
	struct index *index;
	uint32_t number;
	int fd;
	struct pack_builder pack;
	VEC(struct moved) moved;
	VEC(struct digest) lost;
};

static void move_done(struct move *m)
{
	pack_builder_done(&m->pack);
	vec_done(&m->moved);
	vec_done(&m->lost);
	if (m->fd >= 0)
		close(m->fd);
}

static int index_remove(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	int rc = mdb_del(txn, dbi, &k, NULL);

	return rc == MDB_NOTFOUND ? 0 : index_error(rc);
}

static int move_object(struct move *m, const struct digest *d, const struct index_object *o)
{
	_cleanup_free_ char *bytes = NULL;
	struct moved to = { .digest = *d, .to = { .size = o->size } };
	struct digest got;
	int r = m->fd < 0 || o->size > TREE_CHUNK ? -EIO : 0;

	bytes = malloc(TREE_CHUNK);
	if (!bytes)
		return -ENOMEM;
	if (r == 0)
		r = fd_pread_all(m->fd, bytes, (size_t)o->size, o->offset);
	if (r == 0) {
		got = hash_bytes(bytes, (size_t)o->size);
		r = digest_eq(&got, d) ? 0 : -EIO;
	}
	/* Whatever the reason: what cannot be read here is fetched again. */
	if (r < 0)
		return vec_push(&m->lost, *d);
	r = pack_add(&m->pack, d, bytes, (size_t)o->size, &to.to.offset);
	return r < 0 ? r : vec_push(&m->moved, to);
}

static int collect(struct move *m)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_val k, v;
	int rc, r = index_begin(m->index, &txn);

	if (r < 0)
		return r;
	rc = mdb_cursor_open(txn, m->index->objects, &cursor);
	if (!rc)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; !rc && r == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		struct index_object o;
		struct digest d;

		if (k.mv_size != sizeof(d) || v.mv_size != sizeof(o))
			continue;
		memcpy(&d, k.mv_data, sizeof(d));
		memcpy(&o, v.mv_data, sizeof(o));
		if (o.pack == m->number)
			r = move_object(m, &d, &o);
	}
	mdb_cursor_close(cursor);
	index_end(m->index, txn);
	return r < 0 ? r : rc == MDB_NOTFOUND ? 0 : index_error(rc);
}

static int enter_moved(struct move *m, MDB_txn *txn, const struct index_pack *pack)
{
	uint32_t number;
	int r = 0;

	if (m->moved.n) {
		r = index_next_pack(m->index, txn, &number);
		if (r == 0)
			r = index_set(txn, m->index->packs, &number, sizeof(number), pack,
				sizeof(*pack), 0);
	}
	for (size_t i = 0; r == 0 && i < m->moved.n; i++) {
		m->moved.v[i].to.pack = number;
		r = index_set(txn, m->index->objects, &m->moved.v[i].digest,
			sizeof(struct digest), &m->moved.v[i].to, sizeof(struct index_object), 0);
	}
	return r < 0 ? r : index_remove(txn, m->index->packs, &m->number, sizeof(m->number));
}

static int add_dependents(struct cas_writer *w, struct set *bad);
static int drop(struct index *index, MDB_txn *txn, const struct set *bad);

static int commit_move(struct move *m, struct diag *d)
{
	_cleanup_(set_done) struct set bad = { 0 };
	struct index_pack pack = { .objects = (uint32_t)m->moved.n };
	MDB_txn *txn;
	int r = 0;

	if (m->moved.n) {
		r = pack_end(&m->pack, (struct str){ 0 }, NULL, &pack.id);
		pack.bytes = m->pack.data.len;
		if (r == 0)
			r = writer_publish(m->w, "packs", &pack.id, m->pack.data.data,
				m->pack.data.len, d);
	}
	for (size_t i = 0; r >= 0 && i < m->lost.n; i++)
		r = set_add(&bad, &m->lost.v[i]);
	if (r >= 0 && m->lost.n)
		r = add_dependents(m->w, &bad);
	if (r >= 0)
		r = index_error(mdb_txn_begin(m->index->env, NULL, 0, &txn));
	if (r < 0)
		return r;
	r = enter_moved(m, txn, &pack);
	if (r == 0)
		r = drop(m->index, txn, &bad);
	if (r == 0)
		return writer_commit(m->w, txn, d);
	mdb_txn_abort(txn);
	return r;
}

static int old_pack(struct move *m, struct index_pack *ret)
{
	MDB_txn *txn;
	int r = index_begin(m->index, &txn);

	if (r < 0)
		return r;
	r = index_get(txn, m->index->packs, &m->number, sizeof(m->number), ret, sizeof(*ret));
	index_end(m->index, txn);
	return r;
}

int repair_pack(struct cas_writer *w, uint32_t number, bool damaged, struct diag *d)
{
	_cleanup_(move_done) struct move m = {
		.w = w, .index = cas_index(w->cas), .number = number, .fd = -1,
	};
	struct index_pack old;
	char path[CAS_PATH_MAX];
	int r = old_pack(&m, &old);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	m.fd = openat(w->store_fd, cas_path(path, "packs", &old.id),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	r = collect(&m);
	if (r == 0)
		r = commit_move(&m, d);
	if (r < 0)
		return writer_failed(d, r, "a pack cannot be written anew");
	if (damaged || m.lost.n)
		return scan_put_aside(w->store_fd, w->store_fd, path);
	r = fault_point("remove pack");
	return r == 0 && unlinkat(w->store_fd, path, 0) < 0 && errno != ENOENT ? -errno : r;
}

/* The trees in the index, in the order of their digests. */
static int list_trees(struct index *index, struct digest **ret, size_t *ret_n)
{
	VEC(struct digest) list = { 0 };
	MDB_cursor *cursor = NULL;
	MDB_txn *txn;
	MDB_val k, v;
	int rc, r = index_begin(index, &txn);

	if (r < 0)
		return r;
	rc = mdb_cursor_open(txn, index->trees, &cursor);
	if (!rc)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; !rc && r == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		struct digest d;

		if (k.mv_size != sizeof(d))
			continue;
		memcpy(&d, k.mv_data, sizeof(d));
		r = vec_push(&list, d);
	}
	mdb_cursor_close(cursor);
	index_end(index, txn);
	if (r == 0 && rc != MDB_NOTFOUND)
		r = index_error(rc);
	if (r < 0) {
		vec_done(&list);
		return r;
	}
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}

static int reaches(struct cas_writer *w, const struct digest *digest, const struct set *bad)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;
	int r = cas_load_tree(w->cas, digest, &t, NULL);

	if (r < 0)
		return r == -ERR_DIGEST || r == -ERR_TREE || r == -ERR_STORE_MISSING ? 1 : r;
	for (uint32_t i = 0; i < tree_nentries(t); i++) {
		struct tree_entry e;

		tree_get(t, i, &e);
		if ((e.kind == TREE_FILE || e.kind == TREE_SUBTREE) && set_has(bad, &e.digest))
			return 1;
	}
	return 0;
}

/* Adds to `bad` the trees that reach it: again until nothing is added, since trees name trees. */
static int add_dependents(struct cas_writer *w, struct set *bad)
{
	_cleanup_free_ struct digest *trees = NULL;
	size_t n, added = 1;
	int r = list_trees(cas_index(w->cas), &trees, &n);

	while (r >= 0 && added) {
		added = 0;
		for (size_t i = 0; r >= 0 && i < n; i++) {
			if (set_has(bad, &trees[i]))
				continue;
			r = reaches(w, &trees[i], bad);
			if (r > 0)
				r = set_add(bad, &trees[i]);
			added += r > 0;
		}
	}
	return MIN(r, 0);
}

static int drop(struct index *index, MDB_txn *txn, const struct set *bad)
{
	int r = 0;

	map_foreach(e, &bad->map) {
		if (r == 0)
			r = index_remove(txn, index->trees, e->value, sizeof(struct digest));
		if (r == 0)
			r = index_remove(txn, index->objects, e->value, sizeof(struct digest));
	}
	return r;
}

/* Takes out of the index what is bad, with every tree that reaches it. */
static int drop_dependents(struct cas_writer *w, struct set *bad, struct diag *d)
{
	struct index *index = cas_index(w->cas);
	MDB_txn *txn;
	int r = add_dependents(w, bad);

	if (r == 0)
		r = index_error(mdb_txn_begin(index->env, NULL, 0, &txn));
	if (r == 0) {
		r = drop(index, txn, bad);
		if (r == 0)
			return writer_commit(w, txn, d);
		mdb_txn_abort(txn);
	}
	return writer_failed(d, r, "damage cannot be taken out of the store");
}

int check_large(int store_fd, const struct digest *d)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *bytes = malloc(1 << 20);
	char path[CAS_PATH_MAX];
	struct digest got;
	struct hasher h;
	ssize_t n;

	if (!bytes)
		return -ENOMEM;
	fd = openat(store_fd, cas_path(path, "objects", d), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	hash_init(&h);
	while ((n = read(fd, bytes, 1 << 20)) > 0)
		hash_add(&h, bytes, (size_t)n);
	if (n < 0)
		return -errno;
	got = hash_end(&h);
	return digest_eq(&got, d) ? 0 : -ERR_DIGEST;
}

/* Whether an object in a pack is well. */
static int check_small(struct cas_writer *w, const struct digest *d, const struct index_object *o)
{
	struct tree_entry e = { .kind = TREE_FILE, .digest = *d, .size = o->size };
	char bytes[1];
	ssize_t n;

	if (o->size == 0)
		return 0;
	/* One byte is enough: the whole object is read and compared. */
	n = cas_read(w->cas, &e, 0, bytes, 1, NULL);
	return (int)MIN(n, 0);
}

/* Puts the file itself aside, once nothing refers to it. */
static int put_aside(struct cas_writer *w, const char *kind, const struct digest *what)
{
	char path[CAS_PATH_MAX], to[CAS_PATH_MAX], hex[DIGEST_HEX];

	snprintf(to, sizeof(to), "quarantine/%s", digest_hex(what, hex));
	if (renameat(w->store_fd, cas_path(path, kind, what), w->store_fd, to) < 0 &&
		errno != ENOENT)
		return -errno;
	return 0;
}

/* 1 if `what` is a tree that is in the index, or on disk, and is not what it should be. */
static int tree_is_bad(struct cas_writer *w, const struct digest *what)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;
	int r = cas_load_tree(w->cas, what, &t, NULL);

	if (r == -ERR_STORE_MISSING)
		return cas_has_tree(w->cas, what);
	return r == -ERR_DIGEST || r == -ERR_TREE ? 1 : r;
}

int repair_one(struct cas_writer *w, const struct digest *what, struct diag *d)
{
	_cleanup_(set_done) struct set bad = { 0 };
	struct index_object o;
	struct index_pack pack;
	int bad_tree, r = cas_find(w->cas, what, &o, &pack);
	bool large = r == 0 && o.pack == 0;

	if (r == 0 && !large && check_small(w, what, &o) < 0)
		return repair_pack(w, o.pack, true, d);
	large = large && check_large(w->store_fd, what) < 0;
	bad_tree = tree_is_bad(w, what);
	if (bad_tree < 0)
		return diag_errno(d, bad_tree, "a tree cannot be read");
	if (!large && !bad_tree)
		return 0;
	r = set_add(&bad, what);
	if (r >= 0)
		r = drop_dependents(w, &bad, d);
	if (r == 0)
		r = fault_point("put aside");
	if (r == 0 && bad_tree)
		r = put_aside(w, "trees", what);
	if (r == 0 && large)
		r = put_aside(w, "objects", what);
	return r < 0 ? writer_failed(d, r, "damage cannot be put aside") : 0;
}

int cas_quarantine(struct cas_writer *w, const struct digest *what, struct diag *d)
{
	int r = writer_lock(w, d);

	if (r < 0)
		return r;
	r = repair_one(w, what, d);
	writer_unlock(w);
	return r;
}
