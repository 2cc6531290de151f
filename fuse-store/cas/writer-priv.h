/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The write side's own parts: the session, its queue, the store's lock. */
#ifndef CRATONS_CAS_WRITER_PRIV_H
#define CRATONS_CAS_WRITER_PRIV_H

#include "cas/cas-priv.h"
#include "cas/cas-write.h"
#include "cas/pack.h"

#include "base/arena.h"

#include <stdatomic.h>

/*
 * The file of a lease: a header, then the digests of the trees that the session keeps alive. Its name
 * is that of its slot, its session's name is made from slot and id.
 */
struct lease_header {
	char magic[8];
	int64_t start;		/* nanoseconds, by the file system's clock */
	uint64_t id;
	uint64_t zero;
};
_Static_assert(sizeof(struct lease_header) == sizeof(struct digest), "lease header");
#define LEASE_MAGIC    "CRLEASE"
#define LEASE_MAX      ((size_t)256 << 20)
#define LEASE_NAME_MAX 32

static inline int64_t nanoseconds(const struct timespec *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

struct pending_object {
	struct digest digest;
	uint32_t pack;		/* 1 + index into the queue's packs; 0: a file of its own */
	uint32_t offset;
	uint64_t size;
};

struct pending_pack {
	struct digest id;
	uint64_t bytes;
	uint32_t objects;
};

struct pending_tree {
	struct digest digest;
	uint64_t size;
};

/* What a queued tree needs and the queue does not bring: must be in the index when it is flushed. */
struct relied {
	struct digest digest;
	uint64_t size;
	bool tree;
};

struct pending_fact {
	struct fact_key key;
	struct str value;	/* as in the index */
};

/* What the next transaction enters. */
struct queue {
	struct arena arena;
	struct map known;	/* digest → struct pending_object */
	VEC(struct pending_object *) objects;
	VEC(struct pending_pack) packs;
	VEC(struct pending_tree) trees;
	VEC(struct relied) relies;
	VEC(struct pending_fact) facts;
};

struct cas_writer {
	struct cas *cas;
	int store_fd;
	int lock_fd;
	int lease_fd;
	char id[LEASE_NAME_MAX];	/* of the session: what it stages is staging/<id>-<n> */
	struct cas_io io;
	atomic_uint next_name;
	pthread_mutex_t exclusive;	/* with the lock: flock does not tell threads apart */
	pthread_mutex_t lock;		/* of the two queues */
	struct queue *queue;
	struct queue *flushing;		/* being entered, or left by a flush that failed */
};

/*
 * The store's lock: one process at a time changes the index, publishes a root, or removes files.
 * Taking it also makes sure of the index: one that is not as it was left is made anew.
 */
int writer_lock(struct cas_writer *w, struct diag *d);
void writer_unlock(struct cas_writer *w);
static inline void writer_unlockp(struct cas_writer **w)
{
	if (*w)
		writer_unlock(*w);
}

/* Commits and records the state; the transaction is gone either way. */
int writer_commit(struct cas_writer *w, MDB_txn *txn, struct diag *d);
int index_set(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, const void *value,
	size_t len, unsigned flags);
/* The number for the next pack. */
int index_next_pack(const struct index *i, MDB_txn *txn, uint32_t *ret);

/* "staging/<id>-<n>", a name not used before. */
const char *writer_temporary(struct cas_writer *w, char buf[CAS_PATH_MAX]);
/* Writes <kind>/<xx>/<digest>, replacing what is there. */
int writer_publish(struct cas_writer *w, const char *kind, const struct digest *name,
	const void *bytes, size_t len, struct diag *d);
/* Moves a file that was staged to its name. */
int writer_publish_staged(struct cas_writer *w, const char *temporary, const char *kind,
	const struct digest *name, struct diag *d);
bool writer_on_disk(struct cas_writer *w, const char *kind, const struct digest *name);
int writer_failed(struct diag *d, int code, const char *doing);

/* Makes the index anew from what is on disk; the lock is held. */
int writer_rebuild(struct cas_writer *w, struct diag *d);

/* Makes sure of store/reserve: room that gc can give up on a full disk. */
void writer_reserve(struct cas_writer *w);

/* The lock is held in all of these. */
int lease_begin(struct cas_writer *w);
void lease_end(struct cas_writer *w);
/* Pins trees for the session. */
int lease_pin(struct cas_writer *w, const struct digest *trees, size_t n);

void lease_name(char buf[LEASE_NAME_MAX], unsigned slot, uint64_t id);

/* For qsort of pointers: LMDB is filled in the order of its keys. */
int pending_by_digest(const void *a, const void *b);

int queue_new(struct queue **ret);
void queue_free(struct queue *q);
DEFINE_CLEANUP(struct queue *, queue_free);
int queue_tree(struct queue *q, const struct digest *d, uint64_t size);
int queue_rely(struct queue *q, const struct digest *d, uint64_t size, bool tree);
int queue_object(struct queue *q, const struct pending_object *o);
int queue_fact(struct queue *q, const struct fact_key *key, const void *value, size_t len);

#endif
