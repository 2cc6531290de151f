/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content-addressed store, read side (archive cas-read: this is all that the FUSE server links).
 *
 *	store/version		"1\n"
 *	store/lock		held while the index, roots or files are changed
 *	store/index/		LMDB: objects, packs, trees, facts; and the state it was left in
 *	store/packs/xx/<id>	small objects of one archive, one after the other, with their table
 *	store/objects/xx/<hex>	one large object each (more than TREE_CHUNK bytes)
 *	store/trees/xx/<hex>	one tree each
 *	store/documents/xx/<hex>	facts too large for the index
 *	store/roots/<hex>	what is alive, one file a name
 *	store/leases/<n>	what the sessions that live keep alive
 *	store/staging/<session>-<n>	what is being written
 *	store/quarantine/	what failed its digest
 *
 * Nothing is trusted for being there: every byte handed out was compared with its digest. A handle
 * may be used by several threads at once.
 */
#ifndef CRATONS_CAS_CAS_H
#define CRATONS_CAS_CAS_H

#include "prim/diag.h"
#include "prim/hash.h"
#include "tree/tree.h"

struct cas;

/* Opens the store in `home` (a directory: $CRATONS_HOME). Reading needs it to exist:
 * -ERR_STORE_MISSING; -ERR_STORE_VERSION for another format. */
int cas_open(struct cas **ret, int home_fd, struct diag *d);
void cas_free(struct cas *c);
DEFINE_CLEANUP(struct cas *, cas_free);

/* A tree by its digest, validated once and kept by the handle: borrowed, lives as long as the
 * handle. -ERR_STORE_MISSING; -ERR_DIGEST when it was damaged (a writer will quarantine it). */
int cas_tree(struct cas *c, const struct digest *digest, const struct tree **ret, struct diag *d);
bool cas_has_tree(struct cas *c, const struct digest *digest);

/* Where an object's bytes are: `fd` is borrowed from the handle and stays open with it. */
struct cas_place {
	int fd;
	uint64_t offset;
	uint64_t size;
	bool alone;	/* a file of its own: offset is 0 and the file has exactly `size` bytes */
};
int cas_locate(struct cas *c, const struct digest *object, struct cas_place *ret, struct diag *d);

/*
 * Reads [offset, offset + len) of the file that a tree entry names into `bytes`, verified: a small
 * file against its digest, a large one by the chunks that the range touches. Returns the number of
 * bytes (short only at the end of the file), or -ERR_DIGEST, -ERR_STORE_MISSING, -EIO.
 */
ssize_t cas_read(struct cas *c, const struct tree_entry *file, uint64_t offset, void *bytes,
	size_t len, struct diag *d);

/* The whole file at a path of a tree (not through subtrees), at most `max` bytes (-ERR_LIMIT): -ENOENT
 * when it is not there. */
int cas_slurp_path(struct cas *c, const struct digest *tree, struct str path, struct buf *ret,
	size_t max, struct diag *d);

/*
 * Small facts, each kind its own key space. A fact is a hint that saves work: what it leads to is
 * verified by its digest, so a wrong one costs time, not safety.
 */
enum cas_fact {
	CAS_SOURCE,	/* "npm sha512-…" → digest of the unpacked tree */
	CAS_ENVIRONMENT,/* digest of lockfile, platform, options → digest of the composed tree */
	CAS_BUILD,	/* digest of a script's inputs → digest of the tree it left */
	CAS_DOCUMENT,	/* URL → registry metadata as cached, with its validators */
	CAS_FACTS,
};
/* Appends the value to `ret`: 0 or -ENOENT. */
int cas_fact_get(struct cas *c, enum cas_fact kind, struct str key, struct buf *ret);

#endif
