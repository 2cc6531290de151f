// SPDX-License-Identifier: GPL-2.0-or-later
#include "node.h"

#include "base/map.h"
#include "prim/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define INDEX_BITS 24
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define KIND_SHIFT (2 * INDEX_BITS)

/* Records never move, so that a reader needs no lock once it has an index below `n`. */
#define SLAB_BITS  10
#define SLAB_SIZE  (1u << SLAB_BITS)
#define SLABS	   (1u << 12)
#define SLAB_MAX   (SLABS * SLAB_SIZE)	/* about four million places, and as many files */

struct slabs {
	void *v[SLABS];
	_Atomic uint32_t n;
};

/* What makes a place: the entry of the place above that it hangs from; NO_PLACE for the root's. */
#define NO_PLACE UINT32_MAX
struct place_key {
	uint32_t place, entry;
	struct digest tree;
};

struct place {
	struct place_key key;
	uint64_t parent;
	_Atomic(const struct tree *) tree;	/* opened when it is first looked into */
};

/* What makes a file. Size and chunk list are part of it, and not only the digest: an entry that
 * pairs a good digest with other chunks must not get at the pages of the good file, nor lend it
 * its own. */
struct file_key {
	struct digest contents, chunks;
	uint64_t size, executable;
};

struct file {
	struct file_key key;
	const struct digest *chunks;
	uint32_t nchunks;
	uint32_t place, dir, entry;	/* where it was last handed out; under the lock */
	atomic_bool claimed;
};

struct nodes {
	nodes_open_fn open;
	void *data;
	bool only;
	pthread_mutex_t lock;		/* the maps, appending, and a file's last place */
	struct map places_by_key, files_by_key;
	struct slabs places, files;
};

static void *slab_at(struct slabs *s, uint32_t i, size_t size)
{
	if (i >= atomic_load_explicit(&s->n, memory_order_acquire))
		return NULL;
	return (char *)s->v[i >> SLAB_BITS] + size * (i & (SLAB_SIZE - 1));
}

/* The record after the last; it counts once slab_commit was called. */
static void *slab_next(struct slabs *s, size_t size)
{
	uint32_t n = atomic_load_explicit(&s->n, memory_order_relaxed);

	if (n >= SLAB_MAX)
		return NULL;
	if (!s->v[n >> SLAB_BITS])
		s->v[n >> SLAB_BITS] = calloc(SLAB_SIZE, size);
	if (!s->v[n >> SLAB_BITS])
		return NULL;
	return (char *)s->v[n >> SLAB_BITS] + size * (n & (SLAB_SIZE - 1));
}

static uint32_t slab_commit(struct slabs *s)
{
	return atomic_fetch_add_explicit(&s->n, 1, memory_order_release);
}

static void slabs_done(struct slabs *s)
{
	for (size_t i = 0; i < SLABS; i++)
		free(s->v[i]);
}

static uint64_t node_id(enum node_kind kind, uint32_t place, uint32_t i)
{
	return (uint64_t)kind << KIND_SHIFT | (uint64_t)place << INDEX_BITS | i;
}

static uint64_t dir_id(const struct nodes *n, uint32_t place, uint32_t dir)
{
	if (n->only && place == 0 && dir == 0)
		return NODE_ROOT;
	return node_id(NODE_DIR, place, dir);
}

/* The place for a key, made if it is new; `tree` may be NULL: it is opened when it is needed. */
static int place_for(struct nodes *n, const struct place_key *key, uint64_t parent,
	const struct tree *tree, uint32_t *ret)
{
	struct place *p;
	void *known;
	int r = -ENFILE;

	pthread_mutex_lock(&n->lock);
	known = map_get(&n->places_by_key, str_of(key, sizeof(*key)));
	if (known) {
		*ret = (uint32_t)((uintptr_t)known - 1);
		r = 0;
	} else if ((p = slab_next(&n->places, sizeof(*p)))) {
		p->key = *key;
		p->parent = parent;
		atomic_store(&p->tree, tree);
		r = map_put(&n->places_by_key, str_of(&p->key, sizeof(p->key)),
			(void *)((uintptr_t)atomic_load(&n->places.n) + 1));
		if (r == 0)
			*ret = slab_commit(&n->places);
	}
	pthread_mutex_unlock(&n->lock);
	return r;
}

static int place_tree(struct nodes *n, uint32_t place, struct place **ret_place,
	const struct tree **ret)
{
	struct place *p = slab_at(&n->places, place, sizeof(*p));
	const struct tree *tree;
	int r;

	if (!p)
		return -ESTALE;
	tree = atomic_load(&p->tree);
	if (!tree) {
		r = n->open(n->data, &p->key.tree, &tree);
		if (r < 0)
			return r;
		atomic_store(&p->tree, tree);
	}
	*ret_place = p;
	*ret = tree;
	return 0;
}

