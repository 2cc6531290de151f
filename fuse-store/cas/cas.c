// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/cas-priv.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>

const char *cas_path(char buf[CAS_PATH_MAX], const char *kind, const struct digest *d)
{
	char hex[DIGEST_HEX];

	digest_hex(d, hex);
	snprintf(buf, CAS_PATH_MAX, "%s/%.2s/%s", kind, hex, hex);
	return buf;
}

int cas_new(struct cas **ret, int store_fd, struct diag *d)
{
	_cleanup_(cas_free_p) struct cas *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->store_fd = fcntl(store_fd, F_DUPFD_CLOEXEC, 3);
	pthread_rwlock_init(&c->lock, NULL);
	if (c->store_fd < 0)
		return -errno;
	r = index_open(&c->index, c->store_fd, INDEX_PATH, false, d);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

void cas_free(struct cas *c)
{
	if (!c)
		return;
	map_foreach(e, &c->files) {
		struct open_file *f = e->value;

		close(f->fd);
		free(f);
	}
	map_foreach(e, &c->trees) {
		struct open_tree *t = e->value;

		tree_free(t->tree);
		free(t);
	}
	vec_foreach(fd, &c->old_files)
		close(*fd);
	vec_foreach(i, &c->old_indexes)
		index_unref(*i);
	vec_done(&c->old_files);
	vec_done(&c->old_indexes);
	map_done(&c->files);
	map_done(&c->trees);
	index_unref(c->index);
	if (c->store_fd >= 0)
		close(c->store_fd);
	pthread_rwlock_destroy(&c->lock);
	free(c);
}

int cas_check_version(int store_fd, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct str text;
	uint64_t version;
	int r = file_slurp(store_fd, "version", &b, 64);

	if (r == -ENOENT)
		return diag_fail(d, -ERR_STORE_MISSING, "there is no store yet");
	if (r < 0)
		return diag_errno(d, r, "the store cannot be read");
	text = buf_str(&b);
	if (str_eq(text, STR(STORE_VERSION)))
		return 0;
	/* A number is another format; anything else is damage, which a writer repairs. */
	if (!str_ends(text, STR("\n")) || str_u64(str_slice(text, 0, text.n - 1), &version) < 0)
		return diag_fail(d, -ERR_STORE, "the store's version cannot be read");
	diag_fail(d, -ERR_STORE_VERSION, "the store has format version %llu, not %s",
		(unsigned long long)version, "1");
	diag_hint(d, "use the cratons that made it, or another CRATONS_HOME");
	return -ERR_STORE_VERSION;
}

/* While a writer holds the lock it has checked the index itself and may be about to change it. */
static int check_index(int store_fd, struct diag *d)
{
	_cleanup_fd_ int fd = -1;

	if (index_trusted(store_fd, INDEX_PATH, NULL))
		return 0;
	fd = openat(store_fd, "lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return diag_errno(d, -errno, "the store cannot be locked");
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 || index_trusted(store_fd, INDEX_PATH, NULL))
		return 0;
	diag_fail(d, -ERR_STORE, "the store's index is not as it was left");
	diag_hint(d, "any command that writes to the store makes it anew: cratons install");
	return -ERR_STORE;
}

int cas_open(struct cas **ret, int home_fd, struct diag *d)
{
	_cleanup_fd_ int store_fd = openat(home_fd, "store", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (store_fd < 0 && errno == ENOENT)
		return diag_fail(d, -ERR_STORE_MISSING, "there is no store yet");
	if (store_fd < 0)
		return diag_errno(d, -errno, "the store cannot be opened");
	r = cas_check_version(store_fd, d);
	if (r == 0)
		r = check_index(store_fd, d);
	return r < 0 ? r : cas_new(ret, store_fd, d);
}

struct index *cas_index(struct cas *c)
{
	struct index *i;

	pthread_rwlock_rdlock(&c->lock);
	i = c->index;
	pthread_rwlock_unlock(&c->lock);
	return i;
}

int cas_refresh(struct cas *c, struct diag *d)
{
	struct index *new = NULL;
	int r = 0;

	pthread_rwlock_wrlock(&c->lock);
	if (!index_is_at(c->index, c->store_fd, INDEX_PATH)) {
		r = index_open(&new, c->store_fd, INDEX_PATH, false, d);
		if (r == 0)
			r = vec_push(&c->old_indexes, c->index);
		if (r == 0) {
			c->index = new;
			r = 1;
		} else {
			index_unref(new);
		}
	}
	pthread_rwlock_unlock(&c->lock);
	return r;
}

static int find_once(struct index *i, const struct digest *object, struct index_object *ret,
	struct index_pack *pack)
{
	MDB_txn *txn;
	int r = index_begin(i, &txn);

	if (r < 0)
		return r;
	r = index_object(i, txn, object, ret);
	if (r == 0 && ret->pack)
		r = index_get(txn, i->packs, &ret->pack, sizeof(ret->pack), pack, sizeof(*pack));
	index_end(i, txn);
	return r;
}

int cas_find(struct cas *c, const struct digest *object, struct index_object *ret,
	struct index_pack *pack)
{
	int r = find_once(cas_index(c), object, ret, pack);

	/* A miss may be that of an index that was replaced. */
	if (r < 0 && cas_refresh(c, NULL) == 1)
		r = find_once(cas_index(c), object, ret, pack);
	return r == -ENOENT ? -ERR_STORE_MISSING : r;
}

/* A mount of a large environment holds more files open than the usual soft limit. */
static int open_many(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct rlimit l;

	if (fd >= 0 || errno != EMFILE)
		return fd < 0 ? -errno : fd;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max)
		return -EMFILE;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int remember_file(struct cas *c, const struct digest *key, int fd, int *ret)
{
	struct open_file *f, *other;
	struct map_entry *e;
	int r = 0;

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->key = *key;
	f->fd = fd;
	pthread_rwlock_wrlock(&c->lock);
	other = map_get(&c->files, digest_key(key));
	if (other) {
		*ret = other->fd;
		close(fd);
		free(f);
	} else {
		e = map_entry(&c->files, digest_key(&f->key));
		if (e) {
			e->value = f;
			*ret = fd;
		} else {
			free(f);
			r = -ENOMEM;
		}
	}
	pthread_rwlock_unlock(&c->lock);
	return r;
}

static int open_stored(struct cas *c, const struct digest *key, const char *kind, int *ret)
{
	char path[CAS_PATH_MAX];
	struct open_file *f;
	int fd = -1, r;

	pthread_rwlock_rdlock(&c->lock);
	f = map_get(&c->files, digest_key(key));
	if (f)
		fd = f->fd;
	pthread_rwlock_unlock(&c->lock);
	if (fd >= 0) {
		*ret = fd;
		return 0;
	}
	fd = open_many(c->store_fd, cas_path(path, kind, key));
	if (fd < 0)
		return fd;
	r = remember_file(c, key, fd, ret);
	if (r < 0)
		close(fd);
	return r;
}

bool cas_reopen(struct cas *c, const struct digest *key, const char *kind)
{
	char path[CAS_PATH_MAX];
	struct stat here, there;
	struct open_file *f;
	bool other = false;
	int fd;

	pthread_rwlock_wrlock(&c->lock);
	f = map_get(&c->files, digest_key(key));
	if (f && fstat(f->fd, &here) == 0 &&
		fstatat(c->store_fd, cas_path(path, kind, key), &there, 0) == 0 &&
		(here.st_ino != there.st_ino || here.st_dev != there.st_dev)) {
		fd = open_many(c->store_fd, path);
		if (fd >= 0 && vec_push(&c->old_files, f->fd) == 0) {
			f->fd = fd;
			other = true;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	pthread_rwlock_unlock(&c->lock);
	return other;
}

int cas_locate(struct cas *c, const struct digest *object, struct cas_place *ret, struct diag *d)
{
	struct index_object o;
	struct index_pack pack;
	int fd = -1, r = -ERR_STORE_MISSING;

	/* Twice: gc may move an object to another pack between finding and opening. */
	for (int i = 0; i < 2; i++) {
		r = cas_find(c, object, &o, &pack);
		if (r < 0)
			break;
		r = o.pack ? open_stored(c, &pack.id, "packs", &fd)
			   : open_stored(c, object, "objects", &fd);
		if (r != -ENOENT)
			break;
		r = -ERR_STORE_MISSING;
	}
	if (r == -ERR_STORE_MISSING) {
		char hex[DIGEST_HEX];

		return diag_fail(d, r, "object %s is not in the store", digest_hex(object, hex));
	}
	if (r < 0)
		return diag_errno(d, r, "an object of the store cannot be opened");
	*ret = (struct cas_place){
		.fd = fd, .offset = o.offset, .size = o.size, .alone = o.pack == 0,
	};
	return 0;
}

int cas_load_tree(struct cas *c, const struct digest *digest, struct tree **ret, struct diag *d)
{
	_cleanup_fd_ int fd = -1;
	char path[CAS_PATH_MAX], hex[DIGEST_HEX];
	int r;

	fd = openat(c->store_fd, cas_path(path, "trees", digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return diag_fail(d, -ERR_STORE_MISSING, "tree %s is not in the store",
			digest_hex(digest, hex));
	if (fd < 0 && errno == ELOOP)
		return diag_fail(d, -ERR_DIGEST, "tree %s is a link", digest_hex(digest, hex));
	if (fd < 0)
		return diag_errno(d, -errno, "tree %s cannot be opened", digest_hex(digest, hex));
	r = tree_map(ret, fd, digest, d);
	if (r < 0)
		diag_context(d, "tree %s", digest_hex(digest, hex));
	return r;
}

static const struct tree *known_tree(struct cas *c, const struct digest *digest)
{
	const struct open_tree *t;

	pthread_rwlock_rdlock(&c->lock);
	t = map_get(&c->trees, digest_key(digest));
	pthread_rwlock_unlock(&c->lock);
	return t ? t->tree : NULL;
}

int cas_tree(struct cas *c, const struct digest *digest, const struct tree **ret, struct diag *d)
{
	_cleanup_(tree_free_p) struct tree *tree = NULL;
	const struct tree *known = known_tree(c, digest);
	struct open_tree *t, *other;
	int r = 0;

	if (known) {
		*ret = known;
		return 0;
	}
	r = cas_load_tree(c, digest, &tree, d);
	if (r < 0)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->key = *digest;
	pthread_rwlock_wrlock(&c->lock);
	other = map_get(&c->trees, digest_key(digest));
	if (other) {
		free(t);
		*ret = other->tree;
	} else {
		r = map_put(&c->trees, digest_key(&t->key), t);
		if (r < 0)
			free(t);
		else
			*ret = t->tree = TAKE_PTR(tree);
	}
	pthread_rwlock_unlock(&c->lock);
	return r;
}

bool cas_has_tree(struct cas *c, const struct digest *digest)
{
	for (int i = 0; i < 2; i++) {
		struct index *index = cas_index(c);
		struct index_tree t;
		MDB_txn *txn;
		int r = index_begin(index, &txn);

		if (r < 0)
			return false;
		r = index_tree(index, txn, digest, &t);
		index_end(index, txn);
		if (r == 0 || cas_refresh(c, NULL) != 1)
			return r == 0;
	}
	return false;
}
