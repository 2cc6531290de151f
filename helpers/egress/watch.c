// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections and datagrams to ports where nothing listens, which the kernel refuses by itself: seen only to
 * be told. What is read here is a packet as a program made it, at most EGRESS_WATCH_BYTES of its headers.
 */
#include "egress.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define PACKETS_A_TURN 64

struct seen {
	struct in6_addr to;
	int protocol;
	uint16_t port;
};

/* IPv4 comes with its header; IPv6 without, and its destination beside it. */
static bool parse(const uint8_t *p, size_t n, struct msghdr *m, struct seen *ret)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct in6_pktinfo info;
	size_t header = 0;
	uint32_t to;

	if (c && c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		ret->to = info.ipi6_addr;
	} else {
		if (n < 20 || p[0] >> 4 != 4)
			return false;
		header = (size_t)(p[0] & 15) * 4;
		memcpy(&to, p + 16, sizeof(to));
		ret->to = inet_from4(ntohl(to));
	}
	if (n < header + 4)
		return false;
	ret->port = (uint16_t)(p[header + 2] << 8 | p[header + 3]);
	return true;
}

static void tell(struct egress *e, const struct seen *s)
{
	int64_t number = pool_number(&s->to);
	struct name *name = number < 0 ? NULL : names_find(&e->names, (uint32_t)MIN(number, EGRESS_NAMES));
	struct str text = name ? str_of(name->text, name->length) : (struct str){ 0 };
	struct rule *rule = name ? policy_knows(&e->policy, text) : NULL;

	if (s->protocol == IPPROTO_TCP && door_has_port(e, s->port))
		return;	/* who accepts it judges it */
	if (rule)
		atomic_fetch_add(&rule->counts->refused, 1);
	log_refusal(e, text, name ? NULL : &s->to, s->port, s->protocol == IPPROTO_TCP ?
		"the port is not granted" : "only TCP is granted");
}

void watch_read(void *data, int fd, unsigned events)
{
	union {
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	uint8_t packet[EGRESS_WATCH_BYTES];
	struct iovec iov = { packet, sizeof(packet) };
	struct egress *e = data;
	struct seen s = { 0 };
	socklen_t len = sizeof(s.protocol);

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &s.protocol, &len) < 0)
		return;
	for (int i = 0; i < PACKETS_A_TURN; i++) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(fd, &m, 0);

		if (n < 0)
			return;
		if (parse(packet, (size_t)n, &m, &s))
			tell(e, &s);
	}
}
