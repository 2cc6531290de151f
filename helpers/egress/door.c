// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes out of the container: the sockets that its builder made, then questions for names and
 * connections to addresses that stand for them. All of it is what the container's programs choose.
 */
#include "egress.h"

#include "dial.h"
#include "dns.h"
#include "workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define ACCEPTS_A_TURN	 64
#define LAST_TURNS	 256
#define STREAMS_MAX	 64
#define STREAM_MS	 10000
#define PAUSE_MS	 20
#define FDS_BESIDE	 64	/* the helper's own, of workers and of questions for names */
#define FDS_A_DIAL	 3	/* two addresses may be tried at a time */
#define DNS_PORT	 53

/* A connection to the resolver: messages with their length before them (RFC 1035, 4.2.2). */
struct dns_stream {
	struct egress *egress;
	int fd;
	uint64_t timer;
	size_t have;
	uint8_t bytes[2 + DNS_MESSAGE_MAX];
};

static enum dns_code look_up(void *data, struct str text, struct dns_found *ret)
{
	static const uint8_t pool6[16] = EGRESS_POOL6;
	struct egress *e = data;
	struct name *name;
	uint32_t number;

	if (!policy_knows(&e->policy, text)) {
		log_refusal(e, text, NULL, 0, "the name is not granted");
		return DNS_NO_NAME;
	}
	if (names_get(&e->names, text, &name) < 0)
		return DNS_FAILED;
	ret->a = EGRESS_POOL4 + name->number;
	ret->has_aaaa = e->ipv6;
	number = htonl(name->number);
	memcpy(ret->aaaa, pool6, sizeof(pool6));
	memcpy(ret->aaaa + 12, &number, sizeof(number));
	return DNS_OK;
}

static void datagram(void *data, int fd, unsigned events)
{
	uint8_t query[DNS_MESSAGE_MAX + 1], answer[DNS_MESSAGE_MAX];
	struct sockaddr_storage from;

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &len);
		size_t out;

		if (n < 0)
			return;
		out = dns_answer(query, (size_t)n, look_up, data, answer);
		if (out)
			(void)sendto(fd, answer, out, 0, (struct sockaddr *)&from, len);
	}
}

static void stream_close(struct dns_stream *s)
{
	loop_timer_cancel(s->egress->loop, s->timer);
	(void)loop_watch(s->egress->loop, s->fd, 0, NULL, NULL);
	close(s->fd);
	s->egress->dns_streams--;
	free(s);
}

static void stream_expired(void *data)
{
	struct dns_stream *s = data;

	s->timer = 0;
	stream_close(s);
}

/* A whole message, if there is one: 1 answered, 0 more is needed, -1 nothing that can be answered. */
static int stream_answer(struct dns_stream *s)
{
	uint8_t answer[2 + DNS_MESSAGE_MAX];
	size_t length = (size_t)s->bytes[0] << 8 | s->bytes[1], n;

	if (s->have < 2)
		return 0;
	if (length > DNS_MESSAGE_MAX)
		return -1;
	if (s->have < 2 + length)
		return 0;
	n = dns_answer(s->bytes + 2, length, look_up, s->egress, answer + 2);
	answer[0] = (uint8_t)(n >> 8);
	answer[1] = (uint8_t)n;
	/* So little always fits, unless nobody reads: then it ends. */
	if (n == 0 || send(s->fd, answer, n + 2, MSG_NOSIGNAL) != (ssize_t)n + 2)
		return -1;
	s->have -= length + 2;
	memmove(s->bytes, s->bytes + length + 2, s->have);
	return 1;
}

static void stream_read(void *data, int fd, unsigned events)
{
	struct dns_stream *s = data;
	ssize_t n = recv(fd, s->bytes + s->have, sizeof(s->bytes) - s->have, 0);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		s->have += (size_t)n;
	while ((r = n > 0 ? stream_answer(s) : -1) > 0)
		;
	if (r < 0)
		stream_close(s);
}

static void stream_open(struct egress *e, int fd)
{
	struct dns_stream *s = e->dns_streams < STREAMS_MAX ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		socket_reset(fd);
		return;
	}
	s->egress = e;
	s->fd = fd;
	s->timer = loop_timer(e->loop, STREAM_MS, stream_expired, s);
	e->dns_streams++;
	if (!s->timer || loop_watch(e->loop, fd, POLLIN, stream_read, s) < 0)
		stream_close(s);
}

int64_t pool_number(const struct in6_addr *a)
{
	static const struct in6_addr pool6 = { .s6_addr = EGRESS_POOL6 };
	uint32_t n;

	memcpy(&n, &a->s6_addr[12], sizeof(n));
	n = ntohl(n);
	if (inet_is4(a))
		return n - EGRESS_POOL4 < EGRESS_NAMES ? (int64_t)(n - EGRESS_POOL4) : -1;
	return inet_covers(&pool6, 96, a) ? (int64_t)n : -1;
}

static void refuse(struct egress *e, int fd, struct rule *rule, struct name *name,
	const struct in6_addr *address, uint16_t port, const char *reason)
{
	if (rule)
		atomic_fetch_add(&rule->counts->refused, 1);
	log_refusal(e, name ? str_of(name->text, name->length) : (struct str){ 0 }, name ? NULL : address,
		port, reason);
	socket_reset(fd);
}

static void to_name(struct egress *e, int fd, uint32_t number, const struct in6_addr *address, uint16_t port)
{
	struct name *name = names_find(&e->names, number);
	struct str text;
	struct rule *rule;

	if (!name) {
		refuse(e, fd, NULL, NULL, address, port, "the address stands for no name");
		return;
	}
	text = str_of(name->text, name->length);
	rule = policy_find_name(&e->policy, text, port);
	if (rule)
		dial_name(e, fd, rule, name, port);
	else
		refuse(e, fd, policy_knows(&e->policy, text), name, address, port, "the port is not granted");
}

