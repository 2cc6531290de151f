// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"
#include "prim/err.h"

#include <criterion/criterion.h>

#define DIST "\"dist\":{\"tarball\":\"https://r.example/p/-/p-1.0.0.tgz\",\"integrity\":\"sha512-" \
	"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\"}"
#define ONE(fields) "{\"name\":\"p\",\"versions\":{\"1.0.0\":{\"name\":\"p\",\"version\":\"1.0.0\"," \
	DIST fields "}}}"

static struct package *parse(const char *text)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct package *p = NULL;

	cr_assert_eq(npm_metadata_parse(str_from(text), STR("p"), "https://r.example/p", &p, &d), 0,
		"%s", buf_text(&d.what));
	for (size_t i = 0; i < p->nreleases; i++)
		cr_assert_eq(release_load(p, &p->releases[i], &d), 0);
	return p;
}

static void refuses(const char *text, const char *says)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct package *p = NULL;

	cr_expect_eq(npm_metadata_parse(str_from(text), STR("p"), "https://r.example/p", &p, &d),
		-ERR_METADATA, "%s", text);
	cr_expect_null(p);
	cr_expect(strstr(buf_text(&d.what), says) != NULL, "'%s' in: %s", says, buf_text(&d.what));
	cr_expect(strstr(buf_text(&d.what), "metadata of p") != NULL);
	cr_expect_str_eq(buf_text(&d.where), "https://r.example/p");
}

/* "alias name requirement kind;…" */
static const char *dependencies(const struct release *r, struct buf *b)
{
	buf_reset(b);
	for (size_t i = 0; i < r->ndependencies; i++) {
		const struct dependency *d = &r->dependencies[i];

		(void)buf_addf(b, "%.*s %.*s %.*s %d;", STR_ARG(d->alias), STR_ARG(d->name),
			STR_ARG(d->requirement), d->kind);
	}
	return buf_text(b);
}

static const char *bins(const struct release *r, struct buf *b)
{
	buf_reset(b);
	for (size_t i = 0; i < r->nbins; i++)
		(void)buf_addf(b, "%.*s=%.*s;", STR_ARG(r->bins[i].name), STR_ARG(r->bins[i].path));
	return buf_text(b);
}

static const char *list(const struct str *s, size_t n, struct buf *b)
{
	buf_reset(b);
	for (size_t i = 0; i < n; i++)
		(void)buf_addf(b, "%.*s;", STR_ARG(s[i]));
	return buf_text(b);
}

Test(packument, releases_are_ascending_with_times_and_tags)
{
	static const char text[] = "{\"name\":\"p\",\"dist-tags\":{\"next\":\"2.0.0-rc.1\",\"latest\":"
		"\"1.10.0\",\"gone\":\"9.9.9\"},\"time\":{\"created\":\"2015-01-01T00:00:00.000Z\","
		"\"1.10.0\":\"2016-02-29T12:34:56.789Z\",\"1.9.0\":\"2016-02-30\",\"2.0.0-rc.1\":"
		"\"2000-01-01T00:00:00Z\"},\"versions\":{"
		"\"2.0.0-rc.1\":{" DIST "},\"1.10.0\":{" DIST "},\"1.9.0\":{" DIST "}}}";
	_cleanup_(package_free_p) struct package *p = parse(text);

	cr_assert_eq(p->nreleases, 3);
	cr_expect(str_is(p->name, "p"));
	cr_expect(str_is(p->releases[0].version, "1.9.0"));
	cr_expect(str_is(p->releases[1].version, "1.10.0"));
	cr_expect(str_is(p->releases[2].version, "2.0.0-rc.1"));
	cr_expect_eq(p->releases[0].published, -1);
	cr_expect_eq(p->releases[1].published, 1456749296789);
	cr_expect_eq(p->releases[2].published, 946684800000);
	cr_assert_eq(p->ntags, 2);
	cr_expect(str_is(p->tags[0].name, "latest") && str_is(p->tags[0].version, "1.10.0"));
	cr_expect(str_is(p->tags[1].name, "next") && str_is(p->tags[1].version, "2.0.0-rc.1"));
}

