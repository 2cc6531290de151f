// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/url.h"

#include <criterion/criterion.h>
#include <errno.h>

static const struct {
	const char *text;
	int result;
	const char *host;
	unsigned port;
	const char *path;
} parses[] = {
	{ "https://registry.npmjs.org/", 0, "registry.npmjs.org", 443, "/" },
	{ "http://registry.npmjs.org", 0, "registry.npmjs.org", 80, "" },
	{ "HTTPS://h:8443/a/b?c=/d#e", 0, "h", 8443, "/a/b" },
	{ "http://[::1]:4873/x", 0, "[::1]", 4873, "/x" },
	{ "https://h?q", 0, "h", 443, "" },
	{ "https://h/@scope%2fname/-/name-1.0.0+b.tgz", 0, "h", 443, "/@scope%2fname/-/name-1.0.0+b.tgz" },
	{ "https://user:secret@h/", -EACCES },
	{ "https://user@h/", -EACCES },
	{ "https://a@b:1@h/", -EINVAL },
	{ "https://h\\@r/", -EINVAL },
	{ "https://h /", -EINVAL },
	{ "https://h/\n", -EINVAL },
	{ "https://h/\x7f", -EINVAL },
	{ "https://h/\xc3\xa9", -EINVAL },
	{ "https://h\xc3\xa9/", -EINVAL },
	{ "https://%68/", -EINVAL },
	{ "https:///x", -EINVAL },
	{ "https://:80/x", -EINVAL },
	{ "https://h:/x", -EINVAL },
	{ "https://h:0/", -EINVAL },
	{ "https://h:65536/", -EINVAL },
	{ "https://h:8o/", -EINVAL },
	{ "https://[::1/", -EINVAL },
	{ "https://[]/", -EINVAL },
	{ "https://[::1]x/", -EINVAL },
	{ "https:/h/", -EINVAL },
	{ "file:///etc/passwd", -EINVAL },
	{ "//h/", -EINVAL },
	{ "", -EINVAL },
};

Test(url, parse)
{
	for (size_t i = 0; i < ARRAY_SIZE(parses); i++) {
		struct url u = { 0 };

		cr_expect_eq(url_parse(&u, str_from(parses[i].text)), parses[i].result, "%s",
			parses[i].text);
		if (parses[i].result)
			continue;
		cr_expect(str_is(u.host, parses[i].host), "%s", parses[i].text);
		cr_expect_eq(u.port, parses[i].port, "%s", parses[i].text);
		cr_expect(str_is(u.path, parses[i].path), "%s", parses[i].text);
	}
}

Test(url, origins)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "https://h/", "https://H:443/x", true },
		{ "http://h/", "https://h/", false },
		{ "http://h:443/", "https://h/", false },
		{ "https://h/", "https://h.evil/", false },
		{ "https://h/", "https://h:444/", false },
		{ "https://h./", "https://h/", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct url a, b;

		cr_assert_eq(url_parse(&a, str_from(cases[i].a)), 0);
		cr_assert_eq(url_parse(&b, str_from(cases[i].b)), 0);
		cr_expect_eq(url_same_origin(&a, &b), cases[i].same, "%s %s", cases[i].a, cases[i].b);
	}
}

Test(url, loopback)
{
	static const struct {
		const char *host;
		bool loopback;
	} cases[] = {
		{ "localhost:1", true },	{ "LOCALHOST", true },
		{ "127.0.0.1", true },		{ "127.255.3.4", true },
		{ "[::1]", true },		{ "localhost.evil", false },
		{ "127.0.0.1.evil", false },	{ "127.0.0", false },
		{ "127.0.0.256", false },	{ "128.0.0.1", false },
		{ "127.0.0.1.2", false },	{ "notlocalhost", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct url u;

		cr_assert_eq(buf_addf(&b, "http://%s/", cases[i].host), 0);
		cr_assert_eq(url_parse(&u, buf_str(&b)), 0);
		cr_expect_eq(url_is_loopback(&u), cases[i].loopback, "%s", cases[i].host);
	}
}

Test(url, redaction)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "https://h/a/b", "https://h/a/b" },
		{ "https://user:p@h/a?sig=s#f", "https://h/a?..." },
		{ "https://user:p@x@h/a", "https://h/a" },
		{ "u:p@h", "h" },
		{ "https://h/a@b", "https://h/a@b" },
		{ "https://user:p@h", "https://h" },
		{ "", "" },
		{ "?secret", "?..." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		cr_assert_eq(url_redact(str_from(cases[i].from), &b), 0);
		cr_expect_str_eq(buf_text(&b), cases[i].to);
	}
}
