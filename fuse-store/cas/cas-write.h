/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content-addressed store, write side (archive cas-write).
 *
 * A session (struct cas_writer) belongs to one process and holds a lease: until it ends, gc keeps
 * whatever the session put or asked for. Bytes are written to staging, published under their names,
 * then entered in the index in one LMDB transaction, so that kill -9 or a full disk at any instant
 * leaves a store that works and at worst garbage for gc. gc decides and removes index entries in one
 * transaction too, which is what makes it safe beside sessions and mounts in other processes.
 */
#ifndef CRATONS_CAS_CAS_WRITE_H
#define CRATONS_CAS_CAS_WRITE_H

#include "cas/cas.h"

/* Creates the store if it is not there. The session has its own reading handle. */
struct cas_writer;
int cas_writer_open(struct cas_writer **ret, int home_fd, struct diag *d);
void cas_writer_free(struct cas_writer *w);	/* ends the lease; flushes nothing */
DEFINE_CLEANUP(struct cas_writer *, cas_writer_free);
struct cas *cas_writer_cas(struct cas_writer *w);

/* How packs, trees and documents are written, for a caller with a faster way than plain system calls
 * (before the first put): creates dirfd/temporary (O_EXCL, mode 0600), writes all, closes, renames
 * to dirfd/name; on failure nothing of it stays. 0 or -errno, -EAGAIN to have this one written
 * plainly; called from any thread. */
struct cas_io {
	int (*write_file)(void *data, int dirfd, const char *temporary, const char *name,
		const void *bytes, size_t len);
	void *data;
};
void cas_writer_set_io(struct cas_writer *w, const struct cas_io *io);

/* A file as the tree needs it. `chunks` is owned by the put and lives until it is freed. */
struct cas_file {
	struct digest digest;
	uint64_t size;
	const struct digest *chunks;
	uint32_t nchunks;
};

/* Putting the contents of one archive: used by one thread; several puts may run at once. Objects
 * that the store has already are not written again. */
struct cas_put;
int cas_put_new(struct cas_put **ret, struct cas_writer *w);
void cas_put_free(struct cas_put *p);	/* without commit: nothing stays */
DEFINE_CLEANUP(struct cas_put *, cas_put_free);

int cas_put_file(struct cas_put *p, const void *bytes, size_t len, struct cas_file *ret,
	struct diag *d);
/* The same from where `read` gives exactly n bytes a call, or from a descriptor, for what should not be
 * held in memory. */
typedef int (*cas_read_fn)(void *data, void *to, size_t n);
int cas_put_stream(struct cas_put *p, cas_read_fn read, void *data, uint64_t size,
	struct cas_file *ret, struct diag *d);
int cas_put_fd(struct cas_put *p, int fd, uint64_t size, struct cas_file *ret, struct diag *d);

/* Writes pack, large objects and the tree, and queues their index entries; with `source`, also the
 * fact CAS_SOURCE source → tree. They count from the next cas_writer_flush on. */
int cas_put_commit(struct cas_put *p, struct tree_builder *tree, struct str source,
	struct digest *ret_tree, struct diag *d);

/* Queues a fact, or a tree by itself (an environment). */
int cas_writer_fact(struct cas_writer *w, enum cas_fact kind, struct str key, const void *value,
	size_t len);
int cas_writer_tree(struct cas_writer *w, struct tree_builder *tree, struct digest *ret,
	struct diag *d);

/* One transaction for all that was queued; thread-safe. -ESTALE when gc meanwhile took an object that
 * a queued tree relies on: what was queued is dropped, and its packages must be put again. */
int cas_writer_flush(struct cas_writer *w, struct diag *d);

/* Keeps a tree and all that it reaches from gc for as long as the session lives, if it is complete:
 * true only when tree, subtrees and every object are in the index. */
bool cas_writer_want(struct cas_writer *w, const struct digest *tree);
/* All of them, or none is pinned and false. */
bool cas_writer_want_all(struct cas_writer *w, const struct digest *trees, size_t n);

/* Roots: what is alive beyond a session. `name` is an absolute path of a project (or another name);
 * one root a name. */
int cas_root_set(struct cas_writer *w, struct str name, const struct digest *trees, size_t n,
	struct diag *d);
int cas_root_remove(struct cas_writer *w, struct str name, struct diag *d);

struct cas_root {
	struct str name;
	const struct digest *trees;
	size_t n;
};
typedef int (*cas_root_fn)(void *data, const struct cas_root *root);
int cas_root_each(struct cas *c, cas_root_fn fn, void *data);

/* Puts a damaged object or tree aside, so that the next fetch writes it again. */
int cas_quarantine(struct cas_writer *w, const struct digest *what, struct diag *d);

struct cas_usage {
	uint64_t objects, packs, large, trees;	/* numbers */
	uint64_t bytes, staging_bytes, quarantine_bytes;
};
int cas_usage(struct cas *c, struct cas_usage *ret, struct diag *d);

/* Removes what no root and no lease reaches. Roots whose project directory is gone count as dead.
 * With `dry`, only counts. `freed` is what went, or would. */
struct cas_gc_options {
	bool dry;
};
int cas_gc(struct cas_writer *w, const struct cas_gc_options *o, struct cas_usage *freed,
	struct diag *d);

/* Reads everything: every object, tree and index entry against its digest. Damage is reported to fn
 * (path and sentence) and, unless `dry`, put aside; the number is returned in ret_bad. */
typedef void (*cas_bad_fn)(void *data, const char *path, const char *why);
int cas_verify(struct cas_writer *w, bool dry, cas_bad_fn fn, void *data, uint64_t *ret_checked,
	uint64_t *ret_bad, struct diag *d);

#endif
