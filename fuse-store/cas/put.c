// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Putting the contents of one archive. Small objects are gathered in memory and become one pack (or
 * several, PACK_FULL each); large ones go to staging at once. Nothing has its final name before the
 * commit, but packs that filled up, which a put that is given up removes again.
 */
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define READ_SIZE ((size_t)4 * TREE_CHUNK)	/* a multiple of TREE_CHUNK */

/* An object that this put brings. */
struct put_object {
	struct pending_object o;
	const struct digest *chunks;
	unsigned temporary;	/* large ones: their name in staging */
};

struct cas_put {
	struct cas_writer *w;
	struct arena arena;
	struct map own;			/* digest → struct put_object */
	struct pack_builder pack;
	VEC(struct put_object *) objects;
	VEC(struct pending_pack) packs;	/* that were written */
	bool committed;
};

int cas_put_new(struct cas_put **ret, struct cas_writer *w)
{
	struct cas_put *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->w = w;
	*ret = p;
	return 0;
}

static const char *staged(struct cas_put *p, const struct put_object *o, char buf[CAS_PATH_MAX])
{
	snprintf(buf, CAS_PATH_MAX, "staging/%s-%u", p->w->id, o->temporary);
	return buf;
}

static void give_up(struct cas_put *p)
{
	char path[CAS_PATH_MAX];

	vec_foreach(o, &p->objects)
		if (!(*o)->o.pack)
			unlinkat(p->w->store_fd, staged(p, *o, path), 0);
	vec_foreach(pack, &p->packs)
		unlinkat(p->w->store_fd, cas_path(path, "packs", &pack->id), 0);
}

void cas_put_free(struct cas_put *p)
{
	if (!p)
		return;
	if (!p->committed)
		give_up(p);
	vec_done(&p->objects);
	vec_done(&p->packs);
	pack_builder_done(&p->pack);
	map_done(&p->own);
	arena_done(&p->arena);
	free(p);
}

/* In the index, or queued by this process. */
static bool known(struct cas_writer *w, const struct digest *d)
{
	struct index *i = cas_index(w->cas);
	struct index_object o;
	MDB_txn *txn;
	bool found;
	int r;

	pthread_mutex_lock(&w->lock);
	found = map_get(&w->queue->known, digest_key(d)) ||
		(w->flushing && map_get(&w->flushing->known, digest_key(d)));
	pthread_mutex_unlock(&w->lock);
	if (found || index_begin(i, &txn) < 0)
		return found;
	r = index_object(i, txn, d, &o);
	index_end(i, txn);
	return r == 0;
}

static int add_object(struct cas_put *p, const struct digest *d, uint64_t size, uint32_t pack,
	uint32_t offset, struct put_object **ret)
{
	struct put_object *o = arena_new(&p->arena, struct put_object);
	int r;

	if (!o)
		return -ENOMEM;
	o->o = (struct pending_object){ *d, pack, offset, size };
	r = map_put(&p->own, digest_key(&o->o.digest), o);
	if (r == 0)
		r = vec_push(&p->objects, o);
	if (r == 0 && ret)
		*ret = o;
	return r;
}

static int close_pack(struct cas_put *p, struct str source, const struct digest *tree,
	struct diag *d)
{
	struct pending_pack pack = { .objects = (uint32_t)p->pack.table.n };
	int r;

	if (p->pack.table.n == 0)
		return 0;
	r = pack_end(&p->pack, source, tree, &pack.id);
	if (r < 0)
		return r;
	pack.bytes = p->pack.data.len;
	r = writer_publish(p->w, "packs", &pack.id, p->pack.data.data, p->pack.data.len, d);
	if (r == 0)
		r = vec_push(&p->packs, pack);
	pack_builder_done(&p->pack);
	return r;
}

static int put_small(struct cas_put *p, const struct digest *digest, const void *bytes, size_t len,
	struct diag *d)
{
	uint32_t offset;
	int r = pack_add(&p->pack, digest, bytes, len, &offset);

	if (r == 0)
		r = add_object(p, digest, len, (uint32_t)p->packs.n + 1, offset, NULL);
	if (r == 0 && p->pack.data.len >= PACK_FULL)
		r = close_pack(p, (struct str){ 0 }, NULL, d);
	return r;
}

