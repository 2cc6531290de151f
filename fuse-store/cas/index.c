// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/index.h"

#include "base/fd.h"
#include "cas/guard.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Address space, not disk: 64 GiB of index hold some 500 million objects, so it never has to grow
 * while others have it mapped. Where the address space is limited, a smaller one must do. */
#define MAP_SIZE     ((size_t)64 << 30)
#define MAP_SIZE_MIN ((size_t)1 << 30)
#define MAX_READERS  1022

/* LMDB locks with fcntl: closing one handle of an environment would drop the locks of every other
 * in the process, so there is one handle for each, shared and counted. A fork's child must not use
 * its parent's (lmdb.h): to it they are as if they were not there, and it opens its own. */
static struct index *indexes;
static pthread_mutex_t indexes_lock = PTHREAD_MUTEX_INITIALIZER;

int index_error(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	default:
		return rc > 0 ? -rc : -ERR_STORE;
	}
}

static void index_close(struct index *i)
{
	for (unsigned n = 0; n < i->nidle; n++)
		mdb_txn_abort(i->idle[n]);
	if (i->env)
		mdb_env_close(i->env);
	if (i->fd >= 0)
		close(i->fd);
	pthread_mutex_destroy(&i->lock);
	free(i);
}
DEFINE_CLEANUP(struct index *, index_close);

