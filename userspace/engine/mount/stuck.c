// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server that was killed and cannot end. One of its threads may have been storing a page
 * (FUSE_NOTIFY_STORE) that a reader's request had locked; the kernel lets it wait for that page, and
 * nobody is left to answer the request. The thread holds the device, and the socket with it: readers of
 * its mount hang, and a command that connects would wait for an answer in vain. Kernels from 6.15 on end
 * this by the time-out that the server asked for; a command does it at once where it may write to
 * /sys/fs/fuse/connections, which belongs to the user who mounted.
 */
#include "mount-priv.h"

#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#define STAT_MAX 4096

bool fused_was_killed(int connection, pid_t *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	const char *state;
	char path[64];

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)who.pid);
	if (file_slurp(AT_FDCWD, path, &text, STAT_MAX) < 0)
		return false;
	/* "PID (NAME) STATE …", where a name may have parentheses. The first thread of a process that was
	 * killed is a zombie until the last one ends. */
	state = strrchr(buf_text(&text), ')');
	*ret = who.pid;
	return state && (state[2] == 'Z' || state[2] == 'X');
}

/* The number of the connection is that of the mount's device. */
static void abort_connection(struct str device)
{
	struct str minor = device, major = str_cut(&minor, ':');
	_cleanup_fd_ int fd = -1;
	char path[96];

	/* As all file systems without a block device: the kernel puts major and minor into one number. */
	if (!str_is(major, "0") || minor.n == 0 || minor.n > 10)
		return;
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%.*s/abort", STR_ARG(minor));
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		(void)fd_write_all(fd, "1", 1);
}

/* Threads that have ended have no mounts; the one that is stuck still sees the server's. */
static void abort_mounts(const char *mountinfo, const char *at)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct str rest, device, point;

	if (file_slurp(AT_FDCWD, mountinfo, &text, MOUNTINFO_MAX) < 0)
		return;
	rest = buf_str(&text);
	while (rest.p)
		if (mount_is_ours(str_cut(&rest, '\n'), &device, &point) && str_is(point, at))
			abort_connection(device);
}

void fused_abort(pid_t pid, int run_fd)
{
	char path[64], run[FUSED_TEXT], at[FUSED_TEXT + 16], info[400];
	struct dirent *e;
	ssize_t n;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", run_fd);
	n = readlink(path, run, sizeof(run));
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	tasks = n > 0 && (size_t)n < sizeof(run) ? opendir(path) : NULL;
	if (!tasks)
		return;
	snprintf(at, sizeof(at), "%.*s/" FUSED_MOUNT, (int)n, run);
	while ((e = readdir(tasks))) {
		snprintf(info, sizeof(info), "%s/%s/mountinfo", path, e->d_name);
		abort_mounts(info, at);
	}
	closedir(tasks);
}
