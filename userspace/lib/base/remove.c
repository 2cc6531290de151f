// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Removing what a stranger made: directories that may be neither read nor written, or that lie so deep that
 * one descriptor for each would be too many. What lies too deep is moved to the top first, where the next
 * round finds it.
 */
#include "base/fd.h"

#include "prim/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEPTH_MAX 64

struct removal {
	int top;
	unsigned moved;
	int error;	/* the first; what else there is goes nevertheless */
};

/* The owner may always change the mode. By the descriptor: the name could be a link by now. */
static void allow(int fd, mode_t mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)!fchmodat(AT_FDCWD, path, mode, 0);
}

static int open_to_empty(int dirfd, const char *name)
{
	int how = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd;
	_cleanup_fd_ int place = openat(dirfd, name, O_PATH | how);
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0)
		return -errno;
	if ((st.st_mode & 0700) != 0700)
		allow(place, (st.st_mode & 07777) | 0700);
	fd = openat(place, ".", O_RDONLY | how);
	return fd < 0 ? -errno : fd;
}

static int move_up(struct removal *m, int dirfd, const char *name)
{
	char to[32];
	int r;

	do {
		snprintf(to, sizeof(to), ".removed-%u", m->moved++);
		r = renameat2(dirfd, name, m->top, to, RENAME_NOREPLACE);
	} while (r < 0 && errno == EEXIST);
	return r < 0 ? -errno : 0;
}

static void empty(struct removal *m, int fd, unsigned depth);

static int remove_entry(struct removal *m, int dirfd, const char *name, unsigned depth)
{
	int fd;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = open_to_empty(dirfd, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (depth == DEPTH_MAX) {
		close(fd);
		return move_up(m, dirfd, name);
	}
	empty(m, fd, depth + 1);
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Takes the descriptor. */
static void empty(struct removal *m, int fd, unsigned depth)
{
	DIR *dir = dir_stream(fd);
	const char *name;
	int r = dir ? 0 : -errno;

	while (dir && (r = dir_next(dir, &name)) == 1) {
		r = remove_entry(m, fd, name, depth);
		m->error = m->error ? m->error : r;
	}
	m->error = m->error ? m->error : r;
	if (dir)
		closedir(dir);
}

int remove_all(int dirfd, const char *path)
{
	_cleanup_fd_ int top = -1;
	struct removal m = { 0 };
	unsigned before;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	top = open_to_empty(dirfd, path);
	if (top < 0)
		return top == -ENOENT ? 0 : top;
	m.top = top;
	do {
		int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		before = m.moved;
		empty(&m, fd, 0);
	} while (m.moved > before && !m.error);
	if (m.error)
		return m.error;
	return unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
