// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads the whole store. Files are read without the lock, so that installs go on meanwhile; what
 * looks damaged is looked at again under the lock before anything is done about it. Last, the index
 * is compared with what the files say, and made anew if it says anything else.
 */
#include "cas/repair.h"
#include "cas/root.h"
#include "cas/scan.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* That an object is at a place in a pack; for a key, without padding. */
struct spot {
	struct digest object, pack;
	uint32_t offset, size;
};
_Static_assert(sizeof(struct spot) == 72, "spot");

struct verify {
	struct cas_writer *w;
	bool dry;
	cas_bad_fn fn;
	void *data;
	uint64_t checked, bad;
	struct map entries;	/* the struct spot of each object in a pack that is well */
	struct map packs;	/* ids of the packs that are well */
	struct arena arena;
	struct diag *d;
};

static void verify_done(struct verify *v)
{
	map_done(&v->entries);
	map_done(&v->packs);
	arena_done(&v->arena);
}

static void report(struct verify *v, const char *path, const char *why)
{
	v->bad++;
	if (v->fn)
		v->fn(v->data, path, why);
}

static void report_digest(struct verify *v, const char *kind, const struct digest *d,
	const char *why)
{
	char path[CAS_PATH_MAX];

	report(v, cas_path(path, kind, d), why);
}

static int read_pack_object(int fd, const struct pack_entry *e, char *bytes)
{
	struct digest got;
	int r = fd_pread_all(fd, bytes, e->size, e->offset);

	if (r < 0)
		return r;
	got = hash_bytes(bytes, e->size);
	return digest_eq(&got, &e->digest) ? 0 : -ERR_DIGEST;
}

/* The pack's number in the index: 0 or -ENOENT. */
static int pack_number(struct index *index, const struct digest *id, uint32_t *ret)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_val k, v;
	int rc, r = index_begin(index, &txn);

	if (r < 0)
		return r;
	r = -ENOENT;
	rc = mdb_cursor_open(txn, index->packs, &cursor);
	if (!rc)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
	for (; !rc && r == -ENOENT; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (k.mv_size != sizeof(*ret) || v.mv_size != sizeof(struct index_pack) ||
			memcmp(v.mv_data, id, sizeof(*id)) != 0)
			continue;
		memcpy(ret, k.mv_data, sizeof(*ret));
		r = 0;
	}
	mdb_cursor_close(cursor);
	index_end(index, txn);
	return r;
}

static int put_pack_aside(struct verify *v, const struct digest *id, int dirfd, const char *name)
{
	uint32_t number;
	int r;

	if (v->dry)
		return 0;
	r = writer_lock(v->w, v->d);
	if (r < 0)
		return r;
	r = pack_number(cas_index(v->w->cas), id, &number);
	if (r == 0)
		r = repair_pack(v->w, number, true, v->d);
	else if (r == -ENOENT)
		r = scan_put_aside(v->w->store_fd, dirfd, name);
	writer_unlock(v->w);
	return r;
}

static int remember_pack(struct verify *v, const struct pack *p)
{
	struct digest *id = arena_new(&v->arena, struct digest);
	int r;

	if (!id)
		return -ENOMEM;
	*id = p->id;
	r = map_put(&v->packs, digest_key(id), id);
	for (size_t i = 0; r == 0 && i < p->entries.n; i++) {
		const struct pack_entry *e = &p->entries.v[i];
		struct spot *spot = arena_new(&v->arena, struct spot);

		if (!spot)
			return -ENOMEM;
		*spot = (struct spot){ e->digest, p->id, e->offset, e->size };
		r = map_put(&v->entries, str_of(spot, sizeof(*spot)), spot);
	}
	return r;
}

