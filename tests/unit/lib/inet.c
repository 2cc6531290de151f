// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/inet.h"
#include "prim/attr.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct in6_addr at(const char *text)
{
	struct in6_addr a;

	cr_assert_eq(inet_parse(str_from(text), &a), 0, "%s", text);
	return a;
}

Test(inet, text)
{
	static const char *const same[] = { "1.2.3.4", "0.0.0.0", "::", "::1", "2001:db8::7", "fe80::1" };
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.0.0.1", "127.1", "1.2.3.4 ",
		"::1%lo", "[::1]", ":::", "12345::", "1.2.3.256", "::ffff:1.2.3.4.5" };
	char text[INET_TEXT];
	struct in6_addr a;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		a = at(same[i]);
		cr_expect_str_eq(inet_text(&a, text), same[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_lt(inet_parse(str_from(bad[i]), &a), 0, "%s", bad[i]);
	a = at("::ffff:9.8.7.6");
	cr_expect(inet_is4(&a));
	cr_expect_str_eq(inet_text(&a, text), "9.8.7.6");
	cr_expect_lt(inet_parse(str_of("1.2.3.4\0x", 9), &a), 0);
}

Test(inet, what_is_public)
{
	static const char *const public[] = { "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255",
		"172.32.0.1", "100.63.255.255", "100.128.0.0", "169.253.1.1", "192.167.1.1", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::5", "64:ff9b::808:808",
		"2002:808:808::1", "::ffff:8.8.8.8" };
	static const char *const not[] = { "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.5", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"168.63.129.16", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
		"2001:db8::1", "2001:2::5", "2001::1", "3fff::1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
		"64:ff9b:1::1", "2002:a00:1::1", "2002:7f00:1::", "2002:c0a8:101::", "::ffff:10.0.0.1",
		"::ffff:127.0.0.1", "::127.0.0.1", "100::1", "5f00::1", "4000::1" };

	for (size_t i = 0; i < ARRAY_SIZE(public); i++) {
		struct in6_addr a = at(public[i]);

		cr_expect(inet_is_public(&a), "%s", public[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(not); i++) {
		struct in6_addr a = at(not[i]);

		cr_expect_not(inet_is_public(&a), "%s", not[i]);
	}
}

static bool reaches(const char *net, unsigned bits, const char *address)
{
	struct in6_addr n = at(net), a = at(address);

	return inet_reaches(&n, bits, &a);
}

Test(inet, what_a_prefix_reaches)
{
	cr_expect(reaches("10.0.0.0", 104, "10.9.8.7"));
	cr_expect_not(reaches("10.0.0.0", 104, "11.0.0.0"));
	cr_expect(reaches("192.168.7.128", 121, "192.168.7.255"));
	cr_expect_not(reaches("192.168.7.128", 121, "192.168.7.127"));
	cr_expect(reaches("127.0.0.1", 128, "127.0.0.1"));
	cr_expect_not(reaches("127.0.0.1", 128, "127.0.0.2"));
	cr_expect(reaches("fd00::", 8, "fd12::1"));
	/* Everything is what is public of one family. */
	cr_expect(reaches("0.0.0.0", 96, "8.8.8.8"));
	cr_expect_not(reaches("0.0.0.0", 96, "10.0.0.1"));
	cr_expect_not(reaches("0.0.0.0", 96, "169.254.169.254"));
	cr_expect_not(reaches("0.0.0.0", 96, "2606:4700::1"));
	cr_expect(reaches("::", 0, "2606:4700::1"));
	cr_expect_not(reaches("::", 0, "fd00::1"));
	cr_expect_not(reaches("::", 0, "8.8.8.8"));
	cr_expect_not(reaches("::", 129, "2606:4700::1"));
}

Test(inet, sockaddr)
{
	static const char *const all[] = { "1.2.3.4", "2001:db8::1" };
	struct sockaddr_storage sa;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct in6_addr a = at(all[i]), back;
		uint16_t port;

		cr_expect_gt(inet_to_sockaddr(&a, 443, &sa), 0u);
		cr_expect_eq(inet_from_sockaddr((struct sockaddr *)&sa, &back, &port), 0);
		cr_expect_eq(memcmp(&a, &back, sizeof(a)), 0);
		cr_expect_eq(port, 443);
	}
	sa.ss_family = AF_UNIX;
	cr_expect_lt(inet_from_sockaddr((struct sockaddr *)&sa, &(struct in6_addr){ 0 }, &(uint16_t){ 0 }), 0);
}

Test(inet, ports)
{
	static const char *const bad[] = { "", ",", "1,", ",1", "1,,2", "65536", "100000", "01", "9-8", "1-", "-1",
		"1-2-3", "1 ", "a", "0x1", "0" };
	struct inet_ports p[3] = { 0 };

	cr_expect_eq(inet_parse_ports(STR("80,443,8000-65535"), 1, p, 3), 3);
	cr_expect(p[0].from == 80 && p[0].to == 80 && p[2].from == 8000 && p[2].to == 65535);
	cr_expect_eq(inet_parse_ports(STR("0-1"), 0, p, 3), 1);
	cr_expect(p[0].from == 0 && p[0].to == 1);
	cr_expect_eq(inet_parse_ports(STR("1,2,3,4"), 1, p, 3), -ERR_LIMIT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(inet_parse_ports(str_from(bad[i]), 1, p, 3), -EINVAL, "'%s'", bad[i]);
}
