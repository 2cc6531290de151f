// SPDX-License-Identifier: GPL-2.0-or-later
/* The session: creating the store, its lock, its lease, and writing files into it. */
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

/* Older than the kernel keeps dirty pages, so that syncing waits for nothing. */
#define SETTLED_AFTER 60
#define RESERVE	      (1 << 20)

static int lock_file(int fd, int how)
{
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int writer_failed(struct diag *d, int code, const char *doing)
{
	diag_errno(d, code, "%s", doing);
	if (code == -ENOSPC || code == -EDQUOT)
		diag_hint(d, "make room (cratons gc removes what nothing uses), then try again");
	return code;
}

static int make_store(int store_fd, struct diag *d)
{
	static const char *const folders[] = { "packs", "objects", "trees", "documents", "roots",
		"leases", "staging", "quarantine" };
	int version = cas_check_version(store_fd, d), r;

	if (version < 0 && version != -ERR_STORE_MISSING && version != -ERR_STORE)
		return version;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		r = version ? fault_point("create folder") : 0;
		if (r < 0 || (mkdirat(store_fd, folders[i], 0700) < 0 && errno != EEXIST))
			return writer_failed(d, r < 0 ? r : -errno, "the store cannot be created");
	}
	if (version == 0)
		return 0;
	r = fault_point("create version");
	if (r == 0)
		r = file_replace(store_fd, "version", STORE_VERSION, strlen(STORE_VERSION), 0600);
	return r < 0 ? writer_failed(d, r, "the store cannot be created") : 0;
}

static int open_files(struct cas_writer *w, int home_fd)
{
	if (mkdirat(home_fd, "store", 0700) < 0 && errno != EEXIST)
		return -errno;
	w->store_fd = openat(home_fd, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->store_fd < 0)
		return -errno;
	w->lock_fd = openat(w->store_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return w->lock_fd < 0 ? -errno : 0;
}

/* An index whose commits the kernel has long written out is synced for next to nothing; it then
 * survives a crash of the machine. */
static void settle(struct cas_writer *w)
{
	struct index *i = cas_index(w->cas);
	struct stat st;

	if (fstat(i->fd, &st) < 0 || time(NULL) - st.st_mtime < SETTLED_AFTER)
		return;
	if (mdb_env_sync(i->env, 1) == 0)
		(void)!index_trust(w->store_fd, INDEX_PATH, true);
}

void writer_reserve(struct cas_writer *w)
{
	static const char page[4096] = { 1 };	/* not zeros: these may be stored as nothing */
	_cleanup_fd_ int fd = -1;
	int r = 0;

	if (faccessat(w->store_fd, "reserve", F_OK, 0) == 0)
		return;
	fd = openat(w->store_fd, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; fd >= 0 && r == 0 && i < RESERVE / (int)sizeof(page); i++)
		r = fd_write_all(fd, page, sizeof(page));
	if (r < 0)
		unlinkat(w->store_fd, "reserve", 0);
}

static int open_locked(struct cas_writer *w, struct diag *d)
{
	bool synced = false;
	int r = make_store(w->store_fd, d);

	if (r < 0)
		return r;
	r = lease_begin(w);
	/* Even what makes room needs a little. */
	if ((r == -ENOSPC || r == -EDQUOT) && unlinkat(w->store_fd, "reserve", 0) == 0) {
		lease_end(w);
		r = lease_begin(w);
	}
	if (r < 0)
		return writer_failed(d, r, "a session with the store cannot be begun");
	if (!index_trusted(w->store_fd, INDEX_PATH, &synced))
		r = writer_rebuild(w, d);
	if (r == 0)
		r = cas_new(&w->cas, w->store_fd, d);
	if (r == 0) {
		writer_reserve(w);
		if (!synced)
			settle(w);
	}
	return r;
}

int cas_writer_open(struct cas_writer **ret, int home_fd, struct diag *d)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->store_fd = w->lock_fd = w->lease_fd = -1;
	pthread_mutex_init(&w->exclusive, NULL);
	pthread_mutex_init(&w->lock, NULL);
	r = queue_new(&w->queue);
	if (r == 0)
		r = open_files(w, home_fd);
	if (r == 0)
		r = lock_file(w->lock_fd, LOCK_EX);
	if (r < 0)
		return writer_failed(d, r, "the store cannot be opened for writing");
	r = open_locked(w, d);
	flock(w->lock_fd, LOCK_UN);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

void cas_writer_free(struct cas_writer *w)
{
	if (!w)
		return;
	queue_free(w->queue);
	queue_free(w->flushing);
	cas_free(w->cas);
	lease_end(w);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
	if (w->store_fd >= 0)
		close(w->store_fd);
	pthread_mutex_destroy(&w->exclusive);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct cas *cas_writer_cas(struct cas_writer *w)
{
	return w->cas;
}

int writer_lock(struct cas_writer *w, struct diag *d)
{
	int r;

	pthread_mutex_lock(&w->exclusive);
	r = lock_file(w->lock_fd, LOCK_EX);
	if (r == 0 && !index_trusted(w->store_fd, INDEX_PATH, NULL))
		r = writer_rebuild(w, d);
	else if (r < 0)
		diag_errno(d, r, "the store cannot be locked");
	if (r == 0)
		r = cas_refresh(w->cas, d);
	if (r < 0)
		writer_unlock(w);
	return MIN(r, 0);
}

void writer_unlock(struct cas_writer *w)
{
	flock(w->lock_fd, LOCK_UN);
	pthread_mutex_unlock(&w->exclusive);
}

int writer_commit(struct cas_writer *w, MDB_txn *txn, struct diag *d)
{
	int r = fault_point("commit");

	if (r < 0) {
		mdb_txn_abort(txn);
		return writer_failed(d, r, "the store's index cannot be written");
	}
	r = index_error(mdb_txn_commit(txn));
	/* A failed commit may have written pages that nothing refers to: that is the state now. */
	if (r == 0)
		r = fault_point("record state");
	if (r == 0 || r == -ENOSPC)
		r = MIN(r, index_trust(w->store_fd, INDEX_PATH, false));
	return r < 0 ? writer_failed(d, r, "the store's index cannot be written") : 0;
}

int index_set(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len, const void *value,
	size_t len, unsigned flags)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, v = { len, (void *)(uintptr_t)value };
	int rc = mdb_put(txn, dbi, &k, &v, flags);

	return rc == MDB_KEYEXIST ? 0 : index_error(rc);
}

int index_next_pack(const struct index *i, MDB_txn *txn, uint32_t *ret)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	uint32_t last = 0;
	int rc = mdb_cursor_open(txn, i->packs, &cursor);

	if (rc)
		return index_error(rc);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	if (!rc && k.mv_size == sizeof(last))
		memcpy(&last, k.mv_data, sizeof(last));
	mdb_cursor_close(cursor);
	if (rc && rc != MDB_NOTFOUND)
		return index_error(rc);
	if (last == UINT32_MAX)
		return -ENOSPC;
	*ret = last + 1;
	return 0;
}

