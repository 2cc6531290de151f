// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making the index anew from packs, objects and trees. Used when the index is not as its last writer
 * left it: it is not looked at at all, since LMDB cannot be trusted with a damaged file. What is lost
 * are facts (but the sources, which packs know), and they cost only work.
 */
#include "cas/scan.h"
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum completeness { UNKNOWN, ASKED, COMPLETE, INCOMPLETE };

struct found_tree {
	struct digest digest;
	struct tree *tree;
	uint64_t size;
	enum completeness state;
};

struct source {
	struct fact_key key;
	struct digest tree;
};

struct rebuild {
	struct cas_writer *w;
	struct arena arena;
	struct map objects;		/* digest → struct pending_object; .pack is the number */
	struct map trees;		/* digest → struct found_tree */
	VEC(struct pending_object *) sorted;
	VEC(struct pending_pack) packs;
	VEC(struct source) sources;
	struct diag *d;
};

static void rebuild_done(struct rebuild *b)
{
	map_foreach(e, &b->trees)
		tree_free(((struct found_tree *)e->value)->tree);
	map_done(&b->objects);
	map_done(&b->trees);
	vec_done(&b->sorted);
	vec_done(&b->packs);
	vec_done(&b->sources);
	arena_done(&b->arena);
}

static int found_object(struct rebuild *b, const struct pending_object *found)
{
	struct pending_object *o;
	int r;

	if (map_get(&b->objects, digest_key(&found->digest)))
		return 0;
	o = arena_new(&b->arena, struct pending_object);
	if (!o)
		return -ENOMEM;
	*o = *found;
	r = map_put(&b->objects, digest_key(&o->digest), o);
	return r < 0 ? r : vec_push(&b->sorted, o);
}

static int found_pack(void *data, const struct digest *id, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(pack_done) struct pack p = { 0 };
	struct rebuild *b = data;
	int r = fd < 0 ? -errno : pack_read(&p, fd, id);

	if (r == -ERR_DIGEST || r == -ELOOP)
		return scan_put_aside(b->w->store_fd, dirfd, name);
	if (r < 0)
		return r;
	r = vec_push(&b->packs, (struct pending_pack){ *id, p.bytes, (uint32_t)p.entries.n });
	for (size_t i = 0; r == 0 && i < p.entries.n; i++) {
		const struct pack_entry *e = &p.entries.v[i];

		r = found_object(b, &(struct pending_object){
			e->digest, (uint32_t)b->packs.n, e->offset, e->size });
	}
	if (r == 0 && p.source.len) {
		struct source s = { .tree = p.tree };

		fact_key_of(&s.key, CAS_SOURCE, buf_str(&p.source));
		r = vec_push(&b->sources, s);
	}
	return r;
}

static int found_large(void *data, const struct digest *digest, int dirfd, const char *name)
{
	struct rebuild *b = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size <= TREE_CHUNK)
		return scan_put_aside(b->w->store_fd, dirfd, name);
	return found_object(b, &(struct pending_object){
		.digest = *digest, .size = (uint64_t)st.st_size });
}

static int found_tree(void *data, const struct digest *digest, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct rebuild *b = data;
	struct found_tree *t = arena_new(&b->arena, struct found_tree);
	struct stat st;
	int r;

	if (!t)
		return -ENOMEM;
	r = fd < 0 || fstat(fd, &st) < 0 ? -errno : tree_map(&t->tree, fd, digest, NULL);
	if (r == -ERR_DIGEST || r == -ERR_TREE || r == -ELOOP)
		return scan_put_aside(b->w->store_fd, dirfd, name);
	if (r < 0)
		return r;
	t->digest = *digest;
	t->size = (uint64_t)st.st_size;
	r = map_put(&b->trees, digest_key(&t->digest), t);
	if (r < 0)
		tree_free(t->tree);
	return r;
}

/* Subtrees cannot refer back (a tree's digest follows from theirs), so this ends; how deep it may go
 * is bounded all the same. */
static bool complete(struct rebuild *b, struct found_tree *t, unsigned depth)
{
	if (!t || t->state == ASKED || depth > TREE_DEPTH_MAX)
		return false;
	if (t->state != UNKNOWN)
		return t->state == COMPLETE;
	t->state = ASKED;
	for (uint32_t i = 0; i < tree_nentries(t->tree); i++) {
		const struct pending_object *o;
		struct tree_entry e;
		bool ok = true;

		tree_get(t->tree, i, &e);
		if (e.kind == TREE_FILE) {
			o = map_get(&b->objects, digest_key(&e.digest));
			ok = o && o->size == e.size;
		} else if (e.kind == TREE_SUBTREE) {
			ok = complete(b, map_get(&b->trees, digest_key(&e.digest)), depth + 1);
		}
		if (!ok) {
			t->state = INCOMPLETE;
			return false;
		}
	}
	t->state = COMPLETE;
	return true;
}