/* A new file in staging; its number is in ret_name. */
static int stage(struct cas_put *p, unsigned *ret_name, int *ret_fd)
{
	char path[CAS_PATH_MAX];
	int fd, r = fault_point("stage object");

	if (r < 0)
		return r;
	*ret_name = atomic_fetch_add(&p->w->next_name, 1);
	snprintf(path, sizeof(path), "staging/%s-%u", p->w->id, *ret_name);
	fd = openat(p->w->store_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static void unstage(struct cas_put *p, unsigned name)
{
	char path[CAS_PATH_MAX];

	snprintf(path, sizeof(path), "staging/%s-%u", p->w->id, name);
	unlinkat(p->w->store_fd, path, 0);
}

static int put_large(struct cas_put *p, const struct digest *digest, const void *bytes, size_t len,
	struct diag *d)
{
	_cleanup_fd_ int fd = -1;
	struct put_object *o;
	unsigned name;
	int r = stage(p, &name, &fd);

	if (r == 0) {
		r = fault_point("write object");
		if (r == 0)
			r = fd_write_all(fd, bytes, len);
		if (r == 0)
			r = add_object(p, digest, len, 0, 0, &o);
		if (r == 0)
			o->temporary = name;
		else
			unstage(p, name);
	}
	return r < 0 ? writer_failed(d, r, "the store cannot be written") : 0;
}

static struct digest *new_chunks(struct cas_put *p, uint64_t size, uint32_t *ret_n)
{
	*ret_n = (uint32_t)((size + TREE_CHUNK - 1) / TREE_CHUNK);
	return arena_newn(&p->arena, struct digest, *ret_n);
}

static void hash_chunks(struct digest *chunks, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += TREE_CHUNK)
		*chunks++ = hash_bytes(bytes + at, MIN((size_t)TREE_CHUNK, len - at));
}

/* What this put brought already under that digest: its chunks need not be computed again. */
static bool put_before(struct cas_put *p, struct cas_file *f)
{
	const struct put_object *o = map_get(&p->own, digest_key(&f->digest));

	if (!o || (f->size > TREE_CHUNK && !o->chunks))
		return false;
	f->chunks = o->chunks;
	f->nchunks = o->chunks ? (uint32_t)((f->size + TREE_CHUNK - 1) / TREE_CHUNK) : 0;
	return true;
}

static void remember_chunks(struct cas_put *p, const struct cas_file *f)
{
	struct put_object *o = map_get(&p->own, digest_key(&f->digest));

	if (o)
		o->chunks = f->chunks;
}

int cas_put_file(struct cas_put *p, const void *bytes, size_t len, struct cas_file *ret,
	struct diag *d)
{
	struct cas_file f = { .digest = hash_bytes(bytes, len), .size = len };
	struct digest *chunks;
	int r = 0;

	if (put_before(p, &f)) {
		*ret = f;
		return 0;
	}
	if (len > TREE_CHUNK) {
		f.chunks = chunks = new_chunks(p, len, &f.nchunks);
		if (!chunks)
			return -ENOMEM;
		hash_chunks(chunks, bytes, len);
	}
	if (!known(p->w, &f.digest))
		r = len > TREE_CHUNK ? put_large(p, &f.digest, bytes, len, d)
				     : put_small(p, &f.digest, bytes, len, d);
	if (r < 0)
		return r;
	remember_chunks(p, &f);
	*ret = f;
	return 0;
}

/* Copies to staging while hashing: what comes as a stream can be read only once. */
static int copy_hashed(cas_read_fn from, void *data, int to, uint64_t size, struct digest *chunks,
	struct digest *ret)
{
	_cleanup_free_ char *bytes = malloc(READ_SIZE);
	struct hasher h;

	if (!bytes)
		return -ENOMEM;
	hash_init(&h);
	while (size > 0) {
		size_t n = (size_t)MIN((uint64_t)READ_SIZE, size);
		int r = from(data, bytes, n);

		if (r == 0)
			r = fault_point("write object");
		if (r == 0)
			r = fd_write_all(to, bytes, n);
		if (r < 0)
			return r;
		hash_add(&h, bytes, n);
		hash_chunks(chunks, bytes, n);
		chunks += n / TREE_CHUNK;
		size -= n;
	}
	*ret = hash_end(&h);
	return 0;
}

static int put_stream_large(struct cas_put *p, cas_read_fn from, void *data, uint64_t size,
	struct cas_file *ret)
{
	_cleanup_fd_ int fd = -1;
	struct cas_file f = { .size = size };
	struct digest *chunks = new_chunks(p, size, &f.nchunks);
	struct put_object *o;
	unsigned name;
	int r;

	if (!chunks)
		return -ENOMEM;
	f.chunks = chunks;
	r = stage(p, &name, &fd);
	if (r < 0)
		return r;
	r = copy_hashed(from, data, fd, size, chunks, &f.digest);
	if (r == 0 && !map_get(&p->own, digest_key(&f.digest)) && !known(p->w, &f.digest)) {
		r = add_object(p, &f.digest, size, 0, 0, &o);
		if (r == 0) {
			o->temporary = name;
			o->chunks = chunks;
			*ret = f;
			return 0;
		}
	}
	unstage(p, name);
	if (r == 0)
		*ret = f;
	return r;
}

int cas_put_stream(struct cas_put *p, cas_read_fn from, void *data, uint64_t size,
	struct cas_file *ret, struct diag *d)
{
	_cleanup_free_ char *bytes = NULL;
	int r;

	if (size > TREE_CHUNK * (uint64_t)UINT32_MAX)
		return -ERR_LIMIT;
	if (size > TREE_CHUNK) {
		r = put_stream_large(p, from, data, size, ret);
		/* The source may have said already what was wrong with it. */
		if (r == 0 || (d && d->code == r))
			return r;
		return writer_failed(d, r, "a file cannot be copied into the store");
	}
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return -ENOMEM;
	r = from(data, bytes, (size_t)size);
	if (r == 0)
		return cas_put_file(p, bytes, (size_t)size, ret, d);
	return d && d->code == r ? r : diag_errno(d, r, "a file cannot be read");
}

static int read_fd(void *data, void *to, size_t n)
{
	return fd_read_all(*(int *)data, to, n);
}

int cas_put_fd(struct cas_put *p, int fd, uint64_t size, struct cas_file *ret, struct diag *d)
{
	return cas_put_stream(p, read_fd, &fd, size, ret, d);
}

static int rely_on(struct queue *q, const struct tree *t, const struct map *own, struct diag *d)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < tree_nentries(t); i++) {
		const struct put_object *o;
		struct tree_entry e;

		tree_get(t, i, &e);
		if (e.kind == TREE_SUBTREE)
			r = queue_rely(q, &e.digest, 0, true);
		if (e.kind != TREE_FILE)
			continue;
		o = own ? map_get(own, digest_key(&e.digest)) : NULL;
		if (!o)
			r = queue_rely(q, &e.digest, e.size, false);
		else if (o->o.size != e.size)
			r = diag_fail(d, -ERR_TREE, "'%.*s' has another size in its tree",
				STR_ARG(e.name));
	}
	return r;
}