static void route(struct egress *e, int fd)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct in6_addr address;
	struct rule *rule;
	int64_t number;
	uint16_t port;

	if (getsockname(fd, (struct sockaddr *)&local, &len) < 0 ||
		inet_from_sockaddr((struct sockaddr *)&local, &address, &port) < 0) {
		socket_reset(fd);
		return;
	}
	number = pool_number(&address);
	if (number == EGRESS_RESOLVER && port == DNS_PORT) {
		stream_open(e, fd);
		return;
	}
	rule = number < 0 ? policy_find_address(&e->policy, &address, port) : NULL;
	if (atomic_load(&e->shared->open) >= e->connections_max)
		refuse(e, fd, rule, NULL, &address, port, "there are too many connections");
	else if (number >= 0)
		to_name(e, fd, (uint32_t)number, &address, port);
	else if (rule)
		dial_address(e, fd, rule, &address, port);
	else
		refuse(e, fd, NULL, NULL, &address, port, "the address is not granted");
}

static void listen_again(void *data);

/* Not to be asked again at once. */
static void pause_listener(struct egress *e, int listener)
{
	if (loop_timer(e->loop, PAUSE_MS, listen_again, e))
		(void)loop_watch(e->loop, listener, 0, NULL, NULL);
}

/* While as many are being dialled as there are descriptors for, others wait in the kernel's queue. */
static bool has_room(const struct egress *e)
{
	uint64_t beside = FDS_BESIDE + e->listeners.n;

	return e->dialling == 0 || beside + (uint64_t)e->dialling * FDS_A_DIAL < e->fds_max;
}

static void accept_some(void *data, int listener, unsigned events)
{
	struct egress *e = data;
	int on = 1;

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = -1;

		if (has_room(e))
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		else
			errno = EMFILE;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			pause_listener(e, listener);
			return;
		}
		if (fd < 0)
			return;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		route(e, fd);
	}
}

static void listen_again(void *data)
{
	static const loop_fd_fn fns[] = { [LISTENER_STREAM] = accept_some, [LISTENER_DATAGRAM] = datagram,
		[LISTENER_WATCH] = watch_read };
	struct egress *e = data;

	if (e->linger_until_ms)
		return;
	vec_foreach(l, &e->listeners)
		(void)loop_watch(e->loop, l->fd, POLLIN, fns[l->kind], e);
}

void door_accept_last(struct egress *e)
{
	struct pollfd p = { .events = POLLIN };

	vec_foreach(l, &e->listeners) {
		for (int i = 0; i < LAST_TURNS && l->kind == LISTENER_STREAM; i++) {
			p.fd = l->fd;
			if (poll(&p, 1, 0) != 1)
				break;
			accept_some(e, l->fd, POLLIN);
		}
		(void)loop_watch(e->loop, l->fd, 0, NULL, NULL);
	}
}

void door_listen(struct egress *e)
{
	if (e->handed && e->phase != PHASE_POLICY)
		listen_again(e);
}

bool door_has_port(const struct egress *e, uint16_t port)
{
	return e->ports[port / 8] & 1 << port % 8;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, SOL_SOCKET, name, &v, &len) < 0 ? -errno : v;
}

/* Of those on the container's loopback the door's own namespace knows nothing. */
static void note_port(struct egress *e, int fd)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct in6_addr a;
	uint16_t port;

	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0 &&
		inet_from_sockaddr((struct sockaddr *)&local, &a, &port) == 0 &&
		(IN6_IS_ADDR_UNSPECIFIED(&a) || (inet_is4(&a) && a.s6_addr[12] == 0)))
		e->ports[port / 8] |= (uint8_t)(1 << port % 8);
}

static int take_socket(struct egress *e, int fd)
{
	int type = option(fd, SO_TYPE);
	struct listener l = { .fd = fd };

	if (type == SOCK_RAW)
		l.kind = LISTENER_WATCH;
	else if (type == SOCK_DGRAM)
		l.kind = LISTENER_DATAGRAM;
	else if (type != SOCK_STREAM)
		return -EPROTO;
	else
		note_port(e, fd);
	return vec_push(&e->listeners, l);
}

static void handed(void *data, int door, unsigned events)
{
	struct egress *e = data;
	struct egress_handout h;
	int fds[EGRESS_HANDOUT_MAX];
	unsigned n;
	ssize_t got = pass_receive(door, &h, sizeof(h), fds, EGRESS_HANDOUT_MAX, &n);
	int r = got > 0 && n != h.count ? -EPROTO : 0;

	if (got == -EAGAIN || got == -EINTR)
		return;
	for (unsigned i = 0; i < n && r == 0; i++)
		r = take_socket(e, fds[i]);
	if (r == 0 && got > 0 && !h.last)
		return;
	(void)loop_watch(e->loop, door, 0, NULL, NULL);
	/* At its end no container was made after all; the supervisor ends this when it has noticed. */
	if (r < 0 || got < 0)
		egress_end(e, 1);
	if (r == 0 && got > 0) {
		/* The policy may be still to come: then its start listens. */
		e->ipv6 = h.ipv6;
		e->handed = true;
		door_listen(e);
		publish_begin(e);
	}
}

int door_start(struct egress *e)
{
	return loop_watch(e->loop, EGRESS_FD_DOOR, POLLIN, handed, e);
}
