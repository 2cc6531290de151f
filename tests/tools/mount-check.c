// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mount-check erofs ATTEMPT DIR		the attempt at DIR/file (DIR/dir, DIR/new) fails with EROFS
 * mount-check attempts			prints the names of all attempts
 * mount-check seekdir DIR N		DIR has N entries, and each offset of telldir leads back
 * mount-check mmap FILE OTHER		FILE, mapped, has the bytes of OTHER
 * mount-check opens DIR N		N threads read DIR/file at once and agree
 * mount-check expect ERRNO FILE	reading FILE fails with that error; no byte came before it
 *
 * Exits with 0 if so; otherwise says why.
 */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static int at;	/* the directory that attempts are made in */

static int try_open(const char *name, int flags)
{
	_cleanup_fd_ int fd = openat(at, name, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : 0;
}

static int try_write(void)
{
	return try_open("file", O_WRONLY);
}

static int try_append(void)
{
	return try_open("file", O_RDWR | O_APPEND);
}

static int try_open_truncate(void)
{
	return try_open("file", O_RDONLY | O_TRUNC);
}

static int try_create(void)
{
	return try_open("new", O_RDWR | O_CREAT | O_EXCL);
}

static int try_tmpfile(void)
{
	return try_open(".", O_RDWR | O_TMPFILE);
}

static int try_unlink(void)
{
	return unlinkat(at, "file", 0);
}

static int try_rmdir(void)
{
	return unlinkat(at, "dir", AT_REMOVEDIR);
}

static int try_rename(void)
{
	return renameat(at, "file", at, "new");
}

static int try_chmod(void)
{
	return fchmodat(at, "file", 0777, 0);
}

static int try_chown(void)
{
	return fchownat(at, "file", geteuid(), getegid(), 0);
}

static int in_place(int (*call)(const char *path))
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/file", at);
	return call(path);
}

static int truncate_path(const char *path)
{
	return truncate(path, 0);
}

static int try_truncate(void)
{
	return in_place(truncate_path);
}

static int try_utimes(void)
{
	return utimensat(at, "file", NULL, 0);
}

static int set_xattr(const char *path)
{
	return setxattr(path, "user.x", "x", 1, 0);
}

static int try_setxattr(void)
{
	return in_place(set_xattr);
}

static int remove_xattr(const char *path)
{
	return removexattr(path, "user.x");
}

static int try_removexattr(void)
{
	return in_place(remove_xattr);
}

static int try_mkdir(void)
{
	return mkdirat(at, "new", 0700);
}

static int try_link(void)
{
	return linkat(at, "file", at, "new", 0);
}

static int try_symlink(void)
{
	return symlinkat("file", at, "new");
}

static int try_fifo(void)
{
	return mknodat(at, "new", S_IFIFO | 0600, 0);
}

static const struct {
	const char *name;
	int (*fn)(void);
} attempts[] = {
	{ "write", try_write }, { "append", try_append }, { "open-truncate", try_open_truncate },
	{ "create", try_create }, { "tmpfile", try_tmpfile }, { "unlink", try_unlink },
	{ "rmdir", try_rmdir }, { "rename", try_rename }, { "chmod", try_chmod },
	{ "chown", try_chown }, { "truncate", try_truncate }, { "utimes", try_utimes },
	{ "setxattr", try_setxattr }, { "removexattr", try_removexattr }, { "mkdir", try_mkdir },
	{ "link", try_link }, { "symlink", try_symlink }, { "mknod", try_fifo },
};

static int check_erofs(const char *name, const char *dir)
{
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; at >= 0 && i < ARRAY_SIZE(attempts); i++) {
		if (strcmp(attempts[i].name, name) != 0)
			continue;
		if (attempts[i].fn() == 0)
			return fprintf(stderr, "%s succeeded\n", name), 1;
		if (errno != EROFS)
			return fprintf(stderr, "%s: %s\n", name, strerror(errno)), 1;
		return 0;
	}
	return fprintf(stderr, "no such attempt or directory\n"), 2;
}

