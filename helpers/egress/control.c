// SPDX-License-Identifier: GPL-2.0-or-later
/* What the supervisor says. Each frame has its phase; nothing is guessed. */
#include "egress.h"

#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#define RESOLVERS      4
#define RESOLVER_QUEUE 1024
#define DRAIN_STEP_MS  5

ssize_t packet_receive(int fd, void *bytes, size_t size, int *fds, unsigned max, unsigned *ret_nfds)
{
	union {
		char room[CMSG_SPACE(EGRESS_HANDOUT_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { bytes, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(max * sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*ret_nfds = 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*ret_nfds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *ret_nfds * sizeof(int));
	}
	if (n == 0)
		return 0;
	return (size_t)n != size || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? -EPROTO : n;
}

static int publish(struct egress *e, const struct egress_frame *f, int fd)
{
	struct published *p;

	if (fd < 0 || f->port == 0 || f->port > UINT16_MAX || e->npublished == EGRESS_PUBLISH_MAX)
		return -EPROTO;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	p->port = (uint16_t)f->port;
	e->published[e->npublished++] = p;
	return p->fd < 0 ? -errno : 0;
}

static int say(const struct egress_frame *f)
{
	return send(EGRESS_FD_CONTROL, f, sizeof(*f), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int start(struct egress *e, const struct egress_start *s)
{
	const struct egress_frame ready = { .kind = EGRESS_READY };
	int r;

	if (s->connections == 0 || s->idle_seconds == 0 ||
		s->container[sizeof(s->container) - 1] != '\0')
		return -EPROTO;
	e->connections_max = s->connections;
	e->idle_seconds = s->idle_seconds;
	e->log.fd = s->log ? EGRESS_FD_LOG : -1;
	memcpy(e->log.container, s->container, sizeof(s->container));
	r = e->npublished ? inside_start(e) : 0;
	if (r == 0)
		r = confine(e);
	if (r == 0)
		r = relays_new(&e->relays, e);
	if (r == 0)
		r = pool_new(&e->resolvers, e->loop, RESOLVERS, RESOLVER_QUEUE);
	e->phase = PHASE_STARTED;
	if (r == 0)
		door_listen(e);
	return r < 0 ? r : say(&ready);
}

static int say_counts(unsigned row, unsigned rows, const struct counts *c)
{
	const struct egress_frame f = { .kind = EGRESS_COUNTED, .u.count = { row, rows,
		atomic_load(&c->connections), atomic_load(&c->refused), atomic_load(&c->out),
		atomic_load(&c->in), atomic_load(&c->open) } };

	return say(&f);
}

static int count(struct egress *e)
{
	unsigned rows = e->policy.n + e->npublished;
	int r = 0;

	for (unsigned i = 0; i < rows && r == 0; i++)
		r = say_counts(i, rows, i < e->policy.n ? &e->policy.rules[i]->counts :
			&e->published[i - e->policy.n]->counts);
	return r;
}

static int obey(struct egress *e, const struct egress_frame *f, int fd)
{
	bool policy = e->phase == PHASE_POLICY;

	switch (f->kind) {
	case EGRESS_GRANT:
		return policy && fd < 0 ? policy_add(&e->policy, &f->u.grant) : -EPROTO;
	case EGRESS_PUBLISH:
		return policy ? publish(e, f, fd) : -EPROTO;
	case EGRESS_START:
		return policy && fd < 0 ? start(e, &f->u.start) : -EPROTO;
	case EGRESS_BORN:
		if (e->phase != PHASE_STARTED || fd < 0 || e->inside < 0)
			return -EPROTO;
		e->phase = PHASE_BORN;
		e->container = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		publish_begin(e);
		return 0;
	case EGRESS_COUNT:
		return !policy && fd < 0 ? count(e) : -EPROTO;
	default:
		return -EPROTO;
	}
}

/*
 * The container has ended, as far as it concerns us. What its programs wrote before that is still on its
 * way, as with sockets of a program's own, which the kernel empties after its death: connections that
 * nobody has accepted yet, names that are being resolved, bytes in pipes.
 */
static void drain(void *data)
{
	struct egress *e = data;

	if (atomic_load(&e->unsent) == 0 || now_ms() >= e->drain_until_ms ||
		!loop_timer(e->loop, DRAIN_STEP_MS, drain, e))
		egress_end(e, 0);
}

static void drain_begin(struct egress *e)
{
	(void)loop_watch(e->loop, EGRESS_FD_CONTROL, 0, NULL, NULL);
	e->drain_until_ms = now_ms() + EGRESS_DRAIN_MS;
	if (e->handed)
		door_accept_last(e);
	drain(e);
}

static void hear(void *data, int control, unsigned events)
{
	struct egress *e = data;
	struct egress_frame f;
	int fd = -1, r;
	unsigned nfds;
	ssize_t n = packet_receive(control, &f, sizeof(f), &fd, 1, &nfds);

	if (n == -EAGAIN || n == -EINTR)
		return;
	r = n > 0 ? obey(e, &f, nfds ? fd : -1) : (int)n;
	if (nfds)
		close(fd);
	if (n == 0)
		drain_begin(e);
	else if (r < 0)
		egress_end(e, 1);
}

int control_start(struct egress *e)
{
	return loop_watch(e->loop, EGRESS_FD_CONTROL, POLLIN, hear, e);
}