Test(packument, times_are_read_in_every_form_that_registries_write)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:00.000Z", 0 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2100-03-01T00:00:00Z", 4107542400000 },
		{ "2025-05-06T06:44:09.556000+00:00", 1746513849556 },
		{ "2025-05-06T06:44:09+02:00", 1746506649000 },
		{ "2025-05-06T06:44:09.5-00:30", 1746515649500 },
		{ "2025-05-06 06:44:09Z", -1 },
		{ "2025-05-06T06:44:09", -1 },
		{ "2025-13-06T06:44:09Z", -1 },
		{ "2025-05-06T06:44:09+2:00", -1 },
		{ "2025-05-06T06:44:09Zx", -1 },
		{ "1970-01-01T00:00:00+01:00", -1 },
		{ "", -1 },
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(package_free_p) struct package *p = NULL;

		snprintf(text, sizeof(text), "{\"versions\":{\"1.0.0\":{" DIST
			"}},\"time\":{\"1.0.0\":\"%s\"}}", cases[i].text);
		p = parse(text);
		cr_expect_eq(p->releases[0].published, cases[i].ms, "%s", cases[i].text);
	}
}

Test(packument, optional_wins_over_normal_and_both_over_peer)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_(package_free_p) struct package *p = parse(ONE(
		",\"dependencies\":{\"z\":\"1\",\"a\":\"npm:@s/b@^2\",\"o\":\"1\"},\"optionalDependencies\":"
		"{\"o\":\"2\"},\"peerDependencies\":{\"z\":\"3\",\"react\":\">=16\",\"q\":\"*\"},"
		"\"peerDependenciesMeta\":{\"q\":{\"optional\":true},\"react\":{\"optional\":false}}"));

	cr_expect_str_eq(dependencies(p->releases, &b),
		"a @s/b ^2 0;o o 2 2;q q * 4;react react >=16 3;z z 1 0;");
}

Test(packument, the_rest_of_a_version_is_read)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_(package_free_p) struct package *p = parse(ONE(
		",\"os\":[\"linux\",\"!win32\"],\"cpu\":\"x64\",\"libc\":[\"glibc\"],"
		"\"deprecated\":\"no \\u0007 more\","
		"\"engines\":{\"node\":\">=18\"},\"bundleDependencies\":[\"a\",\"../b\"],"
		"\"bin\":{\"p\":\"./cli.js\",\"../q\":\"lib//../../x/q.js\",\"-r\":\"r.js\",\"s\":\"..\"},"
		"\"scripts\":{\"test\":\"x\",\"postinstall\":\"node x\"}"));
	const struct release *r = p->releases;

	cr_expect_str_eq(list(r->platform.os, r->platform.nos, &b), "linux;!win32;");
	cr_expect_str_eq(list(r->platform.cpu, r->platform.ncpu, &b), "x64;");
	cr_expect_str_eq(list(r->platform.libc, r->platform.nlibc, &b), "glibc;");
	cr_expect_str_eq(list(r->bundled, r->nbundled, &b), "a;");
	cr_expect_str_eq(bins(r, &b), "p=cli.js;q=x/q.js;");
	cr_expect(str_is(r->engines, ">=18"));
	cr_expect(str_is(r->deprecated, "no \a more"));
	cr_expect(str_is(r->url, "https://r.example/p/-/p-1.0.0.tgz"));
	cr_expect(str_starts(r->integrity, STR("sha512-z4Ph")));
	cr_expect(r->scripts);
}

Test(packument, bin_may_be_one_path_and_bundled_may_be_all)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_(package_free_p) struct package *p = parse(ONE(
		",\"bin\":\"bin/p.js\",\"bundledDependencies\":true,\"dependencies\":{\"b\":\"1\",\"a\":\"1\"},"
		"\"hasInstallScript\":true"));

	cr_expect_str_eq(bins(p->releases, &b), "p=bin/p.js;");
	cr_expect_str_eq(list(p->releases->bundled, p->releases->nbundled, &b), "b;a;");
	cr_expect(p->releases->scripts);
}

