// SPDX-License-Identifier: GPL-2.0-or-later
#include "mount-priv.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Beside the program that runs, or where `make install` puts helpers. */
static int beside(char *path, size_t size)
{
	static const char *const places[] = { "cratons-fused", "../libexec/cratons/cratons-fused" };
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t dir;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	dir = (size_t)(strrchr(path, '/') + 1 - path);
	for (size_t i = ARRAY_SIZE(places); i-- > 0;) {
		n = snprintf(path + dir, size - dir, "%s", places[i]);
		if ((size_t)n >= size - dir)
			return -ENAMETOOLONG;
		/* The last one tried is what an error names. */
		if (i == 0 || access(path, X_OK) == 0)
			break;
	}
	return 0;
}

int fused_program(char *path, size_t size, struct fused_build *ret, struct diag *d)
{
	const char *named = getenv("CRATONS_FUSED");
	struct stat st;
	int r = 0;

	if (!named)
		r = beside(path, size);
	else if ((size_t)snprintf(path, size, "%s", named) >= size)
		r = -ENAMETOOLONG;
	if (r < 0)
		return diag_errno(d, r, "cannot tell where cratons-fused is");
	if (stat(path, &st) < 0) {
		diag_errno(d, -ERR_MOUNT, "cannot find %s", path);
		return diag_hint(d, "it is installed beside cratons; CRATONS_FUSED names another place");
	}
	*ret = fused_build_of(&st);
	return 0;
}

/* The server outlives the command, and its environment can be read for as long as it lives: nothing
 * that may be a secret goes along. */
static int clean_environment(char **ret, size_t max)
{
	static const char *const kept[] = { "PATH=", "CRATONS_FUSED_", "ASAN_OPTIONS=",
		"UBSAN_OPTIONS=" };
	size_t n = 0;

	for (char **e = environ; *e && n + 1 < max; e++)
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if (strncmp(*e, kept[i], strlen(kept[i])) == 0 && n + 1 < max)
				ret[n++] = *e;
	ret[n] = NULL;
	return 0;
}

static int spawn(const char *program, char *const *argv, int connection)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *env[32];
	sigset_t none, all;
	pid_t pid;
	int status, r;

	clean_environment(env, ARRAY_SIZE(env));
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	/* The same number twice: the descriptor stays open over exec. */
	posix_spawn_file_actions_adddup2(&actions, connection, connection);
	r = -posix_spawn(&pid, program, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r < 0)
		return r;
	/* Its first deed is to leave a child of its own and end. */
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	return r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ? -ECHILD : 0;
}

int fused_start(const char *program, const char *const *args, struct diag *d)
{
	_cleanup_fd_ int ours = -1, theirs = -1;
	const char *argv[16] = { program };
	char number[16];
	size_t n = 1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_errno(d, -errno, "cannot make a connection for cratons-fused");
	ours = pair[0];
	theirs = pair[1];
	while (*args && n < ARRAY_SIZE(argv) - 3)
		argv[n++] = *args++;
	snprintf(number, sizeof(number), "%d", theirs);
	argv[n++] = "--connection";
	argv[n++] = number;
	r = spawn(program, (char *const *)argv, theirs);
	if (r < 0)
		return diag_errno(d, r, "cannot start %s", program);
	return TAKE_FD(ours);
}

/* Exactly the descriptors that a ready server sends, or none. */
static int take_fds(struct msghdr *msg, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (!c)
		return 0;
	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(FUSED_FDS * sizeof(int)) || (msg->msg_flags & MSG_CTRUNC))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(c), FUSED_FDS * sizeof(int));
	return 0;
}

static bool of_this_user(int connection)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
		who.uid == geteuid();
}

static int receive(int connection, struct fused_reply *ret, int *fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FUSED_FDS * sizeof(int))];
	} control;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	bool reset = false;
	ssize_t n;

	/* One that went before it read our hello has reset the connection: the kernel tells that first,
	 * and then gives the answer that it had sent. */
	do {
		n = recvmsg(connection, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == ECONNRESET && !reset)
			reset = true;
		else if (n >= 0 || errno != EINTR)
			break;
	} while (true);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (take_fds(&msg, fds) < 0 || n != sizeof(*ret) || (msg.msg_flags & MSG_TRUNC) ||
		ret->magic != FUSED_MAGIC)
		return -ECONNRESET;
	ret->text[sizeof(ret->text) - 1] = '\0';
	ret->hint[sizeof(ret->hint) - 1] = '\0';
	return 0;
}

int fused_ask(int connection, const struct fused_build *build, struct fused_reply *ret, int *fds)
{
	struct fused_hello hello = {
		.magic = FUSED_MAGIC,
		.protocol = FUSED_PROTOCOL,
		.build = *build,
	};
	struct timeval patience = { .tv_sec = MOUNT_PATIENCE_SECONDS };

	if (!of_this_user(connection))
		return -ECONNRESET;
	if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	/* One that failed has said why and gone, perhaps before it was asked: its answer can be read. */
	if (send(connection, &hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello) && errno != EPIPE)
		return -ECONNRESET;
	return receive(connection, ret, fds);
}

int fused_failed(const struct fused_reply *reply, struct diag *d)
{
	/* A plain errno says too little by itself to who started a command. */
	int code = reply->code < -ERR_FIRST ? reply->code : -ERR_MOUNT;

	diag_fail(d, code, "%s", reply->text);
	if (reply->hint[0])
		diag_hint(d, "%s", reply->hint);
	return code;
}
