// SPDX-License-Identifier: GPL-2.0-or-later
/* stdout.log and stderr.log: at most `max` bytes each, and as many again in what they were before. */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define LOOK_AGAIN_MS 250	/* when only the end of the supervisor is left to be seen */

static const char *const names[] = { "stdout.log", "stderr.log" };

static void rotate(struct log_file *l)
{
	char old[32];

	fd_closep(&l->fd);
	(void)fault_point("rotate log");
	snprintf(old, sizeof(old), "%s.1", l->name);
	renameat(l->dir, l->name, l->dir, old);
	l->fd = openat(l->dir, l->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	l->size = 0;
}

/* A log that cannot be written (a full disk) loses lines; the container goes on. */
void log_append(struct log_file *l, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		size_t part;

		if (l->size >= l->max)
			rotate(l);
		part = MIN(n, (size_t)(l->max - l->size));
		if (l->fd < 0 || fd_write_all(l->fd, p, part) < 0)
			return;
		l->size += part;
		p += part;
		n -= part;
	}
}

struct tail {
	int dir, fd;
	const char *name;
	int stream;
	int (*put)(void *data, int stream, const void *bytes, size_t n);
	void *data;
};

/* All there is by now. */
static int drain(struct tail *t)
{
	char bytes[16384];
	ssize_t n;
	int r = 0;

	while (r == 0 && t->fd >= 0 && (n = read(t->fd, bytes, sizeof(bytes))) > 0)
		r = t->put(t->data, t->stream, bytes, (size_t)n);
	return r;
}

static int open_log(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* Goes on with the new file once the one that is being read was put aside. */
static int advance(struct tail *t)
{
	struct stat ours, now;
	int r = drain(t);

	while (r == 0 && fstatat(t->dir, t->name, &now, AT_SYMLINK_NOFOLLOW) == 0) {
		if (t->fd >= 0 && fstat(t->fd, &ours) == 0 && ours.st_ino == now.st_ino)
			return 0;
		/* It was written until it was put aside: once more what is left of it. */
		r = drain(t);
		fd_closep(&t->fd);
		t->fd = open_log(t->dir, t->name);
		if (r == 0 && t->fd >= 0)
			r = drain(t);
	}
	return r;
}

static int start(struct tail *t, int dir, int stream)
{
	char old[32];
	int r;

	t->dir = dir;
	t->stream = stream;
	t->name = names[stream - 1];
	snprintf(old, sizeof(old), "%s.1", t->name);
	t->fd = open_log(dir, old);
	r = drain(t);
	return r < 0 ? r : advance(t);
}

/* Moves to where the last `*left` lines of the file begin, and takes off how many it has. */
static int seek_lines(int fd, uint64_t *left)
{
	char bytes[16384];
	off_t at = lseek(fd, 0, SEEK_END), end = at;

	while (at > 0) {
		size_t n = (size_t)MIN(at, (off_t)sizeof(bytes));

		at -= (off_t)n;
		if (fd_pread_all(fd, bytes, n, at) < 0)
			return -EIO;
		for (size_t i = n; i > 0; i--) {
			/* The last line may not have its end yet; if it has, nothing begins there. */
			if (bytes[i - 1] != '\n' || at + (off_t)i == end)
				continue;
			if (--*left == 0)
				return lseek(fd, at + (off_t)i, SEEK_SET) < 0 ? -errno : 0;
		}
	}
	if (end > 0 && *left)
		--*left;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

/* Of the older file what the newer one lacks. */
static int start_near_end(struct tail *t, int dir, int stream, uint64_t lines)
{
	_cleanup_fd_ int older = -1;
	char old[32];
	int r = 0;

	t->dir = dir;
	t->stream = stream;
	t->name = names[stream - 1];
	snprintf(old, sizeof(old), "%s.1", t->name);
	t->fd = open_log(dir, t->name);
	older = open_log(dir, old);
	if (t->fd >= 0)
		r = lines ? seek_lines(t->fd, &lines) : (int)MIN(lseek(t->fd, 0, SEEK_END), 0);
	if (r == 0 && older >= 0 && lines) {
		int newer = t->fd;

		t->fd = older;
		r = seek_lines(older, &lines);
		if (r == 0)
			r = drain(t);
		t->fd = newer;
	}
	return r < 0 ? r : advance(t);
}

static int follow_both(int dir, struct tail t[2])
{
	_cleanup_fd_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd p = { watch, POLLIN };
	char path[32], events[4096];
	bool held = true;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (watch >= 0)
		inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	while (r == 0 && held) {
		/* Asked first: what was written before the end is then read in the last round. */
		held = container_is_held(dir);
		for (int i = 0; i < 2 && r == 0; i++)
			r = advance(&t[i]);
		if (r == 0 && held)
			poll(&p, 1, LOOK_AGAIN_MS);
		while (watch >= 0 && read(watch, events, sizeof(events)) > 0)
			;
	}
	return r;
}

int container_logs(int home_fd, const struct container_record *c, bool follow, uint64_t lines,
	int (*put)(void *data, int stream, const void *bytes, size_t n), void *data, struct diag *d)
{
	_cleanup_fd_ int all = containers_open(home_fd, d), dir = -1;
	struct tail t[2] = { { .fd = -1, .put = put, .data = data }, { .fd = -1, .put = put, .data = data } };
	int r = 0;

	if (all < 0)
		return all;
	if (!c->logs) {
		diag_fail(d, -ERR_CONTAINER, "container %s keeps no logs", c->id);
		return diag_hint(d, "its output went to whoever started it; those of --detach keep logs");
	}
	dir = container_open_dir(all, c->place);
	if (dir < 0)
		return diag_errno(d, dir, "cannot open container %s", c->id);
	for (int i = 0; i < 2 && r == 0; i++)
		r = lines == CONTAINER_LINES_ALL ? start(&t[i], dir, i + 1) :
			start_near_end(&t[i], dir, i + 1, lines);
	if (r == 0 && follow)
		r = follow_both(dir, t);
	for (int i = 0; i < 2; i++)
		fd_closep(&t[i].fd);
	return r;
}
