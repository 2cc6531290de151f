// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gc holds the store's lock from looking at leases and roots to the last removal, so a flush comes
 * wholly before (its trees are pinned) or wholly after (it finds what it needs missing and says
 * -ESTALE). What is dead leaves the index first, trees before objects, then the disk; killed
 * anywhere in between, files are left that nothing refers to, and the next gc removes them.
 *
 * On a full disk LMDB needs room even for removing. So what no index entry names goes first,
 * objects leave the index in small transactions, and store/reserve is given up if need be.
 */
#include "cas/mark.h"
#include "cas/repair.h"
#include "cas/scan.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define QUARANTINE_DAYS	 7
#define DOCUMENT_DAYS	 30
#define DAY		 (24 * 60 * 60)
#define SWEEP_BATCH	 4096	/* objects in one transaction */
#define SPARSE_BYTES	 65536	/* dead bytes that are worth writing a pack anew */

struct pack_life {
	struct index_pack rec;
	uint64_t live;		/* bytes of objects */
	bool known;
};

struct gc {
	struct cas_writer *w;
	struct index *index;
	struct mark mark;
	bool dry;
	struct cas_usage freed;
	struct pack_life *packs;	/* by number */
	uint32_t npacks;
	VEC(struct digest) dead;	/* files to remove once the transaction is through */
	struct set referred;		/* packs and documents that the index names */
	struct diag *d;
};

static void gc_done(struct gc *g)
{
	mark_done(&g->mark);
	free(g->packs);
	vec_done(&g->dead);
	set_done(&g->referred);
}

/* Removes a file, or only counts it: its bytes. */
static int remove_file(struct gc *g, int dirfd, const char *name, uint64_t *ret_bytes)
{
	struct stat st;
	int r = g->dry ? 0 : fault_point("remove file");

	if (r < 0)
		return r;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!g->dry && unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	*ret_bytes += (uint64_t)st.st_size;
	return 0;
}

static int remove_dead(struct gc *g, const char *kind, uint64_t *counter)
{
	char path[CAS_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->dead.n; i++) {
		r = remove_file(g, g->w->store_fd, cas_path(path, kind, &g->dead.v[i]),
			&g->freed.bytes);
		if (counter)
			++*counter;
	}
	g->dead.n = 0;
	return r;
}

/* Walks a database; fn returns 1 to remove the record, -errno to stop. */
typedef int (*sweep_fn)(struct gc *g, const MDB_val *k, const MDB_val *v);

static int sweep_some(struct gc *g, MDB_txn *txn, MDB_dbi dbi, sweep_fn fn, struct buf *from,
	bool *ret_more)
{
	MDB_val k = { from->len, from->data }, v;
	MDB_cursor *cursor;
	size_t seen = 0;
	int r = 0, rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc)
		return index_error(rc);
	rc = mdb_cursor_get(cursor, &k, &v, from->len ? MDB_SET_RANGE : MDB_FIRST);
	for (; !rc && r >= 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (++seen > SWEEP_BATCH)
			break;
		r = fn(g, &k, &v);
		if (r == 1 && !g->dry)
			r = index_error(mdb_cursor_del(cursor, 0));
	}
	*ret_more = !rc && r >= 0;
	if (*ret_more) {
		buf_reset(from);
		r = buf_add(from, k.mv_data, k.mv_size);
	}
	mdb_cursor_close(cursor);
	return r < 0 ? r : rc && rc != MDB_NOTFOUND ? index_error(rc) : 0;
}

static int sweep_batch(struct gc *g, MDB_dbi dbi, sweep_fn fn, struct buf *from, bool *ret_more)
{
	MDB_txn *txn;
	int r;

	if (g->dry) {
		r = index_begin(g->index, &txn);
		if (r == 0) {
			r = sweep_some(g, txn, dbi, fn, from, ret_more);
			index_end(g->index, txn);
		}
		return r;
	}
	r = fault_point("begin sweep");
	if (r == 0)
		r = index_error(mdb_txn_begin(g->index->env, NULL, 0, &txn));
	if (r < 0)
		return r;
	r = sweep_some(g, txn, dbi, fn, from, ret_more);
	if (r == 0)
		return writer_commit(g->w, txn, g->d);
	mdb_txn_abort(txn);
	return r;
}

/* After each transaction the files of what it removed go, so that there is room for the next. */
static int sweep(struct gc *g, MDB_dbi dbi, sweep_fn fn, const char *kind, uint64_t *counter)
{
	_cleanup_buf_ struct buf from = BUF_INIT;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		r = sweep_batch(g, dbi, fn, &from, &more);
		if (r == 0)
			r = remove_dead(g, kind, counter);
		g->dead.n = 0;
	}
	return r;
}

static int sweep_tree(struct gc *g, const MDB_val *k, const MDB_val *v)
{
	struct digest d;

	if (k->mv_size != sizeof(d))
		return 1;
	memcpy(&d, k->mv_data, sizeof(d));
	if (set_has(&g->mark.trees, &d))
		return 0;
	return vec_push(&g->dead, d) < 0 ? -ENOMEM : 1;
}

