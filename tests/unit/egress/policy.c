// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy.h"

#include "prim/attr.h"

#include <criterion/criterion.h>

static struct egress_grant grant(uint8_t kind, const char *name, uint16_t from, uint16_t to)
{
	struct egress_grant g = { .kind = kind, .length = (uint8_t)strlen(name), .nports = 1,
		.ports = { { from, to } } };

	memcpy(g.name, name, g.length);
	return g;
}

Test(policy, what_no_supervisor_sends_is_refused)
{
	static const struct {
		const char *what, *name;
		uint16_t from, to;
		uint8_t kind, nports, length;	/* length 0: the name's */
	} cases[] = {
		{ "a kind", "a", 1, 1, 9, 1 },
		{ "no name", "", 1, 1, EGRESS_HOST, 1 },
		{ "a net with a name", "a", 1, 1, EGRESS_NET, 1 },
		{ "upper case", "A", 1, 1, EGRESS_HOST, 1 },
		{ "a line's end", "a\n", 1, 1, EGRESS_HOST, 1 },
		{ "a range backwards", "a", 2, 1, EGRESS_HOST, 1 },
		{ "port 0", "a", 0, 1, EGRESS_HOST, 1 },
		{ "no ports", "a", 1, 1, EGRESS_HOST, 0 },
		{ "too many ports", "a", 1, 1, EGRESS_HOST, EGRESS_PORTS_MAX + 1 },
		{ "too long a name", "a", 1, 1, EGRESS_HOST, 1, 255 },
	};
	struct policy p = { 0 };
	struct egress_grant g;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		g = grant(cases[i].kind, cases[i].name, cases[i].from, cases[i].to);
		g.nports = cases[i].nports;
		g.length = cases[i].length ? cases[i].length : g.length;
		cr_expect_lt(policy_add(&p, &g), 0, "%s", cases[i].what);
	}
	cr_expect_eq(p.n, 0u);
	g = grant(EGRESS_HOST, "a", 1, 1);
	for (int i = 0; i < EGRESS_GRANTS_MAX; i++)
		cr_expect_eq(policy_add(&p, &g), 0);
	cr_expect_lt(policy_add(&p, &g), 0, "too many");
	policy_done(&p);
}

Test(policy, finds)
{
	struct egress_grant one = grant(EGRESS_HOST, "api.example", 443, 443),
		below = grant(EGRESS_BELOW, "cdn.example", 80, 90), net = grant(EGRESS_NET, "", 22, 22);
	struct in6_addr ten = inet_from4(0x0a000000), inside = inet_from4(0x0a010203), other = inet_from4(0x0b000000);
	struct policy p = { 0 };

	net.bits = 104;
	memcpy(net.net, &ten, sizeof(ten));
	cr_assert_eq(policy_add(&p, &one), 0);
	cr_assert_eq(policy_add(&p, &below), 0);
	cr_assert_eq(policy_add(&p, &net), 0);
	cr_expect_eq(policy_find_name(&p, STR("api.example"), 443), p.rules[0]);
	cr_expect_null(policy_find_name(&p, STR("api.example"), 80));
	cr_expect_null(policy_find_name(&p, STR("x.api.example"), 443));
	cr_expect_eq(policy_find_name(&p, STR("a.b.cdn.example"), 85), p.rules[1]);
	cr_expect_null(policy_find_name(&p, STR("cdn.example"), 85));
	cr_expect_null(policy_find_name(&p, STR(".cdn.example"), 85));
	cr_expect_null(policy_find_name(&p, STR("evilcdn.example"), 85));
	cr_expect_eq(policy_knows(&p, STR("a.cdn.example")), p.rules[1]);
	cr_expect_null(policy_knows(&p, STR("")));
	cr_expect_eq(policy_find_address(&p, &inside, 22), p.rules[2]);
	cr_expect_null(policy_find_address(&p, &inside, 23));
	cr_expect_null(policy_find_address(&p, &other, 22));
	policy_done(&p);
}
