// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "prim/attr.h"

#include <errno.h>

static struct str name_of(const struct rule *r)
{
	return str_of(r->grant.name, r->grant.length);
}

static bool is_valid(const struct egress_grant *g)
{
	if (g->kind > EGRESS_NET || g->bits > 128 || g->nports == 0 || g->nports > EGRESS_PORTS_MAX ||
		g->length > EGRESS_NAME_MAX || (g->kind == EGRESS_NET) != (g->length == 0))
		return false;
	for (unsigned i = 0; i < g->nports; i++)
		if (g->ports[i].from == 0 || g->ports[i].from > g->ports[i].to)
			return false;
	for (unsigned i = 0; i < g->length; i++)
		if (g->name[i] <= ' ' || g->name[i] > '~' || (g->name[i] >= 'A' && g->name[i] <= 'Z'))
			return false;
	return true;
}

int policy_add(struct policy *p, const struct egress_grant *g)
{
	struct rule *r;

	if (p->n == EGRESS_GRANTS_MAX || !is_valid(g))
		return -EPROTO;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->grant = *g;
	memcpy(&r->net, g->net, sizeof(r->net));
	p->rules[p->n++] = r;
	return 0;
}

void policy_done(struct policy *p)
{
	while (p->n)
		free(p->rules[--p->n]);
}

static bool has_port(const struct rule *r, uint16_t port)
{
	for (unsigned i = 0; i < r->grant.nports; i++)
		if (port >= r->grant.ports[i].from && port <= r->grant.ports[i].to)
			return true;
	return false;
}

static bool has_name(const struct rule *r, struct str name)
{
	struct str own = name_of(r);

	if (r->grant.kind == EGRESS_HOST)
		return str_eq(own, name);
	return r->grant.kind == EGRESS_BELOW && name.n > own.n + 1 && str_ends(name, own) &&
		name.p[name.n - own.n - 1] == '.';
}

struct rule *policy_find_name(const struct policy *p, struct str name, uint16_t port)
{
	for (unsigned i = 0; i < p->n; i++)
		if (has_name(p->rules[i], name) && has_port(p->rules[i], port))
			return p->rules[i];
	return NULL;
}

struct rule *policy_knows(const struct policy *p, struct str name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (has_name(p->rules[i], name))
			return p->rules[i];
	return NULL;
}

struct rule *policy_find_address(const struct policy *p, const struct in6_addr *a, uint16_t port)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct rule *r = p->rules[i];

		if (r->grant.kind == EGRESS_NET && inet_reaches(&r->net, r->grant.bits, a) &&
			has_port(r, port))
			return p->rules[i];
	}
	return NULL;
}
