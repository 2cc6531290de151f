// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "base/map.h"
#include "prim/err.h"
#include "prim/vec.h"
#include "tree/tree-format.h"
#include "tree/tree.h"

#include <endian.h>
#include <errno.h>

struct node {
	struct str name;
	uint32_t parent;	/* node */
	uint32_t depth;
	uint32_t path;		/* bytes */
	uint32_t dir;		/* directories, when ending: index */
	enum tree_kind kind;
	bool executable;
	uint64_t size;
	struct digest digest;
	struct str target;
	const struct digest *chunks;
};

/* Node 0 is the root. Paths point at nodes through the map, as index + 1. */
struct tree_builder {
	struct arena arena;
	struct map paths;
	VEC(struct node) nodes;
	uint64_t nchunks, strings;
	uint32_t ndirs;
};

int tree_builder_new(struct tree_builder **ret)
{
	struct tree_builder *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	r = vec_push(&b->nodes, (struct node){ .kind = TREE_DIR });
	if (r < 0) {
		free(b);
		return r;
	}
	b->ndirs = 1;
	*ret = b;
	return 0;
}

void tree_builder_free(struct tree_builder *b)
{
	if (!b)
		return;
	vec_done(&b->nodes);
	map_done(&b->paths);
	arena_done(&b->arena);
	free(b);
}

static bool part_valid(struct str part)
{
	return part.n > 0 && part.n <= TREE_NAME_MAX && !str_is(part, ".") && !str_is(part, "..");
}

static bool path_valid(struct str path)
{
	uint32_t depth = 0;

	if (path.n == 0 || path.n > TREE_PATH_MAX || memchr(path.p, '\0', path.n))
		return false;
	while (path.p)
		if (!part_valid(str_cut(&path, '/')) || ++depth > TREE_DEPTH_MAX)
			return false;
	return true;
}

/* Where the last name of the path begins. */
static size_t name_at(struct str path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return at;
}

static bool too_large(const struct tree_builder *b)
{
	return b->nodes.n > TREE_ENTRIES_MAX || b->nchunks > TREE_CHUNKS_MAX ||
		sizeof(struct tree_header) + b->ndirs * sizeof(struct tree_disk_dir) +
			b->nodes.n * sizeof(struct tree_disk_entry) +
			b->nchunks * sizeof(struct digest) + b->strings > TREE_BYTES_MAX;
}

/* `path` is in the arena. */
static int add_node(struct tree_builder *b, struct str path, uint32_t parent, struct node n)
{
	int r;

	n.name = str_slice(path, name_at(path), path.n);
	n.parent = parent;
	n.depth = b->nodes.v[parent].depth + 1;
	n.path = (uint32_t)path.n;
	b->strings += n.name.n + 1 + (n.kind == TREE_SYMLINK ? n.target.n + 1 : 0);
	b->nchunks += n.chunks ? tree_chunks_of(n.size, TREE_CHUNK) : 0;
	b->ndirs += n.kind == TREE_DIR;
	if (too_large(b))
		return -ERR_LIMIT;
	r = map_put(&b->paths, path, (void *)(uintptr_t)(b->nodes.n + 1));
	return r < 0 ? r : vec_push(&b->nodes, n);
}

/* The node of the directory `path` (in the arena), made if need be. */
static int need_dir(struct tree_builder *b, struct str path, uint32_t *ret)
{
	uint32_t parent;
	size_t at;
	int r;

	if (path.n == 0) {
		*ret = 0;
		return 0;
	}
	at = (uintptr_t)map_get(&b->paths, path);
	if (at) {
		if (b->nodes.v[at - 1].kind != TREE_DIR)
			return -EEXIST;
		*ret = (uint32_t)(at - 1);
		return 0;
	}
	at = name_at(path);
	r = need_dir(b, str_slice(path, 0, at ? at - 1 : 0), &parent);
	if (r < 0)
		return r;
	r = add_node(b, path, parent, (struct node){ .kind = TREE_DIR });
	if (r < 0)
		return r;
	*ret = (uint32_t)(b->nodes.n - 1);
	return 0;
}

static int add(struct tree_builder *b, struct str path, struct node n)
{
	struct str copy;
	uint32_t parent;
	size_t at;
	int r;

	if (!path_valid(path))
		return -EINVAL;
	if (map_get(&b->paths, path))
		return -EEXIST;
	copy = arena_str(&b->arena, path);
	if (!copy.p)
		return -ENOMEM;
	at = name_at(copy);
	r = need_dir(b, str_slice(copy, 0, at ? at - 1 : 0), &parent);
	return r < 0 ? r : add_node(b, copy, parent, n);
}

