// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	struct sockaddr_storage a;
	socklen_t len;
};

/* HOST PORT; a host with a colon is IPv6. */
static struct address parse(char **args)
{
	struct address to = { 0 };
	uint16_t port = htons((uint16_t)strtoul(args[1], NULL, 10));

	if (strchr(args[0], ':')) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)&to.a;

		in->sin6_family = AF_INET6;
		in->sin6_port = port;
		inet_pton(AF_INET6, args[0], &in->sin6_addr);
		to.len = sizeof(*in);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&to.a;

		in->sin_family = AF_INET;
		in->sin_port = port;
		inet_pton(AF_INET, args[0], &in->sin_addr);
		to.len = sizeof(*in);
	}
	return to;
}

static int tell(int fd, const char *token)
{
	return send(fd, token, strlen(token), 0) < 0 ? lost("send") : 0;
}

static int connect_with(char **args, int protocol)
{
	struct address to = parse(args);
	int fd = socket(to.a.ss_family, SOCK_STREAM, protocol);
	struct timeval limit = { args[2] ? strtol(args[2], NULL, 10) : 2, 0 };

	if (fd < 0)
		return lost("socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to.a, to.len) < 0)
		return lost("connect");
	return tell(fd, args[2]);
}

/* HOST PORT TOKEN, as for all that follow. */
static int tcp(char **args)
{
	return connect_with(args, 0);
}

static int mptcp(char **args)
{
	return connect_with(args, 262);
}

static int udp(char **args)
{
	struct address to = parse(args);
	int fd = socket(to.a.ss_family, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, args[2], strlen(args[2]), 0, (struct sockaddr *)&to.a, to.len) < 0)
		return lost("sendto");
	return 0;
}

/* TCP Fast Open: there is no connect to see. */
static int fast_open(char **args)
{
	struct address to = parse(args);
	int fd = socket(to.a.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || sendto(fd, args[2], strlen(args[2]), MSG_FASTOPEN, (struct sockaddr *)&to.a,
			to.len) < 0)
		return lost("sendto");
	return 0;
}

/* The connection is made by the ring, by hand: one entry, entered once. */
static int uring(char **args)
{
	struct address to = parse(args);
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	int fd = socket(to.a.ss_family, SOCK_STREAM, 0);
	struct io_uring_sqe *entries;
	char *queue;

	if (ring < 0 || fd < 0)
		return lost("io_uring_setup");
	entries = mmap(NULL, p.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		IORING_OFF_SQES);
	queue = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		IORING_OFF_SQ_RING);
	if (entries == MAP_FAILED || queue == MAP_FAILED)
		return lost("mmap");
	entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = fd,
		.addr = (uintptr_t)&to.a, .off = to.len };
	((uint32_t *)(void *)(queue + p.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(void *)(queue + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return lost("io_uring_enter");
	return tell(fd, args[2]);
}

/* PATH TOKEN; a path that begins with '@' is abstract. */
static int unix_socket(char **args)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(args[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(to.sun_path, args[0], n < sizeof(to.sun_path) ? n : sizeof(to.sun_path) - 1);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	if (fd < 0 || connect(fd, (struct sockaddr *)&to,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return lost("connect");
	return tell(fd, args[1]);
}

/* NAME TOKEN: a datagram to an abstract socket */
static int unix_datagram(char **args)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(args[0]);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(to.sun_path + 1, args[0], n < sizeof(to.sun_path) - 1 ? n : sizeof(to.sun_path) - 2);
	if (fd < 0 || sendto(fd, args[1], strlen(args[1]), 0, (struct sockaddr *)&to,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) < 0)
		return lost("sendto");
	return 0;
}

/* NUMBER TOKEN: through a connection that whoever started this left open */
static int inherited_socket(char **args)
{
	return tell((int)strtol(args[0], NULL, 10), args[1]);
}

/* SERVER PORT TOKEN: a question whose name is the message; the answer does not matter. */
static int tunnel(char **args)
{
	struct address to = parse(args);
	unsigned char packet[128] = { 1, 2, 1, 0, 0, 1 };
	size_t n = strlen(args[2]), at = 12;
	int fd = socket(to.a.ss_family, SOCK_DGRAM, 0);

	packet[at++] = (unsigned char)n;
	memcpy(packet + at, args[2], n);
	memcpy(packet + at + n, "\7example\3com\0\0\20\0\1", 17);
	if (fd < 0 || sendto(fd, packet, at + n + 17, 0, (struct sockaddr *)&to.a, to.len) < 0)
		return lost("sendto");
	return 0;
}

/* All families but the common ones: those of which there are sockets */
static int families(char **args)
{
	(void)args;
	for (int family = 3; family < 48; family++)
		for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
			int fd = family == AF_INET6 || family == AF_NETLINK ? -1 : socket(family, type, 0);

			if (fd < 0)
				continue;
			printf("family %d\n", family);
			close(fd);
		}
	return 0;
}

/* FAMILY TYPE PROTOCOL TOKEN, in numbers: a socket that the runner finds by its descriptor. */
static int odd_socket(char **args)
{
	int fd = socket((int)strtol(args[0], NULL, 10), (int)strtol(args[1], NULL, 10),
		(int)strtol(args[2], NULL, 10));

	return fd < 0 ? lost("socket") : hold(args[3]);
}

/* PORT TOKEN [SECONDS]: whoever connects is greeted. */
static int listener(char **args)
{
	struct address at = parse((char *[]){ (char *)"0.0.0.0", args[0], NULL });
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, peer;
	struct timeval limit = { 2, 0 };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(fd, (struct sockaddr *)&at.a, at.len) < 0 || listen(fd, 1) < 0)
		return lost("listen");
	peer = accept(fd, NULL, NULL);
	return peer < 0 ? lost("accept") : tell(peer, args[1]);
}

const struct probe network_probes[] = {
	{ "tcp", tcp },
	{ "mptcp", mptcp },
	{ "udp", udp },
	{ "fast-open", fast_open },
	{ "uring", uring },
	{ "unix", unix_socket },
	{ "unix-datagram", unix_datagram },
	{ "inherited-socket", inherited_socket },
	{ "tunnel", tunnel },
	{ "families", families },
	{ "socket", odd_socket },
	{ "listen", listener },
	{ NULL, NULL },
};