static int enter_objects(struct rebuild *b, struct index *i, MDB_txn *txn)
{
	int r = 0;

	for (uint32_t n = 1; r == 0 && n <= b->packs.n; n++) {
		const struct pending_pack *p = &b->packs.v[n - 1];
		struct index_pack rec = { .id = p->id, .bytes = p->bytes, .objects = p->objects };

		r = index_set(txn, i->packs, &n, sizeof(n), &rec, sizeof(rec), MDB_APPEND);
	}
	if (b->sorted.n)
		qsort(b->sorted.v, b->sorted.n, sizeof(*b->sorted.v), pending_by_digest);
	for (size_t n = 0; r == 0 && n < b->sorted.n; n++) {
		const struct pending_object *o = b->sorted.v[n];
		struct index_object rec = { o->pack, o->offset, o->size };

		r = index_set(txn, i->objects, &o->digest, sizeof(o->digest), &rec, sizeof(rec),
			MDB_APPEND);
	}
	return r;
}

static int enter_trees(struct rebuild *b, struct index *i, MDB_txn *txn)
{
	int r = 0;

	map_foreach(e, &b->trees) {
		struct found_tree *t = e->value;
		struct index_tree rec = { .size = t->size };

		if (r == 0 && complete(b, t, 0))
			r = index_set(txn, i->trees, &t->digest, sizeof(t->digest), &rec,
				sizeof(rec), 0);
	}
	for (size_t n = 0; r == 0 && n < b->sources.n; n++) {
		const struct source *s = &b->sources.v[n];
		uint8_t value[1 + sizeof(s->tree)] = { FACT_HERE };

		memcpy(value + 1, &s->tree, sizeof(s->tree));
		if (complete(b, map_get(&b->trees, digest_key(&s->tree)), 0))
			r = index_set(txn, i->facts, &s->key, sizeof(s->key), value, sizeof(value), 0);
	}
	return r;
}

static int write_index(struct rebuild *b, const char *path)
{
	_cleanup_(index_unref_p) struct index *i = NULL;
	MDB_txn *txn;
	int r = index_open(&i, b->w->store_fd, path, true, b->d);

	if (r == 0)
		r = index_error(mdb_txn_begin(i->env, NULL, 0, &txn));
	if (r < 0)
		return r;
	r = enter_objects(b, i, txn);
	if (r == 0)
		r = enter_trees(b, i, txn);
	if (r < 0) {
		mdb_txn_abort(txn);
		return r;
	}
	return index_error(mdb_txn_commit(txn));
}

/* The old index may still be open in other processes: they see that it was replaced. */
static int swap_index(struct cas_writer *w, const char *path)
{
	int r = fault_point("swap index");

	if (r < 0)
		return r;
	if (renameat(w->store_fd, path, w->store_fd, INDEX_PATH) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
		return -errno;
	if (syscall(SYS_renameat2, w->store_fd, path, w->store_fd, INDEX_PATH, RENAME_EXCHANGE) < 0)
		return -errno;
	r = fault_point("remove old index");
	return r < 0 ? r : remove_all(w->store_fd, path);
}

int writer_rebuild(struct cas_writer *w, struct diag *d)
{
	_cleanup_(rebuild_done) struct rebuild b = { .w = w, .d = d };
	char path[CAS_PATH_MAX];
	int r;

	writer_temporary(w, path);
	r = fault_point("rebuild index");
	if (r == 0 && mkdirat(w->store_fd, path, 0700) < 0)
		r = -errno;
	if (r == 0)
		r = scan_kind(w->store_fd, "packs", found_pack, &b);
	if (r == 0)
		r = scan_kind(w->store_fd, "objects", found_large, &b);
	if (r == 0)
		r = scan_kind(w->store_fd, "trees", found_tree, &b);
	if (r == 0)
		r = write_index(&b, path);
	if (r == 0)
		r = index_trust(w->store_fd, path, false);
	if (r == 0)
		r = swap_index(w, path);
	if (r < 0) {
		remove_all(w->store_fd, path);
		return writer_failed(d, r, "the store's index cannot be made anew");
	}
	return 0;
}
