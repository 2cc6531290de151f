// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/env/materialize.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* 26 October 1985, as npm gives to the files that it packs. */
#define FIXED_TIME 499162500
#define WRITE_CHUNK ((size_t)1 << 20)

struct sync {
	struct cas *cas;
	enum materialize_how how;
	struct materialize_result result;
	struct diag *diag;
};

static int fail(struct sync *s, int r, struct str name, const char *what)
{
	if (s->diag && s->diag->code == r)
		return r;
	return diag_errno(s->diag, r, "cannot %s '%.*s'", what, STR_ARG(name));
}

static bool file_is_current(const struct stat *st, const struct tree_entry *e)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == e->size &&
	       st->st_mtim.tv_sec == FIXED_TIME && st->st_mtim.tv_nsec == 0 &&
	       (st->st_mode & 0777) == (e->executable ? 0755u : 0644u);
}

static int copy_bytes(struct sync *s, int fd, const struct tree_entry *e)
{
	_cleanup_free_ char *bytes = malloc(MIN(e->size + 1, (uint64_t)WRITE_CHUNK));

	if (!bytes)
		return -ENOMEM;
	for (uint64_t at = 0; at < e->size;) {
		ssize_t n = cas_read(s->cas, e, at, bytes, WRITE_CHUNK, s->diag);
		int r;

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		r = fd_write_all(fd, bytes, (size_t)n);
		if (r < 0)
			return r;
		at += (uint64_t)n;
	}
	return 0;
}

/* The whole file must be what its name says before its blocks are shared: nobody checks them later. */
static int verify_all(struct sync *s, const struct tree_entry *e)
{
	_cleanup_free_ char *bytes = malloc(WRITE_CHUNK);

	if (!bytes)
		return -ENOMEM;
	for (uint64_t at = 0; at < e->size;) {
		ssize_t n = cas_read(s->cas, e, at, bytes, WRITE_CHUNK, s->diag);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		at += (uint64_t)n;
	}
	return 0;
}

/* 1 when blocks are shared now, 0 when they cannot be. */
static int reflink(struct sync *s, int fd, const struct tree_entry *e)
{
	struct cas_place place;
	int r;

	if (s->how != MATERIALIZE_AUTO && s->how != MATERIALIZE_REFLINK)
		return 0;
	r = cas_locate(s->cas, &e->digest, &place, s->diag);
	if (r < 0 || !place.alone)
		return r;
	if (ioctl(fd, FICLONE, place.fd) < 0) {
		if (s->how == MATERIALIZE_AUTO)
			return 0;
		return diag_errno(s->diag, -errno, "this file system cannot reflink");
	}
	r = verify_all(s, e);
	return r < 0 ? r : 1;
}

static int write_contents(struct sync *s, int fd, const struct tree_entry *e)
{
	struct timespec times[2] = { { FIXED_TIME, 0 }, { FIXED_TIME, 0 } };
	int r = reflink(s, fd, e);

	if (r == 1)
		s->result.shared++;
	else if (r == 0)
		r = copy_bytes(s, fd, e);
	if (r < 0)
		return r;
	if (fchmod(fd, e->executable ? 0755 : 0644) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

/* 1 when it was linked, 0 when it has to be copied: packed, or on another file system. */
static int hardlink_file(struct sync *s, int dirfd, const char *name, const struct tree_entry *e)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct cas_place place;
	struct stat st;
	int r;

	if (s->how != MATERIALIZE_HARDLINK)
		return 0;
	r = cas_locate(s->cas, &e->digest, &place, s->diag);
	if (r < 0 || !place.alone)
		return r;
	/* The store's file has one mode; a command needs another and gets a copy. */
	if (fstat(place.fd, &st) < 0 || e->executable)
		return 0;
	r = verify_all(s, e);
	if (r == 0)
		r = buf_addf(&path, "/proc/self/fd/%d", place.fd);
	if (r < 0)
		return r;
	return linkat(AT_FDCWD, buf_text(&path), dirfd, name, AT_SYMLINK_FOLLOW) == 0;
}

static int write_file(struct sync *s, int dirfd, const char *name, const struct tree_entry *e)
{
	_cleanup_fd_ int fd = -1;
	int r = hardlink_file(s, dirfd, name, e);

	if (r == 1)
		s->result.shared++;
	if (r == 0) {
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			0644);
		r = fd < 0 ? -errno : write_contents(s, fd, e);
	}
	if (r < 0) {
		unlinkat(dirfd, name, 0);
		return r;
	}
	s->result.written++;
	s->result.bytes += e->size;
	return 0;
}

static int sync_file(struct sync *s, int dirfd, const char *name, const struct tree_entry *e)
{
	struct stat st;
	int r;

	s->result.files++;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (file_is_current(&st, e))
			return 0;
		r = remove_all(dirfd, name);
		if (r < 0)
			return r;
	}
	return write_file(s, dirfd, name, e);
}

static int sync_link(struct sync *s, int dirfd, const char *name, const struct tree_entry *e)
{
	_cleanup_free_ char *target = str_dup(e->target);
	char there[TREE_PATH_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, there, sizeof(there));
	int r;

	if (!target)
		return -ENOMEM;
	s->result.files++;
	if (n >= 0 && str_eq(str_of(there, (size_t)n), e->target))
		return 0;
	r = remove_all(dirfd, name);
	if (r < 0)
		return r;
	if (symlinkat(target, dirfd, name) < 0)
		return -errno;
	s->result.written++;
	return 0;
}