int tree_builder_file(struct tree_builder *b, struct str path, bool executable, uint64_t size,
	const struct digest *digest, const struct digest *chunks, uint32_t nchunks)
{
	struct node n = {
		.kind = TREE_FILE, .executable = executable, .size = size, .digest = *digest,
	};
	struct digest *copy;

	if (nchunks != tree_chunks_of(size, TREE_CHUNK))
		return -EINVAL;
	if (nchunks) {
		copy = arena_newn(&b->arena, struct digest, nchunks);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, chunks, nchunks * sizeof(*copy));
		n.chunks = copy;
	}
	return add(b, path, n);
}

int tree_builder_symlink(struct tree_builder *b, struct str path, struct str target)
{
	struct node n = { .kind = TREE_SYMLINK };

	if (target.n == 0 || target.n > TREE_PATH_MAX || memchr(target.p, '\0', target.n))
		return -EINVAL;
	n.target = arena_str(&b->arena, target);
	return n.target.p ? add(b, path, n) : -ENOMEM;
}

int tree_builder_dir(struct tree_builder *b, struct str path)
{
	struct str copy;
	uint32_t node;

	if (!path_valid(path))
		return -EINVAL;
	copy = arena_str(&b->arena, path);
	return copy.p ? need_dir(b, copy, &node) : -ENOMEM;
}

int tree_builder_subtree(struct tree_builder *b, struct str path, const struct digest *digest)
{
	return add(b, path, (struct node){ .kind = TREE_SUBTREE, .digest = *digest });
}

static int graft_entry(struct tree_builder *b, struct str path, const struct tree_entry *e)
{
	switch (e->kind) {
	case TREE_FILE:
		return tree_builder_file(b, path, e->executable, e->size, &e->digest, e->chunks,
			e->nchunks);
	case TREE_SYMLINK:
		return tree_builder_symlink(b, path, e->target);
	case TREE_SUBTREE:
		return tree_builder_subtree(b, path, &e->digest);
	case TREE_DIR:
		return tree_builder_dir(b, path);
	}
	return -EINVAL;
}

/* As deep as the tree: TREE_DEPTH_MAX at most. */
static int graft_dir(struct tree_builder *b, struct buf *path, const struct tree *t, uint32_t dir)
{
	uint32_t first = tree_dir_first(t, dir), count = tree_dir_count(t, dir);
	size_t above = path->len;
	int r = 0;

	for (uint32_t i = first; r == 0 && i < first + count; i++) {
		struct tree_entry e;

		tree_get(t, i, &e);
		path->len = above;
		if (above)
			r = buf_addc(path, '/');
		if (r == 0)
			r = buf_addstr(path, e.name);
		if (r == 0)
			r = graft_entry(b, buf_str(path), &e);
		if (r == 0 && e.kind == TREE_DIR)
			r = graft_dir(b, path, t, e.dir);
	}
	path->len = above;
	return r;
}

int tree_builder_graft(struct tree_builder *b, struct str path, const struct tree *t)
{
	_cleanup_buf_ struct buf at = BUF_INIT;
	int r = 0;

	if (path.n)
		r = tree_builder_dir(b, path);
	if (r == 0)
		r = buf_addstr(&at, path);
	return r < 0 ? r : graft_dir(b, &at, t, 0);
}

static int order(const void *a, const void *b, void *data)
{
	const struct node *nodes = data;

	return str_cmp(nodes[*(const uint32_t *)a].name, nodes[*(const uint32_t *)b].name);
}