static int sweep_object(struct gc *g, const MDB_val *k, const MDB_val *v)
{
	struct index_object o;
	struct digest d;

	if (k->mv_size != sizeof(d) || v->mv_size != sizeof(o))
		return 1;
	memcpy(&d, k->mv_data, sizeof(d));
	memcpy(&o, v->mv_data, sizeof(o));
	if (set_has(&g->mark.objects, &d)) {
		if (o.pack && o.pack < g->npacks)
			g->packs[o.pack].live += o.size ? o.size : 1;
		return 0;
	}
	g->freed.objects++;
	if (o.pack)
		return 1;
	g->freed.large++;
	return vec_push(&g->dead, d) < 0 ? -ENOMEM : 1;
}

static int sweep_pack(struct gc *g, const MDB_val *k, const MDB_val *v)
{
	struct index_pack p;
	uint32_t number;

	if (k->mv_size != sizeof(number) || v->mv_size != sizeof(p))
		return 1;
	memcpy(&number, k->mv_data, sizeof(number));
	memcpy(&p, v->mv_data, sizeof(p));
	if (number < g->npacks && g->packs[number].live) {
		g->packs[number].rec = p;
		g->packs[number].known = true;
		return 0;
	}
	return vec_push(&g->dead, p.id) < 0 ? -ENOMEM : 1;
}

static bool document_old(struct gc *g, const struct fact_document *doc)
{
	char path[CAS_PATH_MAX];
	struct stat st;

	if (fstatat(g->w->store_fd, cas_path(path, "documents", &doc->digest), &st, 0) < 0)
		return true;
	return time(NULL) - st.st_mtime > DOCUMENT_DAYS * DAY;
}

/* Facts that lead to a tree live as long as the tree. */
static int sweep_fact(struct gc *g, const MDB_val *k, const MDB_val *v)
{
	const uint8_t *bytes = v->mv_data;
	struct fact_document doc;
	struct digest d;

	if (k->mv_size != sizeof(struct fact_key) || v->mv_size == 0)
		return 1;
	if (v->mv_size == sizeof(doc) && bytes[0] == FACT_DOCUMENT) {
		memcpy(&doc, bytes, sizeof(doc));
		if (document_old(g, &doc))
			return 1;
		return MIN(set_add(&g->referred, &doc.digest), 0);
	}
	if (*(const uint8_t *)k->mv_data == CAS_DOCUMENT || v->mv_size != 1 + sizeof(d))
		return 0;
	memcpy(&d, bytes + 1, sizeof(d));
	return !set_has(&g->mark.trees, &d);
}

struct orphans {
	struct gc *g;
	const char *kind;
};

static bool is_referred(struct gc *g, const char *kind, const struct digest *digest)
{
	struct index_object o;
	MDB_txn *txn;
	int r;

	if (kind[0] == 'p' || kind[0] == 'd')
		return set_has(&g->referred, digest);
	if (kind[0] == 't')
		return set_has(&g->mark.trees, digest) || cas_has_tree(g->w->cas, digest);
	if (index_begin(g->index, &txn) < 0)
		return true;
	r = index_object(g->index, txn, digest, &o);
	index_end(g->index, txn);
	return r != -ENOENT && !(r == 0 && o.pack);
}

/* A session publishes files before it enters them: one that lives may own what is no older than it.
 * What becomes dead in this gc is removed as such, not here. */
static int remove_orphan(void *data, const struct digest *digest, int dirfd, const char *name)
{
	const struct orphans *o = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (nanoseconds(&st.st_ctim) >= o->g->mark.oldest || is_referred(o->g, o->kind, digest))
		return 0;
	return remove_file(o->g, dirfd, name, &o->g->freed.bytes);
}

static int refer_packs(struct gc *g)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_val k, v;
	struct index_pack p;
	int rc, r = index_begin(g->index, &txn);

	if (r < 0)
		return r;
	rc = mdb_cursor_open(txn, g->index->packs, &cursor);
	if (!rc)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; !rc && r >= 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (v.mv_size != sizeof(p))
			continue;
		memcpy(&p, v.mv_data, sizeof(p));
		r = set_add(&g->referred, &p.id);
	}
	mdb_cursor_close(cursor);
	if (r >= 0)
		r = rc == MDB_NOTFOUND ? 0 : index_error(rc);
	if (r == 0)
		r = index_next_pack(g->index, txn, &g->npacks);
	index_end(g->index, txn);
	return r;
}

static int remove_orphans(struct gc *g)
{
	static const char *const kinds[] = { "packs", "objects", "trees" };
	int r = refer_packs(g);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		struct orphans o = { g, kinds[i] };

		r = scan_kind(g->w->store_fd, kinds[i], remove_orphan, &o);
	}
	return r;
}

