// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fd.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

int fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_pwrite_all(int fd, const void *bytes, size_t len, off_t at)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, void *bytes, size_t len)
{
	char *p = bytes;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_pread_all(int fd, void *bytes, size_t len, off_t at)
{
	char *p = bytes;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_slurp(int fd, struct buf *ret, size_t max)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;
	size_t room = 4096;

	b.max = max;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if ((uint64_t)st.st_size > max)
			return -ERR_LIMIT;
		room = (size_t)st.st_size + 1;
	}
	for (;;) {
		ssize_t n;
		int r;

		if (b.len > max)
			return -ERR_LIMIT;
		b.max = max + 1;
		r = buf_reserve(&b, MIN(room, max + 1 - b.len));
		if (r < 0)
			return r;
		n = read(fd, b.data + b.len, b.cap - b.len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		b.len += (size_t)n;
		if (b.len > max)
			return -ERR_LIMIT;
		room = MAX((size_t)4096, b.len / 2);
	}
	b.data[b.len] = '\0';
	buf_done(ret);
	b.max = ret->max;
	*ret = b;
	b = (struct buf)BUF_INIT;
	return 0;
}

int file_slurp(int dirfd, const char *path, struct buf *ret, size_t max)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return fd_slurp(fd, ret, max);
}

int file_replace(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	r = buf_addf(&name, "%s.%016llx.tmp", path, (unsigned long long)random);
	if (r < 0)
		return r;
	fd = openat(dirfd, buf_text(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	if (fstatat(dirfd, path, &st, 0) == 0 && S_ISREG(st.st_mode))
		(void)!fchmod(fd, st.st_mode & 07777);
	r = fd_write_all(fd, bytes, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, buf_text(&name), dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, buf_text(&name), 0);
	return r;
}

int dir_make_all(int dirfd, const char *path, mode_t mode)
{
	_cleanup_free_ char *copy = NULL;

	if (mkdirat(dirfd, path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	copy = str_dup(str_from(path));
	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int dir_open_below(int dirfd, const char *path, mode_t mode)
{
	struct str rest = str_from(path);
	_cleanup_fd_ int at = -1;

	while (rest.p) {
		_cleanup_free_ char *name = str_dup(str_cut(&rest, '/'));
		int from = at < 0 ? dirfd : at, next;

		if (!name)
			return -ENOMEM;
		if (mkdirat(from, name, mode) < 0 && errno != EEXIST)
			return -errno;
		next = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		fd_closep(&at);
		at = next;
	}
	return TAKE_FD(at);
}

DIR *dir_stream(int fd)
{
	DIR *dir = fdopendir(fd);
	int error = errno;

	if (!dir)
		close(fd);
	errno = error;
	return dir;
}

int dir_next(DIR *dir, const char **ret_name)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(dir);
		if (!e)
			return -errno;
	} while (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
	*ret_name = e->d_name;
	return 1;
}