static int verify_pack(void *data, const struct digest *id, int dirfd, const char *name)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(pack_done) struct pack p = { 0 };
	_cleanup_free_ char *bytes = malloc(TREE_CHUNK);
	struct verify *v = data;
	size_t damaged = 0;
	int r;

	if (!bytes)
		return -ENOMEM;
	if (fd < 0 && errno == ENOENT)
		return 0;
	r = fd < 0 ? -errno : pack_read(&p, fd, id);
	if (r < 0) {
		report_digest(v, "packs", id, "the table of the pack is damaged");
		return put_pack_aside(v, id, dirfd, name);
	}
	for (size_t i = 0; i < p.entries.n; i++, v->checked++) {
		char hex[DIGEST_HEX], why[128];

		if (read_pack_object(fd, &p.entries.v[i], bytes) == 0)
			continue;
		damaged++;
		snprintf(why, sizeof(why), "object %s is damaged",
			digest_hex(&p.entries.v[i].digest, hex));
		report_digest(v, "packs", id, why);
	}
	return damaged ? put_pack_aside(v, id, dirfd, name) : remember_pack(v, &p);
}

/* One that no index entry names is not a matter for repair_one. */
static int put_one_aside(struct verify *v, const struct digest *d, int dirfd, const char *name)
{
	int r;

	if (v->dry)
		return 0;
	r = writer_lock(v->w, v->d);
	if (r < 0)
		return r;
	r = repair_one(v->w, d, v->d);
	if (r == 0)
		r = scan_put_aside(v->w->store_fd, dirfd, name);
	writer_unlock(v->w);
	return r;
}

/* What the check of a file of its own said: gone by now, well, or else damaged. */
static int judge(struct verify *v, int r, const char *kind, const struct digest *d, int dirfd,
	const char *name)
{
	char why[64];

	if (r == -ENOENT || r == -ERR_STORE_MISSING)
		return 0;
	v->checked++;
	if (r == 0)
		return 0;
	snprintf(why, sizeof(why), "the %.*s is damaged", (int)strlen(kind) - 1, kind);
	report_digest(v, kind, d, why);
	return put_one_aside(v, d, dirfd, name);
}

static int verify_large(void *data, const struct digest *d, int dirfd, const char *name)
{
	struct verify *v = data;

	return judge(v, check_large(v->w->store_fd, d), "objects", d, dirfd, name);
}

static int verify_tree(void *data, const struct digest *d, int dirfd, const char *name)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;
	struct verify *v = data;

	return judge(v, cas_load_tree(v->w->cas, d, &t, NULL), "trees", d, dirfd, name);
}

static int verify_document(void *data, const struct digest *d, int dirfd, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct verify *v = data;
	struct digest got;
	int r = file_slurp(dirfd, name, &b, FACT_MAX);

	if (r == -ENOENT)
		return 0;
	v->checked++;
	got = hash_bytes(buf_text(&b), b.len);
	if (r == 0 && digest_eq(&got, d))
		return 0;
	report_digest(v, "documents", d, "the document is damaged");
	return v->dry ? 0 : scan_put_aside(v->w->store_fd, dirfd, name);
}

static int verify_root(void *data, int dirfd, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct verify *v = data;
	struct cas_root root;
	char path[300];
	int r = file_slurp(dirfd, name, &b, ROOT_BYTES_MAX);

	if (r == -ENOENT)
		return 0;
	v->checked++;
	if (r == 0 && root_parse(&root, &b) == 0)
		return 0;
	snprintf(path, sizeof(path), "roots/%s", name);
	report(v, path, "the root is damaged: what it kept alive may be removed by gc");
	return v->dry ? 0 : scan_put_aside(v->w->store_fd, dirfd, name);
}