static int quarantine_old(void *data, int dirfd, const char *name)
{
	struct gc *g = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		time(NULL) - st.st_ctime < QUARANTINE_DAYS * DAY)
		return 0;
	return remove_file(g, dirfd, name, &g->freed.quarantine_bytes);
}

static int staging_bytes(void *data, int dirfd, const char *name)
{
	uint64_t *bytes = data;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	*bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return S_ISDIR(st.st_mode) ? scan_folder(dirfd, name, staging_bytes, data) : 0;
}

static int remove_staged(struct gc *g)
{
	const struct buf *names = &g->mark.dead_staged;
	_cleanup_fd_ int fd = openat(g->w->store_fd, "staging", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	for (size_t at = 0; r == 0 && at < names->len; at += strlen(names->data + at) + 1) {
		staging_bytes(&g->freed.staging_bytes, fd, names->data + at);
		if (g->dry)
			continue;
		r = fault_point("remove staged");
		if (r == 0)
			r = remove_all(fd, names->data + at);
	}
	return r;
}

static int remove_roots(struct gc *g)
{
	const struct buf *names = &g->mark.dead_roots;
	char path[300];
	int r = 0;

	for (size_t at = 0; r == 0 && !g->dry && at < names->len;
		at += strlen(names->data + at) + 1) {
		r = fault_point("remove root");
		snprintf(path, sizeof(path), "roots/%s", names->data + at);
		if (r == 0 && unlinkat(g->w->store_fd, path, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

/* A pack of which less than half is alive is written anew; one that cannot be stays as it is. */
static int rewrite_sparse(struct gc *g)
{
	int r = 0;

	for (uint32_t n = 1; r == 0 && !g->dry && n < g->npacks; n++) {
		const struct pack_life *p = &g->packs[n];

		if (!p->known || p->live * 2 > p->rec.bytes ||
			p->rec.bytes - p->live < SPARSE_BYTES)
			continue;
		r = repair_pack(g->w, n, false, NULL);
		if (r == 0)
			g->freed.bytes += p->rec.bytes - p->live;
		else if (r == -ENOSPC || r == -EDQUOT)
			r = 0;
	}
	return r;
}

static int sweep_all(struct gc *g)
{
	struct orphans documents = { g, "documents" };
	int r = 0;

	g->packs = calloc((size_t)g->npacks + 1, sizeof(*g->packs));
	if (!g->packs)
		return -ENOMEM;
	r = sweep(g, g->index->trees, sweep_tree, "trees", &g->freed.trees);
	if (r == 0)
		r = sweep(g, g->index->facts, sweep_fact, "documents", NULL);
	if (r == 0)
		r = scan_kind(g->w->store_fd, "documents", remove_orphan, &documents);
	if (r == 0)
		r = sweep(g, g->index->objects, sweep_object, "objects", NULL);
	if (r == 0)
		r = sweep(g, g->index->packs, sweep_pack, "packs", &g->freed.packs);
	return r == 0 ? rewrite_sparse(g) : r;
}

static int gc_once(struct gc *g)
{
	int r = remove_staged(g);

	if (r == 0)
		r = remove_roots(g);
	if (r == 0)
		r = scan_folder(g->w->store_fd, "quarantine", quarantine_old, g);
	if (r == 0)
		r = remove_orphans(g);
	return r == 0 ? sweep_all(g) : r;
}

/* Marking again after each damaged tree that was put aside: what it reached cannot be known, and
 * what reached it is no longer complete. Ends, since each time a tree leaves the index. */
static int mark_repairing(struct gc *g)
{
	for (;;) {
		int r = mark_all(&g->mark, g->w);

		if (r < 0 || g->mark.damaged.n == 0 || g->dry)
			return r;
		for (size_t i = 0; r == 0 && i < g->mark.damaged.n; i++)
			r = repair_one(g->w, &g->mark.damaged.v[i], g->d);
		mark_done(&g->mark);
		if (r < 0)
			return r;
	}
}

static int gc_locked(struct cas_writer *w, bool dry, struct cas_usage *freed, struct diag *d)
{
	_cleanup_(gc_done) struct gc g = {
		.w = w, .index = cas_index(w->cas), .dry = dry, .d = d,
	};
	int r = mark_repairing(&g);

	if (r == 0)
		r = gc_once(&g);
	if (r == 0 && freed)
		*freed = g.freed;
	return r;
}

int cas_gc(struct cas_writer *w, const struct cas_gc_options *o, struct cas_usage *freed,
	struct diag *d)
{
	int r = writer_lock(w, d);

	if (r < 0)
		return r;
	r = gc_locked(w, o && o->dry, freed, d);
	if ((r == -ENOSPC || r == -EDQUOT) && unlinkat(w->store_fd, "reserve", 0) == 0)
		r = gc_locked(w, o && o->dry, freed, d);
	if (r == 0 && !(o && o->dry))
		writer_reserve(w);
	writer_unlock(w);
	return r < 0 ? writer_failed(d, r, "the store cannot be cleaned") : 0;
}
