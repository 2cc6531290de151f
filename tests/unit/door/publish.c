// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/door.h"

#include <criterion/criterion.h>

static void check(const char *text, const char *address, uint16_t host, uint16_t inside)
{
	struct door_publish p;
	struct in6_addr a;
	uint16_t port;
	char buf[INET_TEXT];

	cr_assert_eq(door_parse_publish(text, &p, NULL), 0, "%s", text);
	cr_assert_eq(inet_from_sockaddr((struct sockaddr *)&p.host, &a, &port), 0);
	cr_expect_str_eq(inet_text(&a, buf), address, "%s", text);
	cr_expect_eq(port, host, "%s", text);
	cr_expect_eq(p.port, inside, "%s", text);
}

Test(publish, forms)
{
	static const char *const bad[] = { "", "a", "0", "65536", "80:", ":80", "::80", "80:80:80:80", "a:80:80",
		"[::1]80:80", "[::1]:", "[]:80:80", "1.2.3:80:80", "80:0", "0:80", "-1", "80 ", "1.2.3.4:80",
		"::1:80:80" };
	struct door_publish p;

	check("80", "127.0.0.1", 80, 80);
	check("8080:80", "127.0.0.1", 8080, 80);
	check("0.0.0.0:8080:80", "0.0.0.0", 8080, 80);
	check("[::1]:8080:80", "::1", 8080, 80);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_lt(door_parse_publish(bad[i], &p, NULL), 0, "'%s'", bad[i]);
}