static int open_databases(struct index *i, bool create)
{
	unsigned flags = create ? MDB_CREATE : 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(i->env, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (rc)
		return index_error(rc);
	rc = mdb_dbi_open(txn, "objects", flags, &i->objects);
	if (!rc)
		rc = mdb_dbi_open(txn, "packs", flags | MDB_INTEGERKEY, &i->packs);
	if (!rc)
		rc = mdb_dbi_open(txn, "trees", flags, &i->trees);
	if (!rc)
		rc = mdb_dbi_open(txn, "facts", flags, &i->facts);
	if (!rc)
		return index_error(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? -ERR_STORE : index_error(rc);
}

/* LMDB's assertions are about its file, not about our use of it. */
static void failed_assertion(MDB_env *env, const char *what)
{
	guard_leave();
}

static int open_env(struct index *i, const char *path)
{
	int rc = ENOMEM;

	for (size_t size = MAP_SIZE; rc == ENOMEM && size >= MAP_SIZE_MIN; size /= 4) {
		if (i->env)
			mdb_env_close(i->env);
		i->env = NULL;
		rc = mdb_env_create(&i->env);
		if (rc)
			break;
		mdb_env_set_assert(i->env, failed_assertion);
		mdb_env_set_maxdbs(i->env, 8);
		mdb_env_set_maxreaders(i->env, MAX_READERS);
		mdb_env_set_mapsize(i->env, size);
		rc = mdb_env_open(i->env, path, MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
	}
	return index_error(rc);
}

static int index_new(struct index **ret, int dirfd, const char *path, bool create, struct diag *d)
{
	_cleanup_(index_close_p) struct index *i = calloc(1, sizeof(*i));
	char full[64], data[64];
	struct stat st;
	int dead, r;

	if (!i)
		return -ENOMEM;
	i->fd = -1;
	i->refs = 1;
	i->pid = getpid();
	pthread_mutex_init(&i->lock, NULL);
	/* LMDB wants a path; this one stays right wherever the process and the store go. */
	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, path);
	snprintf(data, sizeof(data), "%s/data.mdb", path);
	r = open_env(i, full);
	if (r == 0) {
		mdb_reader_check(i->env, &dead);
		r = open_databases(i, create);
	}
	if (r < 0)
		return diag_errno(d, r, "the store's index cannot be opened");
	i->fd = openat(dirfd, data, O_RDONLY | O_CLOEXEC);
	if (i->fd < 0 || fstat(i->fd, &st) < 0)
		return diag_errno(d, -errno, "the store's index cannot be opened");
	i->dev = st.st_dev;
	i->ino = st.st_ino;
	*ret = TAKE_PTR(i);
	return 0;
}

bool index_is_at(const struct index *i, int dirfd, const char *path)
{
	char data[64];
	struct stat st;

	snprintf(data, sizeof(data), "%s/data.mdb", path);
	return fstatat(dirfd, data, &st, 0) == 0 && st.st_dev == i->dev && st.st_ino == i->ino;
}

int index_open(struct index **ret, int dirfd, const char *path, bool create, struct diag *d)
{
	pid_t pid = getpid();
	struct index *i;
	int r = 0;

	pthread_mutex_lock(&indexes_lock);
	for (i = indexes; i; i = i->next)
		if (i->pid == pid && index_is_at(i, dirfd, path))
			break;
	if (i) {
		i->refs++;
	} else {
		r = index_new(&i, dirfd, path, create, d);
		if (r == 0) {
			i->next = indexes;
			indexes = i;
		}
	}
	pthread_mutex_unlock(&indexes_lock);
	if (r == 0)
		*ret = i;
	return r;
}

void index_unref(struct index *i)
{
	if (!i)
		return;
	pthread_mutex_lock(&indexes_lock);
	if (--i->refs == 0) {
		struct index **at = &indexes;

		while (*at != i)
			at = &(*at)->next;
		*at = i->next;
		index_close(i);
	}
	pthread_mutex_unlock(&indexes_lock);
}

/* The part of a state that follows from the file and the boot. */
static int state_now(int dirfd, const char *path, struct index_state *ret)
{
	_cleanup_fd_ int boot = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	struct index_state s = { .magic = INDEX_STATE_MAGIC };
	char data[64];
	struct stat st;

	snprintf(data, sizeof(data), "%s/data.mdb", path);
	if (fstatat(dirfd, data, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ERR_STORE;
	if (boot >= 0 && read(boot, s.boot, sizeof(s.boot) - 1) < 0)
		return -errno;
	s.ino = st.st_ino;
	s.size = (uint64_t)st.st_size;
	s.modified = st.st_mtim.tv_sec;
	s.modified_ns = st.st_mtim.tv_nsec;
	s.changed = st.st_ctim.tv_sec;
	s.changed_ns = st.st_ctim.tv_nsec;
	*ret = s;
	return 0;
}

static struct digest state_sum(const struct index_state *s)
{
	return hash_bytes(s, offsetof(struct index_state, sum));
}

bool index_trusted(int dirfd, const char *path, bool *ret_synced)
{
	_cleanup_fd_ int fd = -1;
	struct index_state now, then;
	struct digest sum;
	char name[64];

	snprintf(name, sizeof(name), "%s/state", path);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fd_pread_all(fd, &then, sizeof(then), 0) < 0 ||
		state_now(dirfd, path, &now) < 0)
		return false;
	sum = state_sum(&then);
	if (!digest_eq(&sum, &then.sum))
		return false;
	if (then.synced)
		memcpy(now.boot, then.boot, sizeof(now.boot));
	now.synced = then.synced;
	if (ret_synced)
		*ret_synced = then.synced;
	return memcmp(&now, &then, offsetof(struct index_state, sum)) == 0;
}

int index_trust(int dirfd, const char *path, bool synced)
{
	_cleanup_fd_ int fd = -1;
	struct index_state s;
	char name[64];
	int r = state_now(dirfd, path, &s);

	if (r < 0)
		return r;
	s.synced = synced;
	s.sum = state_sum(&s);
	snprintf(name, sizeof(name), "%s/state", path);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd_pwrite_all(fd, &s, sizeof(s), 0);
}

struct begin {
	struct index *i;
	MDB_txn *txn;
};

static int begin(void *data)
{
	struct begin *b = data;

	if (b->txn)
		return index_error(mdb_txn_renew(b->txn));
	return index_error(mdb_txn_begin(b->i->env, NULL, MDB_RDONLY, &b->txn));
}

int index_begin(struct index *i, MDB_txn **ret)
{
	struct begin b = { .i = i };
	bool renewed, broken;
	int r;

	pthread_mutex_lock(&i->lock);
	broken = i->broken;
	if (!broken && i->nidle > 0)
		b.txn = i->idle[--i->nidle];
	pthread_mutex_unlock(&i->lock);
	if (broken)
		return -ERR_STORE;
	renewed = b.txn != NULL;
	r = guard_run(begin, &b);
	if (r < 0) {
		if (renewed)
			mdb_txn_abort(b.txn);
		/* Each further try would leak what LMDB was in the middle of. */
		pthread_mutex_lock(&i->lock);
		i->broken = r == -ERR_STORE;
		pthread_mutex_unlock(&i->lock);
		return r;
	}
	*ret = b.txn;
	return 0;
}

void index_end(struct index *i, MDB_txn *txn)
{
	mdb_txn_reset(txn);
	pthread_mutex_lock(&i->lock);
	if (i->nidle < INDEX_IDLE) {
		i->idle[i->nidle++] = txn;
		txn = NULL;
	}
	pthread_mutex_unlock(&i->lock);
	if (txn)
		mdb_txn_abort(txn);
}

struct get {
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key;
	void *ret;
	size_t len;		/* in: room; out: bytes */
};

static int get(void *data)
{
	struct get *g = data;
	MDB_val v;
	int rc = mdb_get(g->txn, g->dbi, &g->key, &v);

	if (rc)
		return index_error(rc);
	if (v.mv_size > g->len)
		return -ERR_STORE;
	memcpy(g->ret, v.mv_data, v.mv_size);
	g->len = v.mv_size;
	return 0;
}

int index_get_some(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, void *ret,
	size_t room, size_t *ret_len)
{
	struct get g = { txn, dbi, { key_len, (void *)(uintptr_t)key }, ret, room };
	int r = guard_run(get, &g);

	if (r == 0)
		*ret_len = g.len;
	return r;
}

int index_get(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, void *ret, size_t len)
{
	size_t got = 0;
	int r = index_get_some(txn, dbi, key, key_len, ret, len, &got);

	return r < 0 ? r : got == len ? 0 : -ERR_STORE;
}

int index_object(const struct index *i, MDB_txn *txn, const struct digest *d,
	struct index_object *ret)
{
	return index_get(txn, i->objects, d, sizeof(*d), ret, sizeof(*ret));
}

int index_tree(const struct index *i, MDB_txn *txn, const struct digest *d, struct index_tree *ret)
{
	return index_get(txn, i->trees, d, sizeof(*d), ret, sizeof(*ret));
}

void fact_key_of(struct fact_key *ret, enum cas_fact kind, struct str key)
{
	ret->kind = (uint8_t)kind;
	ret->hash = hash_bytes(key.p, key.n);
}
