// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/tree.h"

#include "base/fd.h"
#include "prim/err.h"
#include "tree/tree-format.h"

#include <endian.h>
#include <errno.h>
#include <sys/stat.h>

struct tree {
	const struct tree_disk_dir *dirs;
	const struct tree_disk_entry *entries;
	const struct digest *chunks;
	const char *strings;
	uint32_t ndirs, nentries, nchunks, nstrings;
	struct digest digest;
	void *owned;		/* NULL when the bytes are borrowed */
};

/* Where the one pass over the entries stands: each of these must be met exactly. */
struct check {
	const struct tree *t;
	uint32_t next_dir;
	uint32_t next_chunk;
	uint64_t next_string;
};

static bool take_string(struct check *c, uint32_t at, uint64_t len)
{
	const struct tree *t = c->t;

	if (at != c->next_string || len >= t->nstrings - c->next_string)
		return false;
	/* The NUL that ends it, and none inside. */
	if (memchr(t->strings + at, '\0', len + 1) != t->strings + at + len)
		return false;
	c->next_string += len + 1;
	return true;
}

static bool name_valid(const char *name, size_t len)
{
	if (len == 0 || len > TREE_NAME_MAX || memchr(name, '/', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

static const char *check_file(struct check *c, const struct tree_disk_entry *e)
{
	uint64_t n = tree_chunks_of(le64toh(e->size), TREE_CHUNK);

	if (e->flags & ~TREE_EXECUTABLE)
		return "unknown flags";
	if (le32toh(e->extra) != (n ? c->next_chunk : 0) || n > c->t->nchunks - c->next_chunk)
		return "wrong chunks";
	c->next_chunk += (uint32_t)n;
	return NULL;
}

static const char *check_symlink(struct check *c, const struct tree_disk_entry *e)
{
	uint64_t len = le64toh(e->size);

	if (e->flags || !digest_is_zero(&e->digest))
		return "unused bytes are not zero";
	if (len == 0 || len > TREE_PATH_MAX || !take_string(c, le32toh(e->extra), len))
		return "wrong link target";
	return NULL;
}

static const char *check_dir(struct check *c, const struct tree_disk_entry *e, uint32_t i,
	uint32_t parent)
{
	const struct tree *t = c->t;
	uint32_t depth = le32toh(t->dirs[parent].depth) + 1;
	uint32_t path = le32toh(t->dirs[parent].path);
	const struct tree_disk_dir *dir;

	if (e->flags || e->size || !digest_is_zero(&e->digest))
		return "unused bytes are not zero";
	if (le32toh(e->extra) != c->next_dir || c->next_dir >= t->ndirs)
		return "directories out of order";
	dir = &t->dirs[c->next_dir++];
	if (le32toh(dir->parent) != parent || le32toh(dir->self) != i)
		return "a directory that does not know its place";
	path += (path ? 1 : 0) + le16toh(e->name_len);
	if (le32toh(dir->depth) != depth || le32toh(dir->path) != path)
		return "wrong depth";
	return NULL;
}

static const char *check_entry(struct check *c, uint32_t i, uint32_t dir)
{
	const struct tree_disk_entry *e = &c->t->entries[i];
	uint16_t len = le16toh(e->name_len);
	uint32_t at = le32toh(e->name);
	uint32_t above = le32toh(c->t->dirs[dir].path);

	if (!take_string(c, at, len) || !name_valid(c->t->strings + at, len))
		return "not a name";
	if (above + (above ? 1 : 0) + len > TREE_PATH_MAX)
		return "a path is too long";
	switch (e->kind) {
	case TREE_FILE:
		return check_file(c, e);
	case TREE_SYMLINK:
		return check_symlink(c, e);
	case TREE_DIR:
		return check_dir(c, e, i, dir);
	case TREE_SUBTREE:
		return e->flags || e->size || e->extra ? "unused bytes are not zero" : NULL;
	default:
		return "unknown kind of entry";
	}
}

static struct str name_of(const struct tree *t, uint32_t i)
{
	const struct tree_disk_entry *e = &t->entries[i];

	return str_of(t->strings + le32toh(e->name), le16toh(e->name_len));
}

/* The canonical form leaves nothing to choose, so one pass in order checks all of it: whatever an
 * index could point at has one possible value. */
static const char *check(const struct tree *t)
{
	struct check c = { .t = t, .next_dir = 1 };
	uint32_t next = 0;

	if (t->dirs[0].parent || t->dirs[0].self || t->dirs[0].depth || t->dirs[0].path)
		return "wrong root";
	for (uint32_t d = 0; d < t->ndirs; d++) {
		uint32_t count = le32toh(t->dirs[d].count);

		if (d >= c.next_dir || le32toh(t->dirs[d].first) != next ||
			count > t->nentries - next)
			return "wrong directory";
		if (count && le32toh(t->dirs[d].depth) >= TREE_DEPTH_MAX)
			return "directories are too deep";
		for (uint32_t i = next; i < next + count; i++) {
			const char *why = check_entry(&c, i, d);

			if (why)
				return why;
			if (i > next && str_cmp(name_of(t, i - 1), name_of(t, i)) >= 0)
				return "names are not in order";
		}
		next += count;
	}
	if (next != t->nentries || c.next_dir != t->ndirs || c.next_chunk != t->nchunks ||
		c.next_string != t->nstrings)
		return "bytes that nothing refers to";
	return NULL;
}

static const char *lay_out(struct tree *t, const void *bytes, size_t len)
{
	const struct tree_header *h = bytes;
	static const uint8_t zero[sizeof(h->zero)];
	const char *p = (const char *)bytes + sizeof(*h);
	uint64_t want;

	if (len < sizeof(*h) || memcmp(h->magic, TREE_MAGIC, sizeof(h->magic)) != 0)
		return "not a tree";
	if (len > TREE_BYTES_MAX)
		return "too large";
	t->ndirs = le32toh(h->ndirs);
	t->nentries = le32toh(h->nentries);
	t->nchunks = le32toh(h->nchunks);
	t->nstrings = le32toh(h->strings);
	if (memcmp(h->zero, zero, sizeof(zero)) != 0)
		return "unused bytes are not zero";
	if (t->ndirs == 0 || t->ndirs > TREE_ENTRIES_MAX + 1 || t->nentries > TREE_ENTRIES_MAX ||
		t->nchunks > TREE_CHUNKS_MAX)
		return "counts past their maximum";
	/* Below 2^37: cannot overflow. */
	want = sizeof(*h) + (uint64_t)t->ndirs * sizeof(*t->dirs) +
		(uint64_t)t->nentries * sizeof(*t->entries) +
		(uint64_t)t->nchunks * sizeof(*t->chunks) + t->nstrings;
	if (want != len)
		return "cut short or too long";
	t->dirs = (const void *)p;
	t->entries = (const void *)(t->dirs + t->ndirs);
	t->chunks = (const void *)(t->entries + t->nentries);
	t->strings = (const void *)(t->chunks + t->nchunks);
	return NULL;
}

int tree_open(struct tree **ret, const void *bytes, size_t len, const struct digest *expected,
	struct diag *d)
{
	_cleanup_(tree_free_p) struct tree *t = calloc(1, sizeof(*t));
	const char *why;

	if (!t)
		return -ENOMEM;
	t->digest = hash_bytes(bytes, len);
	if (expected && !digest_eq(&t->digest, expected))
		return diag_fail(d, -ERR_DIGEST, "a tree does not match its digest");
	why = lay_out(t, bytes, len);
	if (!why)
		why = check(t);
	if (why)
		return diag_fail(d, -ERR_TREE, "a tree is malformed: %s", why);
	*ret = TAKE_PTR(t);
	return 0;
}

int tree_map(struct tree **ret, int fd, const struct digest *expected, struct diag *d)
{
	_cleanup_free_ void *bytes = NULL;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return diag_errno(d, -errno, "a tree cannot be read");
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct tree_header) ||
		(uint64_t)st.st_size > TREE_BYTES_MAX)
		return diag_fail(d, expected ? -ERR_DIGEST : -ERR_TREE, "not a tree: %lld bytes",
			(long long)st.st_size);
	bytes = malloc((size_t)st.st_size);
	if (!bytes)
		return -ENOMEM;
	r = fd_pread_all(fd, bytes, (size_t)st.st_size, 0);
	if (r < 0)
		return diag_errno(d, r, "a tree cannot be read");
	r = tree_open(ret, bytes, (size_t)st.st_size, expected, d);
	if (r == 0)
		(*ret)->owned = TAKE_PTR(bytes);
	return r;
}

void tree_free(struct tree *t)
{
	if (t)
		free(t->owned);
	free(t);
}

const struct digest *tree_digest(const struct tree *t)
{
	return &t->digest;
}

uint32_t tree_ndirs(const struct tree *t)
{
	return t->ndirs;
}

uint32_t tree_nentries(const struct tree *t)
{
	return t->nentries;
}

uint32_t tree_dir_first(const struct tree *t, uint32_t dir)
{
	return le32toh(t->dirs[dir].first);
}

uint32_t tree_dir_count(const struct tree *t, uint32_t dir)
{
	return le32toh(t->dirs[dir].count);
}

uint32_t tree_dir_parent(const struct tree *t, uint32_t dir)
{
	return le32toh(t->dirs[dir].parent);
}

void tree_get(const struct tree *t, uint32_t i, struct tree_entry *ret)
{
	const struct tree_disk_entry *e = &t->entries[i];

	*ret = (struct tree_entry){ .kind = e->kind, .name = name_of(t, i), .digest = e->digest };
	switch (ret->kind) {
	case TREE_FILE:
		ret->executable = e->flags & TREE_EXECUTABLE;
		ret->size = le64toh(e->size);
		ret->nchunks = (uint32_t)tree_chunks_of(ret->size, TREE_CHUNK);
		ret->chunks = ret->nchunks ? t->chunks + le32toh(e->extra) : NULL;
		break;
	case TREE_SYMLINK:
		ret->target = str_of(t->strings + le32toh(e->extra), le64toh(e->size));
		break;
	case TREE_DIR:
		ret->dir = le32toh(e->extra);
		break;
	case TREE_SUBTREE:
		break;
	}
}

int tree_find(const struct tree *t, uint32_t dir, struct str name, uint32_t *ret)
{
	uint32_t low = tree_dir_first(t, dir), high = low + tree_dir_count(t, dir);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = str_cmp(name_of(t, middle), name);

		if (order == 0) {
			*ret = middle;
			return 0;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -ENOENT;
}

int tree_lookup(const struct tree *t, struct str path, uint32_t *ret)
{
	uint32_t dir = 0, at = 0;
	int r;

	if (path.n == 0)
		return -ENOENT;
	while (path.p) {
		struct str part = str_cut(&path, '/');

		r = tree_find(t, dir, part, &at);
		if (r < 0)
			return r;
		if (!path.p)
			break;
		if (t->entries[at].kind != TREE_DIR)
			return -ENOTDIR;
		dir = le32toh(t->entries[at].extra);
	}
	*ret = at;
	return 0;
}
