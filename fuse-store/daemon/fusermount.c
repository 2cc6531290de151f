// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mount on the host for a person who may not mount: through the host's fusermount3, which is
 * set-uid root where an administrator wants that. It opens /dev/fuse, mounts it, and sends the
 * descriptor over the socket that _FUSE_COMMFD names; what the kernel then asks is answered here.
 */
#include "server.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PROGRAM	     "fusermount3"
#define MESSAGE_MAX  1024
/* No allow_other: fusermount3 refuses it unless /etc/fuse.conf allows it, and the mount is for the
 * person who asked. nosuid and nodev it would add by itself. */
#define OPTIONS	     "ro,nosuid,nodev,noatime,default_permissions,fsname=cratons,subtype=cratons"
#define WITHOUT_HINT "root needs no helper; 'cratons run' and 'cratons shell' need no mount on the " \
	"host, and 'cratons install --materialize' needs no FUSE"

static int spawn(const char *at, int connection, int message, pid_t *ret)
{
	char *const argv[] = { (char *)PROGRAM, (char *)"-o", (char *)OPTIONS, (char *)"--", (char *)at, NULL };
	posix_spawn_file_actions_t actions;
	char name[32], path[4096];
	char *env[] = { name, path, NULL };
	posix_spawnattr_t attr;
	sigset_t all;
	int r;

	snprintf(name, sizeof(name), "_FUSE_COMMFD=%d", connection);
	snprintf(path, sizeof(path), "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	/* The same number twice: the descriptor stays open over exec. */
	posix_spawn_file_actions_adddup2(&actions, connection, connection);
	posix_spawn_file_actions_adddup2(&actions, message, 2);
	r = -posix_spawnp(ret, argv[0], &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r;
}

/* What it prints is one line, "fusermount3: <why>". The rest of a longer text is read and dropped, so
 * that it never waits for us. */
static void read_message(int fd, char *text, size_t size)
{
	size_t used = 0;
	char rest[256];
	ssize_t n;

	while ((n = used + 1 < size ? read(fd, text + used, size - 1 - used) :
				      read(fd, rest, sizeof(rest))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && used + 1 < size)
			used += (size_t)n;
	}
	while (used > 0 && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
}

/* The descriptor is in the socket when fusermount3 has ended, or will never be. */
static int take_device(int connection)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(connection, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

static int refused(const char *at, const char *message, struct diag *d)
{
	static const char prefix[] = PROGRAM ": ";

	if (strncmp(message, prefix, strlen(prefix)) == 0)
		message += strlen(prefix);
	diag_fail(d, -ERR_MOUNT, "cannot mount at %s: %s says: %s", at, PROGRAM,
		message[0] ? message : "nothing");
	return diag_hint(d, "the directory must be yours, and %s set-uid root; " WITHOUT_HINT, PROGRAM);
}

static int absent(const char *at, int r, struct diag *d)
{
	if (r != -ENOENT && r != -EACCES)
		return diag_errno(d, r, "cannot start %s, to mount at %s", PROGRAM, at);
	diag_fail(d, -ERR_MOUNT, "cannot mount at %s: that takes root, the administrator's cratons-mountd or the "
		"host's %s, and neither is there", at, PROGRAM);
	return diag_hint(d, "as root: systemctl enable --now cratons-mountd.socket, or install fuse3 (apt install "
		"fuse3); " WITHOUT_HINT);
}

int fusermount_mount(const char *at, struct diag *d)
{
	_cleanup_fd_ int ours = -1, theirs = -1, read_end = -1, write_end = -1;
	int pair[2], ends[2], status, r;
	char message[MESSAGE_MAX];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_errno(d, -errno, "cannot make a connection for %s", PROGRAM);
	ours = pair[0];
	theirs = pair[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return diag_errno(d, -errno, "cannot make a pipe for %s", PROGRAM);
	read_end = ends[0];
	write_end = ends[1];
	r = spawn(at, theirs, write_end, &pid);
	if (r < 0)
		return absent(at, r, d);
	fd_closep(&theirs);
	fd_closep(&write_end);
	read_message(read_end, message, sizeof(message));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_errno(d, -errno, "cannot wait for %s", PROGRAM);
	r = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? take_device(ours) : -ECANCELED;
	return r < 0 ? refused(at, message, d) : r;
}
