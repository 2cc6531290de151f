// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entering in the index what was queued. The invariant of the index (a tree in it is complete) is
 * established here: in the transaction that enters a tree, all that it reaches is looked up. gc
 * removes files under the lock that a flush holds: what it took before is missing on disk.
 */
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>

struct flush {
	struct cas_writer *w;
	struct queue *q;
	struct index *index;
	MDB_txn *txn;
	uint32_t first_pack;
};

static int enter_packs(struct flush *f)
{
	int r = index_next_pack(f->index, f->txn, &f->first_pack);

	for (size_t i = 0; r == 0 && i < f->q->packs.n; i++) {
		const struct pending_pack *p = &f->q->packs.v[i];
		struct index_pack rec = { .id = p->id, .bytes = p->bytes, .objects = p->objects };
		uint32_t number = f->first_pack + (uint32_t)i;

		if (!writer_on_disk(f->w, "packs", &p->id))
			return -ESTALE;
		r = index_set(f->txn, f->index->packs, &number, sizeof(number), &rec, sizeof(rec), 0);
	}
	return r;
}

/* In the order of their keys, so that pages are touched one after the other. */
static int enter_objects(struct flush *f)
{
	int r = 0;

	if (f->q->objects.n)
		qsort(f->q->objects.v, f->q->objects.n, sizeof(*f->q->objects.v), pending_by_digest);
	for (size_t i = 0; r == 0 && i < f->q->objects.n; i++) {
		const struct pending_object *o = f->q->objects.v[i];
		struct index_object rec = { .offset = o->offset, .size = o->size };

		if (o->pack)
			rec.pack = f->first_pack + o->pack - 1;
		else if (!writer_on_disk(f->w, "objects", &o->digest))
			return -ESTALE;
		r = index_set(f->txn, f->index->objects, &o->digest, sizeof(o->digest), &rec,
			sizeof(rec), MDB_NOOVERWRITE);
	}
	return r;
}

static int enter_trees(struct flush *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->q->trees.n; i++) {
		const struct pending_tree *t = &f->q->trees.v[i];
		struct index_tree rec = { .size = t->size };

		if (!writer_on_disk(f->w, "trees", &t->digest))
			return -ESTALE;
		r = index_set(f->txn, f->index->trees, &t->digest, sizeof(t->digest), &rec,
			sizeof(rec), 0);
		if (r == 0)
			r = lease_pin(f->w, &t->digest, 1);
	}
	return r;
}

static int check_relied(struct flush *f)
{
	vec_foreach(x, &f->q->relies) {
		struct index_object o;
		struct index_tree t;
		int r = x->tree ? index_tree(f->index, f->txn, &x->digest, &t)
				: index_object(f->index, f->txn, &x->digest, &o);

		if (r < 0)
			return r == -ENOENT ? -ESTALE : r;
		if (!x->tree && o.size != x->size)
			return -ERR_TREE;
	}
	return 0;
}

static int enter_facts(struct flush *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->q->facts.n; i++) {
		const struct pending_fact *x = &f->q->facts.v[i];

		r = index_set(f->txn, f->index->facts, &x->key, sizeof(x->key), x->value.p,
			x->value.n, 0);
	}
	return r;
}

static int flush_locked(struct cas_writer *w, struct queue *q, struct diag *d)
{
	struct flush f = { .w = w, .q = q, .index = cas_index(w->cas) };
	int r = fault_point("begin transaction");

	if (r == 0)
		r = index_error(mdb_txn_begin(f.index->env, NULL, 0, &f.txn));
	if (r == 0) {
		r = enter_packs(&f);
		if (r == 0)
			r = enter_objects(&f);
		if (r == 0)
			r = enter_trees(&f);
		if (r == 0)
			r = check_relied(&f);
		if (r == 0)
			r = enter_facts(&f);
		if (r == 0)
			return writer_commit(w, f.txn, d);
		mdb_txn_abort(f.txn);
	}
	if (r == -ERR_TREE)
		return diag_fail(d, r, "a tree names an object with another size");
	if (r == -ESTALE)
		return diag_fail(d, r, "the store was cleaned while it was being filled");
	return writer_failed(d, r, "the store's index cannot be written");
}

/* The queue that this flush has to enter: what an earlier one left, else all that came since. */
static int next_queue(struct cas_writer *w, struct queue **ret)
{
	_cleanup_(queue_free_p) struct queue *fresh = NULL;
	int r = queue_new(&fresh);

	if (r < 0)
		return r;
	pthread_mutex_lock(&w->lock);
	if (!w->flushing) {
		w->flushing = w->queue;
		w->queue = TAKE_PTR(fresh);
	}
	*ret = w->flushing;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static bool queue_empty(const struct queue *q)
{
	return !q->packs.n && !q->objects.n && !q->trees.n && !q->facts.n;
}

/* -ESTALE takes all with it: what came since may rely on what was dropped. */
static void drop_flushing(struct cas_writer *w, bool all)
{
	pthread_mutex_lock(&w->lock);
	queue_free(TAKE_PTR(w->flushing));
	if (all) {
		struct queue *fresh;

		if (queue_new(&fresh) == 0) {
			queue_free(w->queue);
			w->queue = fresh;
		}
	}
	pthread_mutex_unlock(&w->lock);
}

int cas_writer_flush(struct cas_writer *w, struct diag *d)
{
	bool again = true;
	int r = writer_lock(w, d);

	if (r < 0)
		return r;
	while (r == 0 && again) {
		struct queue *q;

		again = w->flushing != NULL;
		r = next_queue(w, &q);
		if (r == 0 && !queue_empty(q))
			r = flush_locked(w, q, d);
		if (r == 0 || r == -ESTALE || r == -ERR_TREE)
			drop_flushing(w, r < 0);
	}
	writer_unlock(w);
	return r;
}

bool cas_writer_want_all(struct cas_writer *w, const struct digest *trees, size_t n)
{
	bool found = true;

	/* Without the lock first: the usual miss should not wait for anybody. */
	for (size_t i = 0; i < n; i++)
		if (!cas_has_tree(w->cas, &trees[i]))
			return false;
	if (writer_lock(w, NULL) < 0)
		return false;
	/* Looked up again under the lock: from here on no gc can take one before it sees the pin. */
	for (size_t i = 0; i < n && found; i++)
		found = cas_has_tree(w->cas, &trees[i]) && writer_on_disk(w, "trees", &trees[i]);
	found = found && lease_pin(w, trees, n) == 0;
	writer_unlock(w);
	return found;
}

bool cas_writer_want(struct cas_writer *w, const struct digest *tree)
{
	return cas_writer_want_all(w, tree, 1);
}