static int open_dir(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags), r;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT) {
		r = remove_all(dirfd, name);
		if (r < 0)
			return r;
	}
	if (mkdirat(dirfd, name, 0755) < 0)
		return -errno;
	fd = openat(dirfd, name, flags);
	return fd < 0 ? -errno : fd;
}

static int sync_dir(struct sync *s, int fd, const struct tree *t, uint32_t dir);

static int sync_entry(struct sync *s, int dirfd, const struct tree *t, const struct tree_entry *e)
{
	_cleanup_free_ char *name = str_dup(e->name);
	_cleanup_fd_ int fd = -1;
	const struct tree *sub = t;
	uint32_t dir = e->dir;
	int r = 0;

	if (!name)
		return -ENOMEM;
	if (e->kind == TREE_FILE)
		return sync_file(s, dirfd, name, e);
	if (e->kind == TREE_SYMLINK)
		return sync_link(s, dirfd, name, e);
	if (e->kind == TREE_SUBTREE) {
		r = cas_tree(s->cas, &e->digest, &sub, s->diag);
		dir = 0;
	}
	if (r < 0)
		return r;
	fd = open_dir(dirfd, name);
	return fd < 0 ? fd : sync_dir(s, fd, sub, dir);
}

/* Removes what the tree does not have. Rewinding a second descriptor keeps `fd` where it is. */
static int remove_extra(struct sync *s, int fd, const struct tree *t, uint32_t dir)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *d = again < 0 ? NULL : dir_stream(again);
	const char *name;
	uint32_t at;

	if (!d)
		return -errno;
	while ((r = dir_next(d, &name)) == 1) {
		if (tree_find(t, dir, str_from(name), &at) == 0)
			continue;
		r = remove_all(fd, name);
		if (r < 0)
			break;
		s->result.removed++;
	}
	closedir(d);
	return r;
}

static int sync_dir(struct sync *s, int fd, const struct tree *t, uint32_t dir)
{
	uint32_t first = tree_dir_first(t, dir), n = tree_dir_count(t, dir);
	int r = remove_extra(s, fd, t, dir);

	for (uint32_t i = first; i < first + n && r == 0; i++) {
		struct tree_entry e;

		tree_get(t, i, &e);
		r = sync_entry(s, fd, t, &e);
		if (r < 0)
			return fail(s, r, e.name, "write");
	}
	return r;
}

/*
 * The record that a directory is ours to change: its device and inode. It does not say what is in it:
 * that is always compared.
 */
#define RECORDS ".cratons"

static int record_name(const char *name, struct buf *ret)
{
	return buf_addf(ret, "materialized-%s", name);
}

static bool is_ours(int dirfd, const char *name, const struct stat *st)
{
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT, want = BUF_INIT;
	_cleanup_fd_ int own = dir_open_below(dirfd, RECORDS, 0755);

	return own >= 0 && record_name(name, &path) == 0 &&
	       file_slurp(own, buf_text(&path), &text, 256) == 0 &&
	       buf_addf(&want, "%llu %llu\n", (unsigned long long)st->st_dev,
		       (unsigned long long)st->st_ino) == 0 &&
	       str_eq(buf_str(&text), buf_str(&want));
}

static int record(int dirfd, const char *name, int fd)
{
	_cleanup_buf_ struct buf path = BUF_INIT, text = BUF_INIT;
	struct stat st;
	_cleanup_fd_ int own = dir_open_below(dirfd, RECORDS, 0755);
	int r = own < 0 ? own : fstat(fd, &st) < 0 ? -errno : record_name(name, &path);

	if (r == 0)
		r = buf_addf(&text, "%llu %llu\n", (unsigned long long)st.st_dev,
			(unsigned long long)st.st_ino);
	return r < 0 ? r : file_replace(own, buf_text(&path), text.data, text.len, 0644);
}

static int claim(int dirfd, const char *name, struct diag *d)
{
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_ours(dirfd, name, &st)) {
		/* An empty directory is nobody's, and is made again. */
		if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0) {
			diag_fail(d, -ERR_INSTALL, "'%s' is there and was not made by cratons",
				name);
			return diag_hint(d, "move or remove it, then try again");
		}
	}
	fd = open_dir(dirfd, name);
	return fd < 0 ? diag_errno(d, fd, "cannot make '%s'", name) : fd;
}

int materialize(struct cas *c, int dirfd, const char *name, const struct digest *tree,
	enum materialize_how how, struct materialize_result *ret, struct diag *d)
{
	struct sync s = { .cas = c, .how = how, .diag = d };
	_cleanup_fd_ int fd = -1;
	const struct tree *t;
	int r = cas_tree(c, tree, &t, d);

	if (r < 0)
		return r;
	fd = claim(dirfd, name, d);
	if (fd < 0)
		return fd;
	r = record(dirfd, name, fd);
	if (r == -ENOTDIR || r == -ELOOP)
		return diag_fail(d, -ERR_INSTALL, "the project's .cratons is a link or a file, not a "
			"directory");
	if (r < 0)
		return diag_errno(d, r, "cannot write .cratons");
	r = sync_dir(&s, fd, t, 0);
	if (r == 0)
		*ret = s.result;
	return r;
}