static struct file_key file_key(const struct tree_entry *e)
{
	struct file_key k = {
		.contents = e->digest,
		.size = e->size,
		.executable = e->executable,
	};

	if (e->nchunks > 0)
		k.chunks = hash_bytes(e->chunks, (size_t)e->nchunks * sizeof(*e->chunks));
	return k;
}

static int file_for(struct nodes *n, const struct tree_entry *e, const struct node_dir *d,
	uint32_t entry, uint32_t *ret)
{
	struct file_key key = file_key(e);
	struct file *f = NULL;
	void *known;
	int r = -ENFILE;

	pthread_mutex_lock(&n->lock);
	known = map_get(&n->files_by_key, str_of(&key, sizeof(key)));
	if (known) {
		*ret = (uint32_t)((uintptr_t)known - 1);
		f = slab_at(&n->files, *ret, sizeof(*f));
		r = 0;
	} else if ((f = slab_next(&n->files, sizeof(*f)))) {
		f->key = key;
		f->chunks = e->chunks;
		f->nchunks = e->nchunks;
		r = map_put(&n->files_by_key, str_of(&f->key, sizeof(f->key)),
			(void *)((uintptr_t)atomic_load(&n->files.n) + 1));
		if (r == 0)
			*ret = slab_commit(&n->files);
	}
	if (r == 0) {
		f->place = d->place;
		f->dir = d->dir;
		f->entry = entry;
	}
	pthread_mutex_unlock(&n->lock);
	return r;
}

/* The node of entry i of the directory's tree, which lies in that directory. */
static int entry_node(struct nodes *n, const struct node_dir *d, uint32_t i, struct node *ret)
{
	struct node node = { 0 };
	struct place_key key = { .place = d->place, .entry = i };
	uint32_t index = i;
	int r = 0;

	tree_get(d->tree, i, &node.entry);
	switch (node.entry.kind) {
	case TREE_DIR:
		node.kind = NODE_DIR;
		node.id = dir_id(n, d->place, node.entry.dir);
		break;
	case TREE_SUBTREE:
		key.tree = node.entry.digest;
		node.kind = NODE_DIR;
		r = place_for(n, &key, dir_id(n, d->place, d->dir), NULL, &index);
		node.id = node_id(NODE_DIR, index, 0);
		break;
	case TREE_SYMLINK:
		node.kind = NODE_LINK;
		node.id = node_id(NODE_LINK, d->place, i);
		break;
	case TREE_FILE:
		node.kind = NODE_FILE;
		r = file_for(n, &node.entry, d, i, &index);
		node.id = (uint64_t)NODE_FILE << KIND_SHIFT | index;
		break;
	default:
		r = -EIO;
	}
	if (r == 0)
		*ret = node;
	return r;
}

static uint32_t id_place(const struct nodes *n, uint64_t id)
{
	return id == NODE_ROOT && n->only ? 0 : (uint32_t)(id >> INDEX_BITS) & INDEX_MASK;
}

static uint32_t id_index(uint64_t id)
{
	return id == NODE_ROOT ? 0 : (uint32_t)id & INDEX_MASK;
}

/* NULL when the number is no file's. */
static struct file *file_of(struct nodes *n, uint64_t id)
{
	uint64_t i = id & ((1ull << KIND_SHIFT) - 1);

	if (id >> KIND_SHIFT != NODE_FILE || i >= SLAB_MAX)
		return NULL;
	return slab_at(&n->files, (uint32_t)i, sizeof(struct file));
}

static int get_file(struct nodes *n, uint64_t id, struct node *ret)
{
	struct file *f = file_of(n, id);

	if (!f)
		return -ESTALE;
	*ret = (struct node){
		.id = id,
		.kind = NODE_FILE,
		.entry = {
			.kind = TREE_FILE,
			.executable = f->key.executable,
			.size = f->key.size,
			.digest = f->key.contents,
			.chunks = f->chunks,
			.nchunks = f->nchunks,
		},
	};
	return 0;
}

static int get_link(struct nodes *n, uint64_t id, struct node *ret)
{
	struct node node = { .id = id, .kind = NODE_LINK };
	const struct tree *tree;
	struct place *p;
	int r = place_tree(n, id_place(n, id), &p, &tree);

	if (r < 0)
		return r;
	if (id_index(id) >= tree_nentries(tree))
		return -ESTALE;
	tree_get(tree, id_index(id), &node.entry);
	if (node.entry.kind != TREE_SYMLINK)
		return -ESTALE;
	*ret = node;
	return 0;
}

/* A directory's attributes need no look into its tree: a listing of a thousand packages opens none
 * of them. What is wrong with the index shows when the directory is used. */
static int get_dir(struct nodes *n, uint64_t id, struct node *ret)
{
	if (id != NODE_ROOT && !slab_at(&n->places, id_place(n, id), sizeof(struct place)))
		return -ESTALE;
	*ret = (struct node){ .id = id, .kind = NODE_DIR };
	return 0;
}

