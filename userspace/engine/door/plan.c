// SPDX-License-Identifier: GPL-2.0-or-later
/* From grants to what is built in the container's namespaces: routes and listening sockets. */
#include "engine/door/door-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <sys/resource.h>

#define RESOLVER_TEXT "198.18.0.2"
#define DNS_PORT      53
#define FDS_BESIDE    96	/* those of the helper's that are no listeners */

struct plan {
	struct arena *arena;
	struct sandbox_door_route *routes;
	struct sandbox_door_socket *sockets;
	size_t nroutes, nsockets;
	uint8_t ports[(UINT16_MAX + 1) / 8];	/* those with a listener */
	struct diag *diag;
};

static bool is_loopback(const struct grant *g)
{
	return g->kind == GRANT_NET && g->bits == 128 && (inet_is4(&g->net) ?
		g->net.s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(&g->net));
}

static bool same_route(const struct sandbox_door_route *a, const struct in6_addr *net, unsigned bits)
{
	return a->bits == bits && memcmp(&a->net, net, sizeof(*net)) == 0;
}

static void add_route(struct plan *p, struct in6_addr net, unsigned bits)
{
	for (size_t i = 0; i < p->nroutes; i++)
		if (same_route(&p->routes[i], &net, bits))
			return;
	p->routes[p->nroutes++] = (struct sandbox_door_route){ net, bits };
}

static int add_socket(struct plan *p, struct sandbox_door_socket s)
{
	if (p->nsockets == EGRESS_LISTENERS_MAX)
		return diag_fail(p->diag, -ERR_USAGE, "the network grants name more than %u ports",
			EGRESS_LISTENERS_MAX - 2);
	p->sockets[p->nsockets++] = s;
	return 0;
}

static int add_loopback(struct plan *p, const struct grant *g, uint16_t port)
{
	for (size_t i = 0; i < p->nsockets; i++)
		if (p->sockets[i].inside && p->sockets[i].port == port &&
			memcmp(&p->sockets[i].address, &g->net, sizeof(g->net)) == 0)
			return 0;
	return add_socket(p, (struct sandbox_door_socket){ g->net, port, .inside = true });
}

/* One listener answers for all addresses. */
static int add_port(struct plan *p, uint16_t port)
{
	uint8_t bit = (uint8_t)(1 << port % 8);

	if (p->ports[port / 8] & bit)
		return 0;
	p->ports[port / 8] |= bit;
	return add_socket(p, (struct sandbox_door_socket){ .port = port });
}

static int add_grant(struct plan *p, const struct grant *g)
{
	bool loopback = is_loopback(g);
	int r = 0;

	for (size_t i = 0; i < g->nports && r == 0; i++)
		for (unsigned port = g->ports[i].from; port <= g->ports[i].to && r == 0; port++)
			r = loopback ? add_loopback(p, g, (uint16_t)port) : add_port(p, (uint16_t)port);
	if (r == 0 && g->kind == GRANT_NET && !loopback)
		add_route(p, g->net, g->bits);
	return r;
}

static bool has_ipv6(void)
{
	_cleanup_fd_ int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0;
}

/* The helper holds all of them, and root's raises its own limit. */
static int check_descriptors(const struct plan *p)
{
	struct rlimit files;

	if (geteuid() == 0 || getrlimit(RLIMIT_NOFILE, &files) < 0 || p->nsockets + FDS_BESIDE <= files.rlim_max)
		return 0;
	diag_fail(p->diag, -ERR_LIMIT, "the network grants name %zu ports, and a process may have %llu descriptors",
		p->nsockets - 1, (unsigned long long)files.rlim_max);
	return diag_hint(p->diag, "grant fewer, or raise the limit of open files (ulimit -Hn)");
}

int door_plan(struct door *o, struct diag *d)
{
	static const struct in6_addr pool6 = { .s6_addr = EGRESS_POOL6 };
	struct plan p = { .arena = &o->arena, .diag = d };
	int r;

	p.routes = arena_newn(p.arena, struct sandbox_door_route, o->grants->v.n + 2);
	p.sockets = arena_newn(p.arena, struct sandbox_door_socket, EGRESS_LISTENERS_MAX);
	if (!p.routes || !p.sockets)
		return diag_fail(d, -ENOMEM, "out of memory");
	add_route(&p, inet_from4(EGRESS_POOL4), 96 + EGRESS_POOL4_BITS);
	add_route(&p, pool6, EGRESS_POOL6_BITS);
	r = add_socket(&p, (struct sandbox_door_socket){ inet_from4(EGRESS_POOL4 + EGRESS_RESOLVER),
		DNS_PORT, .datagram = true });
	/* The resolver's TCP is one port of the many. */
	if (r == 0)
		r = add_port(&p, DNS_PORT);
	for (size_t i = 0; i < o->grants->v.n && r == 0; i++)
		r = add_grant(&p, &o->grants->v.v[i]);
	if (r == 0)
		r = check_descriptors(&p);
	o->sandbox = (struct sandbox_door){ p.routes, p.nroutes, p.sockets, p.nsockets, .to = -1,
		.ipv6 = has_ipv6(), .resolver = RESOLVER_TEXT };
	return r;
}