const char *writer_temporary(struct cas_writer *w, char buf[CAS_PATH_MAX])
{
	snprintf(buf, CAS_PATH_MAX, "staging/%s-%u", w->id, atomic_fetch_add(&w->next_name, 1));
	return buf;
}

/* No fsync: after a crash of the machine a file may be torn, but every read is verified, so that a
 * torn one is found, put aside and fetched again; and the index is made anew anyway. */
static int write_plainly(int dirfd, const char *temporary, const char *name, const void *bytes,
	size_t len)
{
	_cleanup_fd_ int fd = -1;
	int r = fault_point("create file");

	if (r < 0)
		return r;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fault_point("write file");
	if (r == 0)
		r = fd_write_all(fd, bytes, len);
	if (r == 0)
		r = fault_point("publish file");
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}

void cas_writer_set_io(struct cas_writer *w, const struct cas_io *io)
{
	w->io = *io;
}

/* The 256 folders of a kind are made when they are needed: most sessions write to few of them. */
static int make_folder(struct cas_writer *w, const char *path)
{
	char folder[CAS_PATH_MAX];
	/* Counted whether it is there or not: that follows from names which are random. */
	int r = fault_point("create folder");

	if (r < 0)
		return r;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (faccessat(w->store_fd, folder, F_OK, 0) == 0)
		return 0;
	return mkdirat(w->store_fd, folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int writer_publish(struct cas_writer *w, const char *kind, const struct digest *name,
	const void *bytes, size_t len, struct diag *d)
{
	char temporary[CAS_PATH_MAX], path[CAS_PATH_MAX];
	int r;

	writer_temporary(w, temporary);
	r = make_folder(w, cas_path(path, kind, name));
	if (r < 0)
		return writer_failed(d, r, "the store cannot be written");
	if (w->io.write_file)
		r = w->io.write_file(w->io.data, w->store_fd, temporary, path, bytes, len);
	if (!w->io.write_file || r == -EAGAIN)
		r = write_plainly(w->store_fd, temporary, path, bytes, len);
	return r < 0 ? writer_failed(d, r, "the store cannot be written") : 0;
}

int writer_publish_staged(struct cas_writer *w, const char *temporary, const char *kind,
	const struct digest *name, struct diag *d)
{
	char path[CAS_PATH_MAX];
	int r = make_folder(w, cas_path(path, kind, name));

	if (r == 0)
		r = fault_point("publish object");
	if (r == 0 && renameat(w->store_fd, temporary, w->store_fd, path) < 0)
		r = -errno;
	return r < 0 ? writer_failed(d, r, "the store cannot be written") : 0;
}

bool writer_on_disk(struct cas_writer *w, const char *kind, const struct digest *name)
{
	char path[CAS_PATH_MAX];

	return faccessat(w->store_fd, cas_path(path, kind, name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
