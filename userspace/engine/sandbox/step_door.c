// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network door: the namespace that the builder was born in becomes the door's, another one the
 * container's, and a pair of interfaces joins them. In the door's the routed addresses are local
 * ("ip route add local NET dev lo"), so that one listener a port answers for all of them and tells by
 * its own address which was meant. Nothing there forwards, and nothing leads further.
 *
 * Both ends have the same hardware address and do without ARP: nobody else is on this wire.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "base/pass.h"
#include "cratons/wire/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#define INTERFACE  "eth0"
#define MTU	   65535
#define BACKLOG	   1024
#define ROOM	   512
#define HAND_OUT_TRIES 30000	/* a millisecond each */

#define DNS_PORT   53

_Static_assert(EGRESS_HANDOUT_MAX <= PASS_MAX, "a packet of them");

/* One side: a socket for its routes and the number of its end of the pair. */
struct side {
	int route;
	int wire, loop;
};

struct request {
	struct nlmsghdr h;
	char room[ROOM];
} __attribute__((aligned(NLMSG_ALIGNTO)));

static void *request_start(struct request *q, uint16_t type, uint16_t flags, size_t body)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return NLMSG_DATA(&q->h);
}

/* What is added is ours and small: ROOM is enough. */
static struct rtattr *attribute(struct request *q, unsigned short type, const void *bytes, size_t n)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), bytes, n);
	q->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void nest_end(struct request *q, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)q + q->h.nlmsg_len - (char *)nest);
}

static int request_send(int fd, struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[ROOM];
	} answer;
	ssize_t n;

	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.e.error;
}

static void put_link(struct request *q)
{
	static const unsigned char hardware[6] = { 0x02, 0, 0, 0, 0, 1 };
	uint32_t mtu = MTU;

	attribute(q, IFLA_IFNAME, INTERFACE, sizeof(INTERFACE));
	attribute(q, IFLA_ADDRESS, hardware, sizeof(hardware));
	attribute(q, IFLA_MTU, &mtu, sizeof(mtu));
}

/* The pair, the other end in the namespace `peer`. */
static int add_pair(int route, int peer)
{
	const struct ifinfomsg none = { 0 };
	struct rtattr *info, *data, *end;
	struct request q;

	request_start(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(none));
	put_link(&q);
	info = attribute(&q, IFLA_LINKINFO, NULL, 0);
	attribute(&q, IFLA_INFO_KIND, "veth", 4);
	data = attribute(&q, IFLA_INFO_DATA, NULL, 0);
	end = attribute(&q, VETH_INFO_PEER, &none, sizeof(none));
	put_link(&q);
	attribute(&q, IFLA_NET_NS_FD, &peer, sizeof(peer));
	nest_end(&q, end);
	nest_end(&q, data);
	nest_end(&q, info);
	return request_send(route, &q);
}

static bool is_mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

static const void *bytes_of(const struct in6_addr *a)
{
	return is_mapped(a) ? &a->s6_addr[12] : &a->s6_addr[0];
}

static size_t length_of(const struct in6_addr *a)
{
	return is_mapped(a) ? 4 : 16;
}

static int add_address(const struct side *s, const struct in6_addr *a, int link)
{
	struct ifaddrmsg *m;
	struct request q;

	m = request_start(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*m));
	m->ifa_family = is_mapped(a) ? AF_INET : AF_INET6;
	m->ifa_prefixlen = (uint8_t)(length_of(a) * 8);
	m->ifa_flags = is_mapped(a) ? 0 : IFA_F_NODAD;
	m->ifa_index = (unsigned)link;
	attribute(&q, IFA_LOCAL, bytes_of(a), length_of(a));
	attribute(&q, IFA_ADDRESS, bytes_of(a), length_of(a));
	return request_send(s->route, &q);
}

/* In the main table, so that the longest prefix wins: a route of everything leaves the way back. */
static int add_route(const struct side *s, const struct in6_addr *net, unsigned bits, bool local)
{
	uint32_t link = (uint32_t)(local ? s->loop : s->wire);
	struct request q;
	struct rtmsg *m;

	m = request_start(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*m));
	m->rtm_family = is_mapped(net) ? AF_INET : AF_INET6;
	m->rtm_dst_len = (uint8_t)(is_mapped(net) ? bits - 96 : bits);
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_BOOT;
	m->rtm_scope = local ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	m->rtm_type = local ? RTN_LOCAL : RTN_UNICAST;
	attribute(&q, RTA_DST, bytes_of(net), length_of(net));
	attribute(&q, RTA_OIF, &link, sizeof(link));
	return request_send(s->route, &q);
}