Test(packument, a_shasum_stands_in_for_a_missing_integrity)
{
	_cleanup_(package_free_p) struct package *p = parse("{\"versions\":{"
		"\"1.0.0\":{\"dist\":{\"tarball\":\"http://r/p.tgz\",\"shasum\":"
		"\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}},"
		"\"2.0.0\":{\"dist\":{\"tarball\":\"http://r/p.tgz\",\"integrity\":\"md5-x\"}}}}");

	cr_assert_eq(p->nreleases, 2);
	cr_expect(str_is(p->releases[0].integrity, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="));
	cr_expect_eq(p->releases[1].integrity.n, 0);
	cr_expect(str_is(p->releases[1].url, "http://r/p.tgz"));
}

Test(packument, a_malformed_version_is_left_out)
{
	static const char *const bad[] = {
		"\"1.0\":{" DIST "}",
		"\"../1.0.0\":{" DIST "}",
		"\" 1.0.0\":{" DIST "}",
		"\"1.0.0\":7",
		"\"1.0.0\":{}",
		"\"1.0.0\":{\"dist\":{\"tarball\":\"file:///etc/passwd\"}}",
		"\"1.0.0\":{\"dist\":{\"tarball\":\"https://user:pw@h/x.tgz\"}}",
		"\"1.0.0\":{\"name\":\"other\"," DIST "}",
		"\"1.0.0\":{\"version\":\"1.0.1\"," DIST "}",
		"\"1.0.0\":{\"dependencies\":{\"../x\":\"1\"}," DIST "}",
		"\"1.0.0\":{\"dependencies\":{\"x\":{}}," DIST "}",
		"\"1.0.0\":{\"optionalDependencies\":{\"--x\":\"1\"}," DIST "}",
	};
	char text[2048];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(package_free_p) struct package *p = NULL;

		snprintf(text, sizeof(text), "{\"versions\":{%s,\"2.0.0\":{" DIST "}}}", bad[i]);
		p = parse(text);
		cr_expect_eq(p->nreleases, 1, "%s", bad[i]);
		cr_expect(str_is(p->releases[0].version, "2.0.0"), "%s", bad[i]);
	}
}

Test(packument, of_a_name_that_is_there_twice_the_first_counts)
{
	_cleanup_(package_free_p) struct package *p = parse("{\"versions\":{\"1.0.0\":{\"os\":[\"a\"]," DIST
		"},\"1.0.0\":{\"os\":[\"b\"]," DIST "}}}");

	cr_assert_eq(p->nreleases, 1);
	cr_expect(str_is(p->releases[0].platform.os[0], "a"));
}

Test(packument, what_is_no_packument_is_refused)
{
	_cleanup_free_ char *deep = malloc(2000001);

	refuses("", "not valid JSON");
	refuses("<html>", "not valid JSON");
	refuses("[]", "not an object");
	refuses("{}", "'versions' is missing");
	refuses("{\"error\":\"not found\"}", "'versions' is missing");
	refuses("{\"versions\":[]}", "'versions' is not an object");
	refuses("{\"name\":\"q\",\"versions\":{}}", "'q'");
	memset(deep, '[', 1000000);
	memset(deep + 1000000, ']', 1000000);
	deep[2000000] = '\0';
	refuses(deep, "nested too deep");
}

Test(packument, ten_million_keys_are_refused_or_passed_over)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_(package_free_p) struct package *p = NULL;

	(void)buf_adds(&b, "{\"versions\":{\"1.0.0\":{" DIST "}},\"time\":{\"a\":1");
	for (int i = 0; i < 10000000; i++)
		(void)buf_adds(&b, ",\"a\":1");
	(void)buf_adds(&b, "}}");
	p = parse(buf_text(&b));
	cr_expect_eq(p->nreleases, 1);
	buf_reset(&b);
	(void)buf_adds(&b, "{\"versions\":{\"a\":1");
	for (int i = 0; i < 200000; i++)
		(void)buf_addf(&b, ",\"1.0.%d\":{\"dist\":{\"tarball\":\"http://h/\"}}", i);
	(void)buf_adds(&b, "}}");
	refuses(buf_text(&b), "more than 100000 versions");
}

Test(packument, a_package_without_versions_is_empty)
{
	_cleanup_(package_free_p) struct package *p = parse("{\"versions\":{}}");

	cr_expect_eq(p->nreleases, 0);
	cr_expect_eq(p->ntags, 0);
}
