/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree format: the one kind of object that packages, environments and build outputs are. A tree
 * is one canonical byte string that can be mapped and searched in place; its identity is the BLAKE3
 * of those bytes. The same contents always give the same bytes: entries of a directory are sorted by
 * name (bytewise), there are no times and no owners, and all that is not prescribed is refused on
 * reading. Format: docs/tree-format.md and tree-format.h.
 *
 * Reading never allocates per entry and is safe from several threads at once.
 */
#ifndef CRATONS_TREE_TREE_H
#define CRATONS_TREE_TREE_H

#include "prim/buf.h"
#include "prim/diag.h"
#include "prim/hash.h"

/* Files of more bytes than this carry the digest of each chunk of this size (the last is shorter),
 * so that any part of them can be verified by itself. */
#define TREE_CHUNK ((uint64_t)64 << 10)

#define TREE_NAME_MAX	 255		/* bytes of one name */
#define TREE_PATH_MAX	 4095		/* bytes of a path in a tree, and of a link's target */
#define TREE_ENTRIES_MAX (1u << 24)
#define TREE_DEPTH_MAX	 256

enum tree_kind {
	TREE_FILE = 1,
	TREE_SYMLINK,
	TREE_DIR,
	TREE_SUBTREE,	/* the root directory of another tree */
};

struct tree_entry {
	enum tree_kind kind;
	bool executable;	/* files only */
	struct str name;	/* a NUL follows its bytes, and those of the target */
	uint64_t size;		/* files: bytes */
	struct digest digest;	/* files: of the contents; subtrees: of the tree */
	struct str target;	/* symlinks */
	uint32_t dir;		/* directories: index of the directory */
	/* Files larger than TREE_CHUNK: one digest a chunk, in order. Otherwise NULL and 0. */
	const struct digest *chunks;
	uint32_t nchunks;
};

struct tree;

/*
 * Validates all of `bytes` and, with `expected`, that they have that digest (-ERR_DIGEST); anything
 * that tree_builder_end would not have made is -ERR_TREE. The bytes are borrowed and must stay
 * unchanged. tree_map owns the bytes of a file; the descriptor may be closed afterwards. It copies
 * them: what was verified must not change when the file does, as a mapping would.
 */
int tree_open(struct tree **ret, const void *bytes, size_t len, const struct digest *expected,
	struct diag *d);
int tree_map(struct tree **ret, int fd, const struct digest *expected, struct diag *d);
void tree_free(struct tree *t);
DEFINE_CLEANUP(struct tree *, tree_free);

const struct digest *tree_digest(const struct tree *t);
uint32_t tree_ndirs(const struct tree *t);
uint32_t tree_nentries(const struct tree *t);

/* Directory 0 is the root. The entries of a directory are consecutive: [first, first + count). */
uint32_t tree_dir_first(const struct tree *t, uint32_t dir);
uint32_t tree_dir_count(const struct tree *t, uint32_t dir);
uint32_t tree_dir_parent(const struct tree *t, uint32_t dir);	/* the root's is the root */

/* Decodes entry i < tree_nentries(t). */
void tree_get(const struct tree *t, uint32_t i, struct tree_entry *ret);

/* The entry of a directory with that name: 0 or -ENOENT. */
int tree_find(const struct tree *t, uint32_t dir, struct str name, uint32_t *ret);

/* Follows a relative path from the root through directories (not through links or subtrees):
 * 0, -ENOENT or -ENOTDIR. "" is not found: the root has no entry. */
int tree_lookup(const struct tree *t, struct str path, uint32_t *ret);

/*
 * Building. Paths are relative, '/'-separated, in any order; directories above an entry are made.
 * A path that is empty, absolute, has an empty, "." or ".." part, a NUL, or is too long is -EINVAL;
 * one that is there already, or that lies below something that is not a directory, is -EEXIST
 * (add_dir of a directory is not an error). Strings and chunks are copied.
 */
struct tree_builder;

int tree_builder_new(struct tree_builder **ret);
void tree_builder_free(struct tree_builder *b);
DEFINE_CLEANUP(struct tree_builder *, tree_builder_free);

int tree_builder_file(struct tree_builder *b, struct str path, bool executable, uint64_t size,
	const struct digest *digest, const struct digest *chunks, uint32_t nchunks);
int tree_builder_symlink(struct tree_builder *b, struct str path, struct str target);
int tree_builder_dir(struct tree_builder *b, struct str path);
int tree_builder_subtree(struct tree_builder *b, struct str path, const struct digest *digest);

/* Copies everything of `t` below `path` ("" for the root): the way to merge trees. */
int tree_builder_graft(struct tree_builder *b, struct str path, const struct tree *t);

/* The canonical bytes (appended to an empty `ret`) and their digest. The builder can be freed. */
int tree_builder_end(struct tree_builder *b, struct buf *ret, struct digest *ret_digest);

#endif