static struct in6_addr pool4(uint32_t number)
{
	uint32_t a = htonl(EGRESS_POOL4 + number);
	struct in6_addr r = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	memcpy(&r.s6_addr[12], &a, 4);
	return r;
}

static struct in6_addr pool6(uint32_t number)
{
	struct in6_addr r = { .s6_addr = EGRESS_POOL6 };
	uint32_t n = htonl(number);

	memcpy(&r.s6_addr[12], &n, 4);
	return r;
}

static int side_open(struct side *s)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	s->route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (s->route < 0 || ioctl(s->route, SIOCSIFFLAGS, &lo) < 0 ||
		ioctl(s->route, SIOCGIFINDEX, &lo) < 0)
		return -errno;
	s->loop = lo.ifr_ifindex;
	return 0;
}

static int raise_wire(struct side *s)
{
	struct ifreq wire = { .ifr_name = INTERFACE };

	if (ioctl(s->route, SIOCGIFINDEX, &wire) < 0)
		return -errno;
	s->wire = wire.ifr_ifindex;
	wire.ifr_flags = IFF_UP | IFF_NOARP;
	return ioctl(s->route, SIOCSIFFLAGS, &wire) < 0 ? -errno : 0;
}

/* The container's own address, and the way back to it. */
static int add_own(const struct side *in, const struct side *out, struct in6_addr own)
{
	int r = add_address(in, &own, in->wire);

	return r < 0 ? r : add_route(out, &own, 128, false);
}

static int add_routes(struct plan *p, const struct side *in, const struct side *out, bool ipv6)
{
	const struct sandbox_door *door = p->s->door;
	int r = 0;

	for (size_t i = 0; i < door->nroutes && r == 0; i++) {
		const struct sandbox_door_route *route = &door->routes[i];

		if (!is_mapped(&route->net) && !ipv6)
			continue;
		r = add_route(in, &route->net, route->bits, false);
		if (r == 0)
			r = add_route(out, &route->net, route->bits, true);
	}
	return r;
}

