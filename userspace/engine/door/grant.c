// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/grant.h"

#include "cratons/wire/egress.h"
#include "prim/err.h"

#include <errno.h>

_Static_assert(GRANTS_MAX == EGRESS_GRANTS_MAX && GRANT_PORTS_MAX == EGRESS_PORTS_MAX, "one limit");

#define LABEL_MAX 63

static int refuse(struct diag *d, struct str text, const char *why)
{
	diag_fail(d, -ERR_USAGE, "'%.*s' is no network grant: %s", STR_ARG(text), why);
	return diag_hint(d, "HOST:PORT, *.HOST:PORT, ADDRESS/BITS:PORT or [ADDRESS/BITS]:PORT; PORT is a list "
		"like 80,443,8000-8100");
}

static int parse_ports(struct grants *g, struct grant *grant, struct str text)
{
	struct inet_ports ports[GRANT_PORTS_MAX];
	int n = inet_parse_ports(text, 1, ports, GRANT_PORTS_MAX);

	if (n < 0)
		return n;
	grant->ports = arena_newn(&g->arena, struct inet_ports, (size_t)n);
	if (!grant->ports)
		return -ENOMEM;
	memcpy(grant->ports, ports, (size_t)n * sizeof(*ports));
	grant->nports = (size_t)n;
	return 0;
}

/* Labels of letters, digits, hyphens and (as service names have them) underscores: RFC 1123, 2.1. */
static bool is_name(struct str text)
{
	bool letter = false;

	if (text.n == 0 || text.n > EGRESS_NAME_MAX)
		return false;
	while (text.p) {
		struct str label = str_cut(&text, '.');

		if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' ||
			label.p[label.n - 1] == '-')
			return false;
		letter = false;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

			if (!alpha && !(c >= '0' && c <= '9') && c != '-')
				return false;
			letter |= alpha || c == '-';
		}
	}
	/* A last label of digits alone would be an address in some program's eyes ("1.2.3", "0x7f.1"). */
	return letter;
}

static int set_name(struct grants *g, struct grant *grant, struct str name)
{
	char *copy = (char *)arena_str(&g->arena, name).p;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < name.n; i++)
		copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] | 0x20 : copy[i]);
	grant->name = str_of(copy, name.n);
	return 0;
}

static bool is_localhost(struct str name)
{
	return str_is(name, "localhost") || str_ends(name, STR(".localhost"));
}

static int parse_name(struct grants *g, struct grant *grant, struct str host, struct diag *d)
{
	bool below = str_starts(host, STR("*."));
	int r;

	if (below)
		host = str_slice(host, 2, host.n);
	if (!is_name(host))
		return refuse(d, grant->text, "the host is neither a name (of letters, digits, '-' and '.') "
			"nor an address");
	grant->kind = below ? GRANT_BELOW : GRANT_NAME;
	r = set_name(g, grant, host);
	if (r == 0 && is_localhost(grant->name))
		return refuse(d, grant->text, "inside, localhost is the container itself; the host's own is "
			"granted as 127.0.0.1:PORT");
	return r;
}

