// SPDX-License-Identifier: GPL-2.0-or-later
/* What the supervisor says. Each frame has its phase; nothing is guessed. */
#include "egress.h"

#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define RESOLVERS      4
#define RESOLVER_QUEUE 1024
#define DRAIN_STEP_MS  5
#define DRAIN_SLOW_MS  100	/* later on, between looks */

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

/* The supervisor's file, which is long enough and has all of its blocks. */
static int map_counts(struct egress *e)
{
	size_t wanted;
	struct stat st;
	void *p;

	e->rows = e->policy.n + e->npublished;
	wanted = sizeof(struct egress_counts_head) + e->rows * sizeof(struct counts);
	if (fstat(EGRESS_FD_COUNTS, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < wanted)
		return -EPROTO;
	p = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, EGRESS_FD_COUNTS, 0);
	if (p == MAP_FAILED)
		return -errno;
	close(EGRESS_FD_COUNTS);
	e->counts = (void *)((char *)p + sizeof(struct egress_counts_head));
	for (unsigned i = 0; i < e->rows; i++)
		*(i < e->policy.n ? &e->policy.rules[i]->counts : &e->published[i - e->policy.n]->counts) =
			&e->counts[i];
	return 0;
}

static int start(struct egress *e, const struct egress_start *s)
{
	const struct egress_frame ready = { .kind = EGRESS_READY };
	int r;

	if (s->connections == 0 || s->idle_seconds == 0 ||
		s->container[sizeof(s->container) - 1] != '\0')
		return -EPROTO;
	e->idle_seconds = s->idle_seconds;
	e->log.fd = s->log ? EGRESS_FD_LOG : -1;
	memcpy(e->log.container, s->container, sizeof(s->container));
	r = map_counts(e);
	if (r == 0 && e->npublished)
		r = inside_start(e);
	if (r == 0)
		r = confine(e);
	if (r == 0)
		r = workers_new(&e->workers, e);
	if (r == 0)
		e->connections_max = MIN(s->connections, workers_room(e));
	if (r == 0)
		r = pool_new(&e->resolvers, e->loop, RESOLVERS, RESOLVER_QUEUE);
	e->phase = PHASE_STARTED;
	if (r == 0)
		door_listen(e);
	return r < 0 ? r : say(&ready);
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
	default:
		return -EPROTO;
	}
}

/*
 * The container has ended, as far as it concerns us. What its programs wrote before that is still on its
 * way, as with sockets of a program's own, which the kernel empties after its death: connections that
 * nobody has accepted yet, names that are being resolved, bytes that a slow server has no room for.
 */
static void drain(void *data)
{
	struct egress *e = data;
	uint64_t now = now_ms(), began = e->linger_until_ms - EGRESS_LINGER_MS;

	if ((!e->dials && workers_drained(e->workers)) || now >= e->linger_until_ms ||
		!loop_timer(e->loop, now - began < EGRESS_DRAIN_MS ? DRAIN_STEP_MS : DRAIN_SLOW_MS, drain, e))
		egress_end(e, 0);
}

static void drain_begin(struct egress *e)
{
	(void)loop_watch(e->loop, EGRESS_FD_CONTROL, 0, NULL, NULL);
	if (e->phase == PHASE_POLICY) {
		egress_end(e, 0);
		return;
	}
	/* Who waits for the end of what the supervisor wrote to does not wait for us. */
	close(STDERR_FILENO);
	(void)!dup(STDIN_FILENO);
	e->linger_until_ms = now_ms() + EGRESS_LINGER_MS;
	if (e->handed)
		door_accept_last(e);
	workers_drain(e->workers);
	drain(e);
}

static void hear(void *data, int control, unsigned events)
{
	struct egress *e = data;
	struct egress_frame f;
	int fd = -1, r;
	unsigned nfds;
	ssize_t n = pass_receive(control, &f, sizeof(f), &fd, 1, &nfds);

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