/* -1: this one is not wanted, as there is no IPv6 for it. */
static int open_socket(const struct sandbox_door *door, const struct sandbox_door_socket *s, int *ret)
{
	bool v4 = is_mapped(&s->address) || (IN6_IS_ADDR_UNSPECIFIED(&s->address) && !door->ipv6);
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port),
		.sin6_addr = s->address };
	int type = s->datagram ? SOCK_DGRAM : SOCK_STREAM, on = 1, off = 0;
	_cleanup_fd_ int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memcpy(&a4.sin_addr, &s->address.s6_addr[12], 4);
	/* Answers come from addresses that no interface has. */
	if (!s->inside && setsockopt(fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT,
		&on, sizeof(on)) < 0)
		return -errno;
	if (!v4 && setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	if (bind(fd, v4 ? (void *)&a4 : (void *)&a6, v4 ? sizeof(a4) : sizeof(a6)) < 0 ||
		(!s->datagram && listen(fd, BACKLOG) < 0))
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

/* The kernel bounds how many descriptors of a user's are on their way, to whomever: the helper takes these up,
 * on a busy machine after seconds. If it dies, the error is another. */
static int hand_out(const struct sandbox_door *door, struct egress_handout h, const int *fds)
{
	const struct timespec soon = { 0, 1000000 };
	int r = pass_send(door->to, &h, sizeof(h), fds, h.count);

	for (int tries = 0; r == -ETOOMANYREFS && tries < HAND_OUT_TRIES; tries++) {
		nanosleep(&soon, NULL);
		r = pass_send(door->to, &h, sizeof(h), fds, h.count);
	}
	return r;
}

/* Those of one namespace, in packets; they are closed here, so that few are open at a time. */
static int make_sockets(const struct sandbox_door *door, bool inside, bool ipv6)
{
	struct egress_handout h = { .ipv6 = ipv6, .last = inside };
	int fds[EGRESS_HANDOUT_MAX], r = 0;

	for (size_t i = 0; i <= door->nsockets && r == 0; i++) {
		bool end = i == door->nsockets;

		if (!end && door->sockets[i].inside == inside)
			r = open_socket(door, &door->sockets[i], &fds[h.count]), h.count += r == 0;
		if (r == 0 && (h.count == EGRESS_HANDOUT_MAX || end)) {
			struct egress_handout part = h;

			part.last = h.last && end;
			r = hand_out(door, part, fds);
			while (h.count)
				close(fds[--h.count]);
		}
	}
	while (h.count)
		close(fds[--h.count]);
	return r;
}

/*
 * What is tried on a port without a listener the kernel answers by itself. So that it can be told all the
 * same, raw sockets see the first packets of connections and all datagrams but the resolver's. (Packet
 * sockets would cost less a packet, but 10 ms each when they are closed.)
 */
static int watch_open(bool v4, bool tcp)
{
	/* IPv4's begins with the IP header, IPv6's behind it. */
	struct sock_filter syn[] = {
		BPF_STMT(v4 ? BPF_LDX | BPF_B | BPF_MSH : BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),	/* SYN without ACK */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, EGRESS_WATCH_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter datagram[] = {
		BPF_STMT(v4 ? BPF_LDX | BPF_B | BPF_MSH : BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DNS_PORT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, EGRESS_WATCH_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog f = { tcp ? ARRAY_SIZE(syn) : ARRAY_SIZE(datagram), tcp ? syn : datagram };
	int bytes = 65536, on = 1;
	_cleanup_fd_ int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		tcp ? IPPROTO_TCP : IPPROTO_UDP);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof(f)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0 ||
		(!v4 && setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0))
		return -errno;
	return TAKE_FD(fd);
}

static int make_watches(const struct sandbox_door *door)
{
	struct egress_handout h = { .count = 0 };
	int fds[4], r = 0;

	for (unsigned i = 0; i < (door->ipv6 ? 4u : 2u) && r == 0; i++) {
		r = watch_open(i < 2, i % 2);
		if (r >= 0)
			fds[h.count++] = r, r = 0;
	}
	if (r == 0)
		r = hand_out(door, h, fds);
	while (h.count)
		close(fds[--h.count]);
	return r;
}

static int join_sides(struct plan *p, struct side *in, struct side *out, bool *ret_ipv6)
{
	_cleanup_fd_ int outside = ioctl(out->route, SIOCGSKNS);
	struct in6_addr resolver = pool4(EGRESS_RESOLVER);
	int r;

	if (outside < 0)
		return -errno;
	p->at = "a pair of interfaces (veth)";
	r = add_pair(in->route, outside);
	p->at = "addresses and routes";
	if (r == 0)
		r = raise_wire(in);
	if (r == 0)
		r = raise_wire(out);
	if (r == 0)
		r = add_own(in, out, pool4(EGRESS_OWN));
	if (r == 0)
		r = add_address(out, &resolver, out->loop);
	/* A kernel may have IPv6 and an administrator have switched it off. */
	*ret_ipv6 = r == 0 && p->s->door->ipv6 && add_own(in, out, pool6(EGRESS_OWN)) == 0;
	return r < 0 ? r : add_routes(p, in, out, *ret_ipv6);
}

int door_enter(struct plan *p)
{
	struct side out = { -1, 0, 0 }, in = out;
	bool ipv6 = false;
	int r = side_open(&out);

	p->at = "the door's sockets";
	if (r == 0)
		r = make_sockets(p->s->door, false, false);
	if (r == 0)
		r = make_watches(p->s->door);
	if (r == 0) {
		p->at = "a second network namespace";
		r = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
	}
	if (r == 0)
		r = side_open(&in);
	if (r == 0)
		r = join_sides(p, &in, &out, &ipv6);
	if (r == 0) {
		p->at = "the door's sockets on the loopback";
		r = make_sockets(p->s->door, true, ipv6);
	}
	fd_closep(&in.route);
	fd_closep(&out.route);
	if (r == 0)
		p->at = NULL;
	return r;
}