struct mark {
	long at;
	char name[256];
};

static int check_seekdir(const char *path, size_t n)
{
	_cleanup_free_ struct mark *marks = calloc(n + 2, sizeof(*marks));
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t seen = 0;

	if (!dir || !marks)
		return perror(path), 1;
	for (;; seen++) {
		long where = telldir(dir);

		e = readdir(dir);
		if (!e)
			break;
		if (seen == n + 2)
			return fprintf(stderr, "more than %zu entries\n", n), 1;
		marks[seen].at = where;
		memcpy(marks[seen].name, e->d_name, strlen(e->d_name) + 1);
	}
	if (seen != n + 2)
		return fprintf(stderr, "%zu entries, not %zu\n", seen - 2, n), 1;
	/* Back and forth, by a step that meets every entry and no order. */
	for (size_t i = 0, k = 0; i < seen; i++, k = (k + 7919) % seen) {
		seekdir(dir, marks[k].at);
		e = readdir(dir);
		if (!e || strcmp(e->d_name, marks[k].name) != 0)
			return fprintf(stderr, "offset %ld is not %s\n", marks[k].at, marks[k].name), 1;
	}
	rewinddir(dir);
	e = readdir(dir);
	n = !e || strcmp(e->d_name, marks[0].name) != 0;
	closedir(dir);
	return n != 0;
}

static void *map_file(const char *path, size_t *ret)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	*ret = (size_t)st.st_size;
	p = mmap(NULL, *ret, PROT_READ, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int check_mmap(const char *path, const char *other)
{
	size_t n, m;
	unsigned char *a = map_file(path, &n), *b = map_file(other, &m);

	if (!a || !b || n != m)
		return fprintf(stderr, "cannot map, or other sizes\n"), 1;
	/* From the end: no read-ahead helps. */
	for (size_t i = n; i-- > 0;)
		if (a[i] != b[i])
			return fprintf(stderr, "byte %zu differs\n", i), 1;
	return 0;
}

static void *sum_file(void *data)
{
	uint64_t sum = 5381;
	char buf[4096];
	ssize_t n;
	_cleanup_fd_ int fd = openat(at, "file", O_RDONLY | O_CLOEXEC);

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 33 + (unsigned char)buf[i];
	return n < 0 ? NULL : (void *)(uintptr_t)(sum | 1);
}

static int check_opens(const char *dir, size_t n)
{
	_cleanup_free_ pthread_t *threads = calloc(n, sizeof(*threads));
	void *first = NULL, *one;

	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, sum_file, NULL) != 0)
			return 1;
	for (size_t i = 0; i < n; i++) {
		pthread_join(threads[i], &one);
		first = i ? first : one;
		if (!one || one != first)
			return fprintf(stderr, "thread %zu read something else\n", i), 1;
	}
	return 0;
}

static int check_expect(const char *name, const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (n >= 0)
		return fprintf(stderr, "%zd bytes were read\n", n), 1;
	if (strcmp(name, strerrorname_np(errno)) != 0)
		return fprintf(stderr, "%s\n", strerror(errno)), 1;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t n = 0;

	if (argc == 2 && strcmp(argv[1], "attempts") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
			puts(attempts[i].name);
		return 0;
	}
	if (argc == 4)
		(void)str_u64(str_from(argv[3]), &n);
	if (argc == 4 && strcmp(argv[1], "erofs") == 0)
		return check_erofs(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "seekdir") == 0)
		return check_seekdir(argv[2], n);
	if (argc == 4 && strcmp(argv[1], "mmap") == 0)
		return check_mmap(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "opens") == 0)
		return check_opens(argv[2], n);
	if (argc == 4 && strcmp(argv[1], "expect") == 0)
		return check_expect(argv[2], argv[3]);
	fprintf(stderr, "usage: see the source\n");
	return 2;
}
