// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/grant.h"

#include <criterion/criterion.h>

static int add(struct grants *g, const char *text)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r = grants_add(g, str_from(text), &d);

	if (r < 0)
		cr_expect_gt(d.what.len, 0u, "%s is refused without a word", text);
	return r;
}

static bool name(const struct grants *g, const char *text, uint16_t port)
{
	return grants_find_name(g, str_from(text), port) != NULL;
}

static bool address(const struct grants *g, const char *text, uint16_t port)
{
	struct in6_addr a;

	cr_assert_eq(inet_parse(str_from(text), &a), 0, "%s", text);
	return grants_find_address(g, &a, port) != NULL;
}

Test(grant, good)
{
	static const char *const good[] = { "example.com:443", "EXAMPLE.com:1", "a:65535", "x_y.z:80",
		"*.example.com:443", "*.com:1-65535", "xn--bcher-kva.example:443", "1.example:80", "3com:80",
		"10.0.0.0/8:5432", "10.1.2.3:22", "0.0.0.0/0:443", "[::/0]:443", "[2001:db8::/32]:1,2,3",
		"[fd00::1]:8080", "127.0.0.1:3000", "[::1]:3000", "169.254.169.254:80", "h:80,443,8000-8100" };
	struct grants g = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect_eq(add(&g, good[i]), 0, "%s", good[i]);
	cr_expect_eq(g.v.n, ARRAY_SIZE(good));
	grants_done(&g);
}

Test(grant, hostile)
{
	static const char *const bad[] = { "", ":", "a", "a:", ":80", "*:80", "*.:80", "**.a:80", "*a.b:80",
		"a.*:80", "a.*.b:80", "a:0", "a:65536", "a:99999999999999999999", "a:-1", "a:1-", "a:-", "a:2-1", "a:1,",
		"a:,1", "a:1,,2", "a:1 2", "a: 80", " a:80", "a :80", "a:+80", "a:0x50", "a:80\n", "a\n:80", "a..b:80",
		".a:80", "a.:80", "-a:80", "a-:80", "a.-b:80", "a/b:80", "http://a:80", "a@b:80", "a%00:80",
		"b\xc3\xbc" "cher:80", "a,b:80", "1.2.3:80", "1.2.3.4.5:80", "127.1:80", "256.1.1.1:80", "0x7f.1:80",
		"1.2.3.4/:80", "1.2.3.4/33:80", "1.2.3.4/-1:80", "1.2.3.4/8:80", "1.2.3.4/032:80", "10.0.0.0/8/8:80",
		"::1:80", "[::1:80", "::1]:80", "[]:80", "[a]:80", "[1.2.3.4]:80", "[::/129]:80", "[::1/64]:80",
		"[fe80::1%lo]:80", "[::ffff:1.2.3.4]:80", "[::ffff:0:0/96]:80", "[::/8]:80", "[::]:80", "0.0.0.0:80",
		"127.0.0.0/8:80", "126.0.0.0/7:80", "[::/64]:80", "224.0.0.1:80", "255.255.255.255:80", "[ff02::1]:80",
		"198.18.0.5:80", "198.18.0.0/15:80", "198.0.0.0/8:80", "[2001:2::5]:80", "[2001::/16]:80",
		"localhost:80", "LOCALHOST:80", "a.localhost:80", "*.localhost:80" };
	char label[80], whole[300], ports[400] = "a:1";
	struct grants g = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_lt(add(&g, bad[i]), 0, "'%s'", bad[i]);
	memset(label, 'x', 64);
	memcpy(label + 64, ":80", 4);
	cr_expect_lt(add(&g, label), 0, "a label of 64");
	for (size_t i = 0; i < 254; i++)
		whole[i] = i % 2 ? '.' : 'a';
	memcpy(whole + 254, "a:80", 5);
	cr_expect_lt(add(&g, whole), 0, "a name of 255");
	for (size_t i = 0; i < GRANT_PORTS_MAX; i++)
		memcpy(ports + 3 + 2 * i, ",1", 3);
	cr_expect_lt(add(&g, ports), 0, "65 ports");
	cr_expect_eq(g.v.n, 0u);
	cr_expect_lt(grants_add(&g, str_of("a\0b:80", 6), NULL), 0, "a NUL");
	grants_done(&g);
}

Test(grant, as_many_as_there_may_be)
{
	struct grants g = { 0 };

	for (size_t i = 0; i < GRANTS_MAX; i++)
		cr_expect_eq(add(&g, "a:1"), 0);
	cr_expect_lt(add(&g, "a:1"), 0);
	grants_done(&g);
}

Test(grant, names)
{
	struct grants g = { 0 };

	cr_assert_eq(add(&g, "API.Example.com:443,8000-8002"), 0);
	cr_assert_eq(add(&g, "*.cdn.example.com:80"), 0);
	cr_expect(name(&g, "api.example.com", 443));
	cr_expect(name(&g, "api.example.com", 8001));
	cr_expect_not(name(&g, "api.example.com", 8003));
	cr_expect_not(name(&g, "api.example.com", 80));
	cr_expect_not(name(&g, "www.api.example.com", 443));
	cr_expect_not(name(&g, "xapi.example.com", 443));
	cr_expect_not(name(&g, "example.com", 443));
	cr_expect(name(&g, "a.cdn.example.com", 80));
	cr_expect(name(&g, "a.b.cdn.example.com", 80));
	cr_expect_not(name(&g, "cdn.example.com", 80));
	cr_expect_not(name(&g, ".cdn.example.com", 80));
	cr_expect_not(name(&g, "xcdn.example.com", 80));
	cr_expect_not(name(&g, "a.cdn.example.com", 443));
	cr_expect(grants_know(&g, STR("a.cdn.example.com")));
	cr_expect_not(grants_know(&g, STR("evil.com")));
	cr_expect_not(address(&g, "1.2.3.4", 443));
	grants_done(&g);
}

Test(grant, addresses)
{
	struct grants g = { 0 };

	cr_assert_eq(add(&g, "10.0.0.0/8:5432"), 0);
	cr_assert_eq(add(&g, "[fd00::/8]:80"), 0);
	cr_assert_eq(add(&g, "0.0.0.0/0:443"), 0);
	cr_expect(address(&g, "10.255.0.1", 5432));
	cr_expect_not(address(&g, "10.255.0.1", 5433));
	cr_expect_not(address(&g, "11.0.0.1", 5432));
	cr_expect(address(&g, "fd12::1", 80));
	cr_expect(address(&g, "8.8.8.8", 443));
	cr_expect_not(address(&g, "192.168.1.1", 443));
	cr_expect_not(address(&g, "169.254.169.254", 443));
	cr_expect_not(address(&g, "2606:4700::1", 443));
	cr_expect_not(name(&g, "10.0.0.1", 5432));
	grants_done(&g);
}