static bool is_clean(const struct in6_addr *net, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		if (net->s6_addr[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

static bool meets(const struct grant *grant, struct in6_addr net, unsigned bits)
{
	return inet_covers(&net, MIN(bits, grant->bits), &grant->net);
}

/* What the container has another use for, so that a grant of it would do nothing. */
static const char *unusable(const struct grant *grant)
{
	static const struct in6_addr pool6 = { .s6_addr = EGRESS_POOL6 }, mapped = { .s6_addr = {
		[10] = 0xff, [11] = 0xff } };
	bool all = grant->bits == (inet_is4(&grant->net) ? 96 : 0);

	if (all)
		return NULL;
	if (meets(grant, inet_from4(EGRESS_POOL4), 96 + EGRESS_POOL4_BITS) ||
		meets(grant, pool6, EGRESS_POOL6_BITS))
		return "198.18.0.0/15 and 2001:2::/48 stand for names inside the container";
	if ((meets(grant, inet_from4(0x7f000000), 104) || meets(grant, in6addr_loopback, 128)) &&
		grant->bits != 128)
		return "of loopback addresses, only single ones can be granted";
	if (meets(grant, inet_from4(0xe0000000), 100) || (grant->net.s6_addr[0] == 0xff &&
		grant->bits >= 8) || meets(grant, inet_from4(0), 104) || (!inet_is4(&grant->net) &&
		meets(grant, mapped, 96)) || (grant->bits == 128 && IN6_IS_ADDR_UNSPECIFIED(&grant->net)) ||
		meets(grant, inet_from4(0xffffffff), 128))
		return "no connection can be made to such an address";
	return NULL;
}

static int parse_net(struct grant *grant, struct str host, struct diag *d)
{
	bool prefix = memchr(host.p, '/', host.n) != NULL;
	struct str address = str_cut(&host, '/');
	uint64_t bits = 0;
	unsigned base, most;
	const char *why;

	if (inet_parse(address, &grant->net) < 0)
		return -EINVAL;
	base = memchr(address.p, ':', address.n) ? 0 : 96;
	most = 128 - base;
	if (prefix && (host.n == 0 || host.n > 3 || (host.n > 1 && host.p[0] == '0') ||
		str_u64(host, &bits) < 0 || bits > most))
		return refuse(d, grant->text, "the number of bits is not right");
	if (base == 0 && inet_is4(&grant->net))
		return refuse(d, grant->text, "an IPv4 address is written as one");
	grant->kind = GRANT_NET;
	grant->bits = base + (prefix ? (unsigned)bits : most);
	if (!is_clean(&grant->net, grant->bits))
		return refuse(d, grant->text, "the address has bits beyond its prefix");
	why = unusable(grant);
	return why ? refuse(d, grant->text, why) : 0;
}

/* Cuts at the last colon, or behind the bracket that encloses an IPv6 address. */
static int split(struct str text, struct str *ret_host, struct str *ret_ports, bool *ret_bracket)
{
	bool bracket = text.n && text.p[0] == '[';
	size_t at = text.n;

	while (at > 0 && text.p[at - 1] != ':')
		at--;
	if (at == 0 || at == text.n)
		return -EINVAL;
	*ret_ports = str_slice(text, at, text.n);
	*ret_host = str_slice(text, bracket, at - 1);
	if (bracket && (ret_host->n == 0 || ret_host->p[--ret_host->n] != ']'))
		return -EINVAL;
	if (!bracket && memchr(ret_host->p, ':', ret_host->n))
		return -EINVAL;
	*ret_bracket = bracket;
	return ret_host->n ? 0 : -EINVAL;
}

static int parse(struct grants *g, struct grant *grant, struct diag *d)
{
	struct str host, ports;
	bool bracket;
	int r;

	if (grant->text.n > EGRESS_NAME_MAX + 512 || split(grant->text, &host, &ports, &bracket) < 0)
		return refuse(d, grant->text, "it has to name a host and its ports");
	r = parse_ports(g, grant, ports);
	if (r == -ERR_LIMIT)
		return refuse(d, grant->text, "it has too many ranges of ports");
	if (r < 0)
		return r == -ENOMEM ? r : refuse(d, grant->text, "the ports are not right");
	r = bracket == (memchr(host.p, ':', host.n) != NULL) ? parse_net(grant, host, d) : -EINVAL;
	if (r == -EINVAL)
		r = bracket ? refuse(d, grant->text, "in brackets stands an IPv6 address") :
			parse_name(g, grant, host, d);
	return r;
}

int grants_add(struct grants *g, struct str text, struct diag *d)
{
	struct grant grant = { .text = arena_str(&g->arena, text) };
	int r;

	if (!grant.text.p)
		return -ENOMEM;
	if (g->v.n == GRANTS_MAX)
		return refuse(d, text, "there are too many");
	r = parse(g, &grant, d);
	return r < 0 ? r : vec_push(&g->v, grant);
}

void grants_done(struct grants *g)
{
	vec_done(&g->v);
	arena_done(&g->arena);
}

static bool has_port(const struct grant *grant, uint16_t port)
{
	for (size_t i = 0; i < grant->nports; i++)
		if (port >= grant->ports[i].from && port <= grant->ports[i].to)
			return true;
	return false;
}

static bool has_name(const struct grant *grant, struct str name)
{
	if (grant->kind == GRANT_NAME)
		return str_eq(grant->name, name);
	return grant->kind == GRANT_BELOW && name.n > grant->name.n + 1 &&
		str_ends(name, grant->name) && name.p[name.n - grant->name.n - 1] == '.';
}

const struct grant *grants_find_name(const struct grants *g, struct str name, uint16_t port)
{
	vec_foreach(grant, &g->v)
		if (has_name(grant, name) && has_port(grant, port))
			return grant;
	return NULL;
}

const struct grant *grants_find_address(const struct grants *g, const struct in6_addr *a, uint16_t port)
{
	vec_foreach(grant, &g->v)
		if (grant->kind == GRANT_NET && inet_reaches(&grant->net, grant->bits, a) &&
			has_port(grant, port))
			return grant;
	return NULL;
}

bool grants_know(const struct grants *g, struct str name)
{
	vec_foreach(grant, &g->v)
		if (has_name(grant, name))
			return true;
	return false;
}
