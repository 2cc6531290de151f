/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index: an LMDB environment in store/index that says where objects are, which trees are
 * complete, and holds the facts. All of it can be made again from packs, objects and trees.
 *
 * LMDB trusts its file: a damaged page can make it read or write anywhere. So the index is opened
 * only while it is as its last writer left it, which store/index/state records (inode, size and
 * times of the file, after every commit, under the store's lock); otherwise it is made anew. The
 * commits are not synced: a crash of the machine is recognized by the boot's id, and costs a rebuild
 * too, unless the file had been synced later.
 *
 * Invariant: a tree in the index is complete: all that it reaches is in the index as well.
 */
#ifndef CRATONS_CAS_INDEX_H
#define CRATONS_CAS_INDEX_H

#include "cas/cas.h"

#include <lmdb.h>
#include <pthread.h>
#include <sys/stat.h>

/* Records as they are in LMDB: this machine's byte order, since LMDB's own pages are so as well. */
struct index_object {
	uint32_t pack;		/* number of the pack; 0: a file of its own */
	uint32_t offset;
	uint64_t size;
};
_Static_assert(sizeof(struct index_object) == 16, "object record");

struct index_pack {
	struct digest id;
	uint64_t bytes;
	uint32_t objects;
	uint32_t zero;
};
_Static_assert(sizeof(struct index_pack) == 48, "pack record");

struct index_tree {
	uint64_t size;
};
_Static_assert(sizeof(struct index_tree) == 8, "tree record");

/* A fact's key is its kind and the BLAKE3 of what the caller calls the key. */
struct fact_key {
	uint8_t kind;
	struct digest hash;
};
_Static_assert(sizeof(struct fact_key) == 33, "fact key");

/* A value of more than FACT_INLINE bytes is a file in store/documents, so that the index stays
 * small; the record then holds its digest and size. The first byte tells. */
#define FACT_INLINE   512
#define FACT_MAX      ((size_t)256 << 20)
#define FACT_HERE     0
#define FACT_DOCUMENT 1
struct fact_document {
	uint8_t where;		/* FACT_DOCUMENT */
	uint8_t zero[7];
	uint64_t size;
	struct digest digest;
};
_Static_assert(sizeof(struct fact_document) == 48, "document record");

struct index_state {
	char magic[8];
	char boot[40];
	uint64_t ino, size;
	int64_t modified, modified_ns, changed, changed_ns;
	uint32_t synced, zero;
	struct digest sum;	/* of what is before it */
};
_Static_assert(sizeof(struct index_state) == 136, "state");
#define INDEX_STATE_MAGIC "CRINDX1"

#define INDEX_IDLE 64

struct index {
	struct index *next;
	unsigned refs;
	pid_t pid;		/* whose handle it is */
	dev_t dev;
	ino_t ino;
	int fd;			/* data.mdb, for fstat */
	MDB_env *env;
	MDB_dbi objects, packs, trees, facts;
	pthread_mutex_t lock;
	MDB_txn *idle[INDEX_IDLE];	/* read transactions that were reset */
	unsigned nidle;
	bool broken;		/* its first pages are damaged: nothing can be looked up */
};

/* The process's one handle of the index at dirfd/path; `create` makes its databases. */
int index_open(struct index **ret, int dirfd, const char *path, bool create, struct diag *d);
void index_unref(struct index *i);
DEFINE_CLEANUP(struct index *, index_unref);

/* Whether this is (still) the index at dirfd/path. */
bool index_is_at(const struct index *i, int dirfd, const char *path);

/* Whether the index at dirfd/path is as its last writer left it. */
bool index_trusted(int dirfd, const char *path, bool *ret_synced);
/* Records that it is, now. */
int index_trust(int dirfd, const char *path, bool synced);

/* A short read transaction, from any thread. */
int index_begin(struct index *i, MDB_txn **ret);
void index_end(struct index *i, MDB_txn *txn);

/* 0, -ENOENT, or -ERR_STORE for a record that is not one. */
int index_get(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, void *ret, size_t len);
/* The same for a record of at most `room` bytes. */
int index_get_some(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, void *ret,
	size_t room, size_t *ret_len);
int index_object(const struct index *i, MDB_txn *txn, const struct digest *d,
	struct index_object *ret);
int index_tree(const struct index *i, MDB_txn *txn, const struct digest *d, struct index_tree *ret);

/* Our code for LMDB's. */
int index_error(int rc);

void fact_key_of(struct fact_key *ret, enum cas_fact kind, struct str key);

#endif