/* Writes a tree and fills `q` with what it brings and needs. */
static int put_tree(struct cas_writer *w, struct queue *q, const struct buf *bytes,
	const struct digest *digest, const struct map *own, struct diag *d)
{
	_cleanup_(tree_free_p) struct tree *t = NULL;
	int r = tree_open(&t, bytes->data, bytes->len, NULL, d);

	if (r == 0)
		r = rely_on(q, t, own, d);
	/* One that is there is not written again. If gc takes it now, the flush says so. */
	if (r == 0 && !(cas_has_tree(w->cas, digest) && writer_on_disk(w, "trees", digest)))
		r = writer_publish(w, "trees", digest, bytes->data, bytes->len, d);
	return r < 0 ? r : queue_tree(q, digest, bytes->len);
}

/* Moves all of `from` behind `to`; on failure `to` may have a part of it, which does no harm: what
 * was queued is on disk. Trees come last, so that none is there without what it brought. */
static int join(struct queue *to, const struct queue *from)
{
	uint32_t packs = (uint32_t)to->packs.n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->packs.n; i++)
		r = vec_push(&to->packs, from->packs.v[i]);
	for (size_t i = 0; r == 0 && i < from->objects.n; i++) {
		struct pending_object o = *from->objects.v[i];

		if (o.pack)
			o.pack += packs;
		r = queue_object(to, &o);
	}
	for (size_t i = 0; r == 0 && i < from->relies.n; i++)
		r = vec_push(&to->relies, from->relies.v[i]);
	for (size_t i = 0; r == 0 && i < from->trees.n; i++)
		r = vec_push(&to->trees, from->trees.v[i]);
	for (size_t i = 0; r == 0 && i < from->facts.n; i++)
		r = queue_fact(to, &from->facts.v[i].key, from->facts.v[i].value.p,
			from->facts.v[i].value.n);
	return r;
}