int nodes_get(struct nodes *n, uint64_t id, struct node *ret)
{
	if (id == NODE_ROOT)
		return get_dir(n, id, ret);
	switch (id >> KIND_SHIFT) {
	case NODE_DIR:
		return get_dir(n, id, ret);
	case NODE_LINK:
		return get_link(n, id, ret);
	case NODE_FILE:
		return get_file(n, id, ret);
	default:
		return -ESTALE;
	}
}

int nodes_dir(struct nodes *n, uint64_t id, struct node_dir *ret)
{
	struct node_dir d = { .place = id_place(n, id) };
	uint32_t dir = id_index(id);
	struct place *p;
	int r;

	if (id == NODE_ROOT && !n->only) {
		*ret = (struct node_dir){ .place = NO_PLACE, .parent = NODE_ROOT };
		return 0;
	}
	if (id != NODE_ROOT && id >> KIND_SHIFT != NODE_DIR)
		return id >> KIND_SHIFT == NODE_LINK || id >> KIND_SHIFT == NODE_FILE ? -ENOTDIR : -ESTALE;
	r = place_tree(n, d.place, &p, &d.tree);
	if (r < 0)
		return r;
	if (dir >= tree_ndirs(d.tree))
		return -ESTALE;
	d.first = tree_dir_first(d.tree, dir);
	d.count = tree_dir_count(d.tree, dir);
	d.dir = dir;
	d.parent = dir == 0 ? p->parent : dir_id(n, d.place, tree_dir_parent(d.tree, dir));
	*ret = d;
	return 0;
}

int nodes_entry(struct nodes *n, const struct node_dir *dir, uint32_t i, struct node *ret)
{
	if (!dir->tree || i >= dir->count)
		return -ENOENT;
	return entry_node(n, dir, dir->first + i, ret);
}

/* Names in the root are digests; one is looked for in the store each time until it is there. */
static int lookup_tree(struct nodes *n, struct str name, struct node *ret)
{
	struct place_key key = { .place = NO_PLACE };
	const struct tree *tree;
	uint32_t place;
	int r = digest_parse(&key.tree, name);

	if (r < 0)
		return -ENOENT;
	r = n->open(n->data, &key.tree, &tree);
	if (r < 0)
		return r == -ERR_STORE_MISSING ? -ENOENT : r;
	r = place_for(n, &key, NODE_ROOT, tree, &place);
	if (r < 0)
		return r;
	*ret = (struct node){ .id = node_id(NODE_DIR, place, 0), .kind = NODE_DIR };
	return 0;
}

int nodes_lookup(struct nodes *n, uint64_t id, struct str name, struct node *ret)
{
	struct node_dir d;
	uint32_t i;
	int r = nodes_dir(n, id, &d);

	if (r < 0)
		return r;
	if (!d.tree)
		return lookup_tree(n, name, ret);
	r = tree_find(d.tree, d.dir, name, &i);
	if (r < 0)
		return r;
	return entry_node(n, &d, i, ret);
}

int nodes_neighbours(struct nodes *n, uint64_t id, struct node_dir *ret, uint32_t *ret_i)
{
	struct file *f = file_of(n, id);
	uint32_t place, dir, entry;
	int r;

	if (!f)
		return -ENOENT;
	pthread_mutex_lock(&n->lock);
	place = f->place;
	dir = f->dir;
	entry = f->entry;
	pthread_mutex_unlock(&n->lock);
	r = nodes_dir(n, dir_id(n, place, dir), ret);
	if (r < 0 || entry - ret->first >= ret->count)
		return -ENOENT;
	*ret_i = entry - ret->first;
	return 0;
}

bool nodes_claim(struct nodes *n, uint64_t id)
{
	struct file *f = file_of(n, id);

	return f && !atomic_exchange_explicit(&f->claimed, true, memory_order_relaxed);
}

int nodes_new(struct nodes **ret, nodes_open_fn open, void *data, const struct digest *only)
{
	_cleanup_(nodes_free_p) struct nodes *n = calloc(1, sizeof(*n));
	struct place_key key = { .place = NO_PLACE };
	const struct tree *tree;
	uint32_t place;
	int r;

	if (!n)
		return -ENOMEM;
	pthread_mutex_init(&n->lock, NULL);
	n->open = open;
	n->data = data;
	if (only) {
		key.tree = *only;
		r = open(data, only, &tree);
		if (r == 0)
			r = place_for(n, &key, NODE_ROOT, tree, &place);
		if (r < 0)
			return r;
		n->only = true;
	}
	*ret = TAKE_PTR(n);
	return 0;
}

void nodes_free(struct nodes *n)
{
	if (!n)
		return;
	map_done(&n->places_by_key);
	map_done(&n->files_by_key);
	slabs_done(&n->places);
	slabs_done(&n->files);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
