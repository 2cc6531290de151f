// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server's door: commands connect, say hello, get the namespaces and hold the connection for as
 * long as they need the mount. Nothing but a hello is ever read from them.
 */
#include "server.h"

#include "base/fd.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define CLIENTS_MAX 8192

struct door {
	struct server *server;
	VEC(struct pollfd) polls;	/* listener, end of the mount, then the connections */
	bool replaced;			/* a command was sent to another server */
};
#define POLL_LISTENER 0
#define POLL_ENDED    1
#define POLL_FIRST    2

/* A socket's path has 107 bytes at most; a home's may have more, so it is reached through the
 * descriptor of run/. The name appears complete: bound beside it, then renamed over it, which also
 * takes the place of a server that died or is to be replaced. */
int server_listen(struct server *s, struct diag *d)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char name[64];

	if (fd < 0)
		return diag_errno(d, -errno, "cannot make the server's socket");
	snprintf(name, sizeof(name), FUSED_SOCKET ".%ld", (long)getpid());
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s", s->run_fd, name);
	unlinkat(s->run_fd, name, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 1024) < 0 ||
		renameat(s->run_fd, name, s->run_fd, FUSED_SOCKET) < 0) {
		int r = -errno;

		unlinkat(s->run_fd, name, 0);
		return diag_errno(d, r, "cannot make %s/run/" FUSED_SOCKET, s->home);
	}
	s->listener = TAKE_FD(fd);
	return 0;
}

void server_answer(struct server *s, int connection, enum fused_status status,
	const struct diag *d)
{
	struct fused_reply reply = {
		.magic = FUSED_MAGIC,
		.protocol = FUSED_PROTOCOL,
		.status = (uint16_t)status,
		.code = d ? d->code : 0,
		.pid = (uint32_t)getpid(),
		.transport = s->rings ? FUSED_BY_RINGS : FUSED_BY_DEVICE,
	};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FUSED_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { &reply, sizeof(reply) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FUSED_FDS] = { s->user_ns, s->mount_ns };

	snprintf(reply.text, sizeof(reply.text), "%s", d ? buf_text(&d->what) : s->mount);
	snprintf(reply.hint, sizeof(reply.hint), "%s", d ? buf_text(&d->hint) : "");
	if (status == FUSED_READY && s->user_ns >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
	}
	(void)!sendmsg(connection, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool same_user(const struct server *s, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == s->uid;
}

static void accept_one(struct door *door)
{
	struct server *s = door->server;
	_cleanup_fd_ int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || !same_user(s, fd) || door->polls.n >= POLL_FIRST + CLIENTS_MAX)
		return;
	if (vec_push(&door->polls, p) == 0)
		(void)TAKE_FD(fd);
}

/* Reads what a connection sent: true while it is to be kept. */
static bool hear(struct door *door, int fd)
{
	struct server *s = door->server;
	struct fused_hello hello;
	ssize_t n = recv(fd, &hello, sizeof(hello), MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != sizeof(hello) || hello.magic != FUSED_MAGIC)
		return false;
	if (hello.protocol != FUSED_PROTOCOL ||
		memcmp(&hello.build, &s->build, sizeof(hello.build)) != 0 || !server_has_index(s)) {
		server_answer(s, fd, FUSED_RETIRES, NULL);
		door->replaced = true;
		return false;
	}
	if (hello.reserved != 0)
		return false;
	server_answer(s, fd, FUSED_READY, NULL);
	return true;
}

static void hear_all(struct door *door)
{
	for (size_t i = POLL_FIRST; i < door->polls.n;) {
		struct pollfd *p = &door->polls.v[i];

		if (p->revents == 0 || hear(door, p->fd)) {
			i++;
			continue;
		}
		close(p->fd);
		*p = door->polls.v[--door->polls.n];
	}
}

/* From here on the socket's name belongs to another server, or soon will. */
static void retire(struct door *door)
{
	close(door->polls.v[POLL_LISTENER].fd);
	door->polls.v[POLL_LISTENER].fd = -1;
}

static int64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* One round: false when there is nothing left to serve. */
static bool serve_step(struct door *door, int64_t *used)
{
	const struct server *s = door->server;
	bool idle = door->polls.n == POLL_FIRST && !s->at;
	int64_t left = *used + s->idle_seconds - seconds();

	if (idle && (door->replaced || left <= 0))
		return false;
	if (poll(door->polls.v, door->polls.n, idle ? (int)MIN(left, 3600) * 1000 : -1) < 0)
		return errno == EINTR;
	if (door->polls.v[POLL_ENDED].revents)
		return false;
	if (!idle || door->polls.v[POLL_LISTENER].revents)
		*used = seconds();
	hear_all(door);
	if (door->polls.v[POLL_LISTENER].revents)
		accept_one(door);
	if (door->replaced && door->polls.v[POLL_LISTENER].fd >= 0)
		retire(door);
	return true;
}

int server_serve(struct server *s)
{
	struct door door = { .server = s };
	int64_t used = seconds();
	int r;

	r = vec_push(&door.polls, (struct pollfd){ .fd = s->listener, .events = POLLIN });
	if (r == 0)
		r = vec_push(&door.polls, (struct pollfd){ .fd = s->ended, .events = POLLIN });
	if (r == 0 && s->connection >= 0)
		r = vec_push(&door.polls, (struct pollfd){ .fd = s->connection, .events = POLLIN });
	while (r == 0 && serve_step(&door, &used))
		;
	vec_done(&door.polls);
	return r;
}