static int enqueue(struct cas_writer *w, const struct queue *q)
{
	int r;

	pthread_mutex_lock(&w->lock);
	r = join(w->queue, q);
	pthread_mutex_unlock(&w->lock);
	return r;
}

static int publish_objects(struct cas_put *p, struct queue *q, struct diag *d)
{
	char path[CAS_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->objects.n; i++) {
		const struct put_object *o = p->objects.v[i];

		if (!o->o.pack)
			r = writer_publish_staged(p->w, staged(p, o, path), "objects",
				&o->o.digest, d);
		if (r == 0)
			r = queue_object(q, &o->o);
	}
	for (size_t i = 0; r == 0 && i < p->packs.n; i++)
		r = vec_push(&q->packs, p->packs.v[i]);
	return r;
}

int cas_put_commit(struct cas_put *p, struct tree_builder *tree, struct str source,
	struct digest *ret_tree, struct diag *d)
{
	_cleanup_(queue_free_p) struct queue *q = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct fact_key key;
	struct digest digest;
	int r = queue_new(&q);

	if (source.n > PACK_SOURCE_MAX)
		return diag_fail(d, -ERR_LIMIT, "the name of a source is too long");
	if (r == 0)
		r = tree_builder_end(tree, &bytes, &digest);
	if (r == 0)
		r = close_pack(p, source, &digest, d);
	if (r == 0)
		r = publish_objects(p, q, d);
	if (r == 0)
		r = put_tree(p->w, q, &bytes, &digest, &p->own, d);
	if (r == 0 && source.n) {
		uint8_t value[1 + sizeof(digest)] = { FACT_HERE };

		memcpy(value + 1, &digest, sizeof(digest));
		fact_key_of(&key, CAS_SOURCE, source);
		r = queue_fact(q, &key, value, sizeof(value));
	}
	if (r == 0)
		r = enqueue(p->w, q);
	if (r < 0)
		return r;
	p->committed = true;
	*ret_tree = digest;
	return 0;
}

int cas_writer_tree(struct cas_writer *w, struct tree_builder *tree, struct digest *ret,
	struct diag *d)
{
	_cleanup_(queue_free_p) struct queue *q = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct digest digest;
	int r = queue_new(&q);

	if (r == 0)
		r = tree_builder_end(tree, &bytes, &digest);
	if (r == 0)
		r = put_tree(w, q, &bytes, &digest, NULL, d);
	if (r == 0)
		r = enqueue(w, q);
	if (r == 0)
		*ret = digest;
	return r;
}

int cas_writer_fact(struct cas_writer *w, enum cas_fact kind, struct str key, const void *value,
	size_t len)
{
	_cleanup_(queue_free_p) struct queue *q = NULL;
	uint8_t here[1 + FACT_INLINE] = { FACT_HERE };
	struct fact_document doc = { .where = FACT_DOCUMENT, .size = len };
	struct fact_key k;
	int r = queue_new(&q);

	if (r < 0)
		return r;
	if (len > FACT_MAX)
		return -ERR_LIMIT;
	fact_key_of(&k, kind, key);
	if (len <= FACT_INLINE) {
		if (len)
			memcpy(here + 1, value, len);
		r = queue_fact(q, &k, here, len + 1);
	} else {
		doc.digest = hash_bytes(value, len);
		r = writer_publish(w, "documents", &doc.digest, value, len, NULL);
		if (r == 0)
			r = queue_fact(q, &k, &doc, sizeof(doc));
	}
	return r < 0 ? r : enqueue(w, q);
}
