// SPDX-License-Identifier: GPL-2.0-or-later
#include "mount-priv.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

struct mount_server {
	int connection;
	int fds[FUSED_FDS];
	pid_t pid;
	enum fused_transport transport;
	char path[FUSED_TEXT];
};

/* What a command needs to find or start a server. */
struct search {
	const char *home;
	int run_fd;
	char program[4096];
	struct fused_build build;
};

void mount_server_free(struct mount_server *s)
{
	if (!s)
		return;
	fd_closep(&s->connection);
	for (size_t i = 0; i < FUSED_FDS; i++)
		fd_closep(&s->fds[i]);
	free(s);
}

int mount_server_user_ns(const struct mount_server *s)
{
	return s->fds[0];
}

int mount_server_mount_ns(const struct mount_server *s)
{
	return s->fds[1];
}

const char *mount_server_path(const struct mount_server *s)
{
	return s->path;
}

pid_t mount_server_pid(const struct mount_server *s)
{
	return s->pid;
}

bool mount_server_has_rings(const struct mount_server *s)
{
	return s->transport == FUSED_BY_RINGS;
}

/* Takes the connection. FUSED_FAILED is recorded in `d`; all that means "no usable server there" is
 * -ECONNRESET. */
static int greet(struct mount_server **ret, int connection, const struct fused_build *build,
	struct diag *d)
{
	_cleanup_(mount_server_free_p) struct mount_server *s = calloc(1, sizeof(*s));
	struct fused_reply reply;
	int r;

	if (!s) {
		close(connection);
		return -ENOMEM;
	}
	*s = (struct mount_server){ .connection = connection, .fds = { -1, -1 } };
	r = fused_ask(connection, build, &reply, s->fds);
	if (r < 0)
		return -ECONNRESET;
	if (reply.status == FUSED_FAILED)
		return fused_failed(&reply, d);
	if (reply.status != FUSED_READY || reply.protocol != FUSED_PROTOCOL || s->fds[0] < 0)
		return -ECONNRESET;
	s->pid = (pid_t)reply.pid;
	s->transport = (enum fused_transport)reply.transport;
	memcpy(s->path, reply.text, sizeof(s->path));
	*ret = TAKE_PTR(s);
	return 0;
}

/* To the server that the socket's name leads to. Through the descriptor of run/, as the name of a
 * socket is short (unix(7)). */
static int join(struct mount_server **ret, const struct search *s, struct diag *d)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t killed;

	if (fd < 0)
		return diag_errno(d, -errno, "cannot make a socket");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" FUSED_SOCKET, s->run_fd);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -ECONNRESET;
	if (fused_was_killed(fd, &killed)) {
		fused_abort(killed, s->run_fd);
		return -ECONNRESET;
	}
	return greet(ret, TAKE_FD(fd), &s->build, d);
}

static int start(struct mount_server **ret, const struct search *s, struct diag *d)
{
	const char *const args[] = { "--home", s->home, NULL };
	int fd = fused_start(s->program, args, d), r;

	if (fd < 0)
		return fd;
	r = greet(ret, fd, &s->build, d);
	if (r != -ECONNRESET)
		return r;
	diag_fail(d, -ERR_MOUNT, "cratons-fused ended before it had mounted the store");
	return diag_hint(d, "%s/run/" FUSED_LOG " may say why", s->home);
}

/* One command starts a server while the others wait for it: the lock is held until it answers. */
static int join_or_start(struct mount_server **ret, const struct search *s, struct diag *d)
{
	_cleanup_fd_ int lock = openat(s->run_fd, FUSED_LOCK,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (lock < 0)
		return diag_errno(d, -errno, "cannot open %s/run/" FUSED_LOCK, s->home);
	while (flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return diag_errno(d, -errno, "cannot lock %s/run/" FUSED_LOCK, s->home);
	r = join(ret, s, d);
	return r == -ECONNRESET ? start(ret, s, d) : r;
}

int mount_server_join(struct mount_server **ret, int home_fd, const char *home, struct diag *d)
{
	struct search s = { .home = home };
	_cleanup_fd_ int run_fd = -1;
	int r = fused_program(s.program, sizeof(s.program), &s.build, d);

	if (r < 0)
		return r;
	if (mkdirat(home_fd, "run", 0700) < 0 && errno != EEXIST)
		return diag_errno(d, -errno, "cannot make %s/run", home);
	run_fd = openat(home_fd, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (run_fd < 0)
		return diag_errno(d, -errno, "cannot open %s/run", home);
	s.run_fd = run_fd;
	r = join(ret, &s, d);
	return r == -ECONNRESET ? join_or_start(ret, &s, d) : r;
}