static bool packed_there(struct verify *v, MDB_txn *txn, struct index *index,
	const struct digest *d, const struct index_object *o)
{
	struct spot spot = { .object = *d, .offset = o->offset, .size = (uint32_t)o->size };
	char path[CAS_PATH_MAX];
	struct index_pack p;
	struct stat st;

	if (index_get(txn, index->packs, &o->pack, sizeof(o->pack), &p, sizeof(p)) < 0)
		return false;
	spot.pack = p.id;
	if (map_get(&v->packs, digest_key(&p.id)))
		return o->size <= TREE_CHUNK && map_get(&v->entries, str_of(&spot, sizeof(spot)));
	/* A pack that came after its folder was read is the next verification's; of one that was
	 * found damaged and stays (dry), that was reported. */
	return fstatat(v->w->store_fd, cas_path(path, "packs", &p.id), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool object_there(struct verify *v, MDB_txn *txn, struct index *index,
	const struct digest *d, const struct index_object *o)
{
	char path[CAS_PATH_MAX];
	struct stat st;

	if (o->pack)
		return packed_there(v, txn, index, d, o);
	return fstatat(v->w->store_fd, cas_path(path, "objects", d), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(uint64_t)st.st_size == o->size;
}

static bool tree_there(struct verify *v, MDB_txn *txn, struct index *index, const struct digest *d)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;

	int r = cas_load_tree(v->w->cas, d, &t, NULL);

	/* One that is damaged and still there (dry) was reported. */
	if (r < 0)
		return r != -ERR_STORE_MISSING;
	for (uint32_t i = 0; i < tree_nentries(t); i++) {
		struct index_object o;
		struct index_tree sub;
		struct tree_entry e;

		tree_get(t, i, &e);
		if (e.kind == TREE_FILE && (index_object(index, txn, &e.digest, &o) < 0 ||
			o.size != e.size))
			return false;
		if (e.kind == TREE_SUBTREE && index_tree(index, txn, &e.digest, &sub) < 0)
			return false;
	}
	return true;
}

/* -ERR_STORE: the index says something that is not so. */
static int verify_records(struct verify *v, struct index *index, MDB_txn *txn, MDB_dbi dbi)
{
	MDB_cursor *cursor;
	MDB_val k, val;
	bool good = true;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc)
		return index_error(rc);
	rc = mdb_cursor_get(cursor, &k, &val, MDB_FIRST);
	for (; !rc && good; rc = mdb_cursor_get(cursor, &k, &val, MDB_NEXT)) {
		struct index_object o;
		struct digest d;

		good = k.mv_size == sizeof(d);
		if (!good)
			break;
		memcpy(&d, k.mv_data, sizeof(d));
		if (dbi == index->trees) {
			good = tree_there(v, txn, index, &d);
			continue;
		}
		good = val.mv_size == sizeof(o);
		if (good)
			memcpy(&o, val.mv_data, sizeof(o));
		good = good && object_there(v, txn, index, &d, &o);
	}
	mdb_cursor_close(cursor);
	return !good ? -ERR_STORE : rc == MDB_NOTFOUND ? 0 : index_error(rc);
}

static int verify_index(struct verify *v)
{
	struct index *index;
	MDB_txn *txn;
	int r = writer_lock(v->w, v->d);

	if (r < 0)
		return r;
	index = cas_index(v->w->cas);
	r = index_begin(index, &txn);
	if (r == 0) {
		r = verify_records(v, index, txn, index->objects);
		if (r == 0)
			r = verify_records(v, index, txn, index->trees);
		index_end(index, txn);
	}
	if (r == -ERR_STORE) {
		report(v, INDEX_PATH, "the index names what is not there");
		r = v->dry ? 0 : writer_rebuild(v->w, v->d);
		if (r == 0)
			r = MIN(cas_refresh(v->w->cas, v->d), 0);
	}
	writer_unlock(v->w);
	return r;
}

int cas_verify(struct cas_writer *w, bool dry, cas_bad_fn fn, void *data, uint64_t *ret_checked,
	uint64_t *ret_bad, struct diag *d)
{
	_cleanup_(verify_done) struct verify v = {
		.w = w, .dry = dry, .fn = fn, .data = data, .d = d,
	};
	int r = scan_kind(w->store_fd, "packs", verify_pack, &v);

	if (r == 0)
		r = scan_kind(w->store_fd, "objects", verify_large, &v);
	if (r == 0)
		r = scan_kind(w->store_fd, "trees", verify_tree, &v);
	if (r == 0)
		r = scan_kind(w->store_fd, "documents", verify_document, &v);
	if (r == 0)
		r = scan_folder(w->store_fd, "roots", verify_root, &v);
	if (r == 0)
		r = verify_index(&v);
	if (r < 0)
		return writer_failed(d, r, "the store cannot be verified");
	*ret_checked = v.checked;
	*ret_bad = v.bad;
	return 0;
}
