// SPDX-License-Identifier: GPL-2.0-or-later
#include "dial.h"

#include "workers.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define STAGGER_MS 250		/* RFC 8305, 5: between attempts */
#define TRY_MS	   20000	/* one address */
#define DIAL_MS	   60000	/* all of them, with resolving */
#define TICK_MS	   50

struct attempt {
	int fd;
	uint64_t began_ms;
};

struct dial {
	struct dial *next, **link;
	struct egress *egress;
	int accepted;
	struct rule *rule;		/* NULL: a published port */
	struct counts *counts;
	struct name *name;		/* NULL: by address */
	uint16_t port;
	uint64_t began_ms, last_ms;
	struct in6_addr all[RESOLVED_MAX];
	struct attempt attempts[RESOLVED_MAX];
	size_t n, tried, running;
	bool resolving, ended;
};

static void tick(void *data);

static struct str name_of(const struct dial *d)
{
	return d->name ? str_of(d->name->text, d->name->length) : (struct str){ 0 };
}

static void unlink_dial(struct dial *d)
{
	d->egress->dialling--;
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
}

static void drop_attempt(struct dial *d, size_t i)
{
	if (d->attempts[i].fd < 0)
		return;
	(void)loop_watch(d->egress->loop, d->attempts[i].fd, 0, NULL, NULL);
	fd_closep(&d->attempts[i].fd);
	d->running--;
}

/* One that still waits for its name is freed by the answer. */
static void dial_end(struct dial *d)
{
	for (size_t i = 0; i < d->tried; i++)
		drop_attempt(d, i);
	unlink_dial(d);
	d->ended = true;
	if (!d->resolving)
		free(d);
}

/* The container's program sees a reset: the connection was accepted before it could be known. */
static void dial_fail(struct dial *d)
{
	socket_reset(d->accepted);
	counts_end(d->egress->shared, d->counts, d->name ? d->name->number : 0);
	dial_end(d);
}

static void dial_done(struct dial *d, size_t i)
{
	int fd = d->attempts[i].fd, on = 1;

	(void)loop_watch(d->egress->loop, fd, 0, NULL, NULL);
	d->attempts[i].fd = -1;
	d->running--;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* What went into the container and what out is counted by who began. */
	workers_add(d->egress->workers, d->accepted, fd, !d->rule, d->counts, d->name);
	dial_end(d);
}

/* A private address only when a CIDR names it, whatever name led to it. */
static bool may_dial(struct dial *d, const struct in6_addr *a)
{
	if (!d->rule || d->rule->grant.kind == EGRESS_NET || inet_is_public(a) ||
		policy_find_address(&d->egress->policy, a, d->port))
		return true;
	atomic_fetch_add(&d->rule->counts->refused, 1);
	log_refusal(d->egress, name_of(d), a, d->port, "the name leads to an address that is not public");
	return false;
}

static void try_next(struct dial *d);

static void connected(void *data, int fd, unsigned events)
{
	struct dial *d = data;
	socklen_t len = sizeof(int);
	int error = 0;
	size_t i = 0;

	while (i < d->tried && d->attempts[i].fd != fd)
		i++;
	if (i == d->tried)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0) {
		dial_done(d, i);
		return;
	}
	drop_attempt(d, i);
	try_next(d);
}

/* 1: under way; 0: this address is not to be had. */
static int try_one(struct dial *d, size_t i, int made)
{
	struct sockaddr_storage to;
	socklen_t len = inet_to_sockaddr(&d->all[i], d->port, &to);
	int fd = made >= 0 ? made : socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	d->attempts[i] = (struct attempt){ -1, now_ms() };
	if (fd < 0)
		return 0;
	if ((connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS) ||
		loop_watch(d->egress->loop, fd, POLLOUT, connected, d) < 0) {
		close(fd);
		return 0;
	}
	d->attempts[i].fd = fd;
	d->running++;
	return 1;
}

/* The next address that can be tried; when there is none and nothing runs, it has failed. */
static void try_next(struct dial *d)
{
	d->last_ms = now_ms();
	while (d->tried < d->n) {
		size_t i = d->tried++;

		d->attempts[i].fd = -1;
		if (may_dial(d, &d->all[i]) && try_one(d, i, -1))
			return;
	}
	if (d->running == 0)
		dial_fail(d);
}

static void check(struct dial *d, uint64_t now)
{
	if (now - d->began_ms >= DIAL_MS) {
		dial_fail(d);
		return;
	}
	if (d->resolving)
		return;
	for (size_t i = 0; i < d->tried; i++)
		if (d->attempts[i].fd >= 0 && now - d->attempts[i].began_ms >= TRY_MS)
			drop_attempt(d, i);
	if (d->running == 0 || (d->tried < d->n && now - d->last_ms >= STAGGER_MS))
		try_next(d);
}

static void tick(void *data)
{
	struct egress *e = data;
	uint64_t now = now_ms();
	struct dial *next;

	for (struct dial *d = e->dials; d; d = next) {
		next = d->next;
		check(d, now);
	}
	e->ticking = e->dials && loop_timer(e->loop, TICK_MS, tick, e);
}

static struct dial *dial_new(struct egress *e, int accepted, struct counts *counts, struct name *name,
	uint16_t port)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (!d) {
		socket_reset(accepted);
		return NULL;
	}
	*d = (struct dial){ .egress = e, .accepted = accepted, .counts = counts, .name = name, .port = port,
		.began_ms = now_ms(), .next = e->dials, .link = &e->dials };
	if (d->next)
		d->next->link = &d->next;
	e->dials = d;
	e->dialling++;
	counts_begin(e, counts, name);
	if (!e->ticking)
		e->ticking = loop_timer(e->loop, TICK_MS, tick, e) != 0;
	return d;
}

static void resolved(void *data, int error, const struct in6_addr *all, size_t n)
{
	struct dial *d = data;

	d->resolving = false;
	if (d->ended) {
		free(d);
		return;
	}
	if (error) {
		log_refusal(d->egress, name_of(d), NULL, d->port, "the host cannot resolve the name");
		dial_fail(d);
		return;
	}
	d->n = n;
	memcpy(d->all, all, n * sizeof(*all));
	try_next(d);
}

void dial_name(struct egress *e, int accepted, struct rule *rule, struct name *name, uint16_t port)
{
	struct dial *d = dial_new(e, accepted, rule->counts, name, port);

	if (!d)
		return;
	d->rule = rule;
	d->resolving = true;
	if (resolve(e, name_of(d), resolved, d) < 0) {
		d->resolving = false;
		dial_fail(d);
	}
}

void dial_address(struct egress *e, int accepted, struct rule *rule, const struct in6_addr *a, uint16_t port)
{
	struct dial *d = dial_new(e, accepted, rule->counts, NULL, port);

	if (!d)
		return;
	d->rule = rule;
	d->all[0] = *a;
	d->n = 1;
	try_next(d);
}

void dial_inside(struct egress *e, int accepted, struct counts *counts, int made, uint16_t port)
{
	struct dial *d = dial_new(e, accepted, counts, NULL, port);

	if (!d) {
		close(made);
		return;
	}
	d->all[0] = inet_from4(INADDR_LOOPBACK);
	d->n = d->tried = 1;
	if (!try_one(d, 0, made))
		dial_fail(d);
}