/* Nodes by their directory: children of node p are sorted[start[p] .. start[p + 1]). */
static int sort_children(struct tree_builder *b, uint32_t **ret_start, uint32_t **ret_sorted)
{
	size_t n = b->nodes.n;
	uint32_t *start = calloc(n + 2, sizeof(*start));
	uint32_t *sorted = calloc(n + 1, sizeof(*sorted));

	if (!start || !sorted) {
		free(start);
		free(sorted);
		return -ENOMEM;
	}
	/* A counting sort; the places move one to the right while they are filled. */
	for (size_t i = 1; i < n; i++)
		start[b->nodes.v[i].parent + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		start[i] += start[i - 1];
	for (size_t i = 1; i < n; i++)
		sorted[start[b->nodes.v[i].parent + 1]++] = (uint32_t)i;
	for (size_t i = 0; i < n; i++)
		qsort_r(sorted + start[i], start[i + 1] - start[i], sizeof(*sorted), order,
			b->nodes.v);
	*ret_start = start;
	*ret_sorted = sorted;
	return 0;
}

/* The areas of the bytes being made and how far each is filled. */
struct output {
	struct tree_disk_dir *dirs;
	struct tree_disk_entry *entries;
	struct digest *chunks;
	char *strings;
	uint32_t ndirs, nentries, nchunks, nstrings;
};

static uint32_t put_string(struct output *o, struct str s)
{
	uint32_t at = o->nstrings;

	memcpy(o->strings + at, s.p, s.n);
	o->strings[at + s.n] = '\0';
	o->nstrings += (uint32_t)s.n + 1;
	return at;
}

static void put_entry(struct output *o, struct node *n, uint32_t dir)
{
	uint32_t chunks = n->chunks ? (uint32_t)tree_chunks_of(n->size, TREE_CHUNK) : 0;
	struct tree_disk_entry *e = &o->entries[o->nentries];

	e->name = htole32(put_string(o, n->name));
	e->name_len = htole16((uint16_t)n->name.n);
	e->kind = (uint8_t)n->kind;
	e->flags = n->executable ? TREE_EXECUTABLE : 0;
	e->size = htole64(n->kind == TREE_SYMLINK ? n->target.n : n->size);
	e->digest = n->digest;
	if (n->kind == TREE_SYMLINK)
		e->extra = htole32(put_string(o, n->target));
	if (chunks) {
		e->extra = htole32(o->nchunks);
		memcpy(o->chunks + o->nchunks, n->chunks, chunks * sizeof(*o->chunks));
		o->nchunks += chunks;
	}
	if (n->kind == TREE_DIR) {
		n->dir = o->ndirs++;
		e->extra = htole32(n->dir);
		o->dirs[n->dir] = (struct tree_disk_dir){
			.parent = htole32(dir), .self = htole32(o->nentries),
			.depth = htole32(n->depth), .path = htole32(n->path),
		};
	}
	o->nentries++;
}

static int put_all(struct tree_builder *b, struct output *o)
{
	_cleanup_free_ uint32_t *start = NULL, *sorted = NULL;
	_cleanup_free_ uint32_t *queue = calloc(b->ndirs, sizeof(*queue));	/* nodes by index */
	uint32_t queued = 1;
	int r;

	if (!queue)
		return -ENOMEM;
	r = sort_children(b, &start, &sorted);
	if (r < 0)
		return r;
	o->ndirs = 1;
	for (uint32_t d = 0; d < queued; d++) {
		uint32_t from = start[queue[d]], to = start[queue[d] + 1];

		o->dirs[d].first = htole32(o->nentries);
		o->dirs[d].count = htole32(to - from);
		for (uint32_t i = from; i < to; i++) {
			struct node *n = &b->nodes.v[sorted[i]];

			if (n->kind == TREE_DIR)
				queue[queued++] = sorted[i];
			put_entry(o, n, d);
		}
	}
	return 0;
}

int tree_builder_end(struct tree_builder *b, struct buf *ret, struct digest *ret_digest)
{
	size_t nentries = b->nodes.n - 1;
	size_t dirs = sizeof(struct tree_header), entries, chunks, strings, len;
	struct tree_header h = {
		.magic = TREE_MAGIC, .ndirs = htole32(b->ndirs),
		.nentries = htole32((uint32_t)nentries), .nchunks = htole32((uint32_t)b->nchunks),
		.strings = htole32((uint32_t)b->strings),
	};
	struct output o = { 0 };
	int r;

	entries = dirs + b->ndirs * sizeof(struct tree_disk_dir);
	chunks = entries + nentries * sizeof(struct tree_disk_entry);
	strings = chunks + b->nchunks * sizeof(struct digest);
	len = strings + b->strings;
	r = buf_reserve(ret, len);
	if (r < 0)
		return r;
	memset(ret->data, 0, len + 1);
	memcpy(ret->data, &h, sizeof(h));
	o.dirs = (void *)(ret->data + dirs);
	o.entries = (void *)(ret->data + entries);
	o.chunks = (void *)(ret->data + chunks);
	o.strings = ret->data + strings;
	r = put_all(b, &o);
	if (r < 0)
		return r;
	ret->len = len;
	*ret_digest = hash_bytes(ret->data, len);
	return 0;
}
