// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Published ports: listening sockets of the host's, and for each connection a socket that was made inside
 * the container's network. A socket belongs to the network of the process that made it, and for good; so
 * a process joins the container's user and network namespaces and does nothing but make them. It holds one
 * descriptor, no capability, and may call what follows here and nothing else.
 */
#include "egress.h"

#include "dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define ACCEPTS_A_TURN 64

/* The child: waits for the container, joins it, and then a byte in is a socket out. */
static _noreturn_ void make_sockets(int link)
{
	struct pollfd p = { link, POLLIN, 0 };
	unsigned n = 0;
	int pidfd = -1;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, -1) != 1 || pass_receive(link, &byte, 1, &pidfd, 1, &n) != 1 || n != 1 ||
		setns(pidfd, CLONE_NEWUSER | CLONE_NEWNET) < 0)
		_exit(1);
	close(pidfd);
	if (confine_inside(link) < 0)
		_exit(1);
	while (recv(link, &byte, 1, 0) == 1) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (pass_send(link, &byte, 1, &fd, fd >= 0) < 0)
			break;
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

int inside_start(struct egress *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		make_sockets(pair[1]);
	close(pair[1]);
	e->inside = pair[0];
	return pid < 0 ? -errno : 0;
}

static int socket_inside(struct egress *e)
{
	struct pollfd p = { e->inside, POLLIN, 0 };
	int fd = -1;
	unsigned n;
	char byte = 0;

	if (send(e->inside, &byte, 1, MSG_NOSIGNAL) != 1 || poll(&p, 1, 1000) != 1 ||
		pass_receive(e->inside, &byte, 1, &fd, 1, &n) != 1 || n != 1)
		return -EIO;
	return fd;
}

static void admit(struct egress *e, struct published *p, int fd)
{
	int made, on = 1;

	if (atomic_load(&e->shared->open) >= e->connections_max || (made = socket_inside(e)) < 0) {
		atomic_fetch_add(&p->counts->refused, 1);
		socket_reset(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	dial_inside(e, fd, p->counts, made, p->port);
}

static void accept_some(void *data, int listener, unsigned events)
{
	struct egress *e = data;
	struct published *p = NULL;

	for (unsigned i = 0; i < e->npublished; i++)
		if (e->published[i]->fd == listener)
			p = e->published[i];
	for (int i = 0; p && i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		admit(e, p, fd);
	}
}

/* The builder is in the container's own network once it has handed out the last socket; until both that
 * and the container's descriptor are here, connections wait in the listeners' queues. */
void publish_begin(struct egress *e)
{
	const char byte = 0;

	if (!e->handed || e->container < 0 || pass_send(e->inside, &byte, 1, &e->container, 1) < 0)
		return;
	fd_closep(&e->container);
	for (unsigned i = 0; i < e->npublished; i++)
		(void)loop_watch(e->loop, e->published[i]->fd, POLLIN, accept_some, e);
}
