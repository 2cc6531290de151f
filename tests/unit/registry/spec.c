// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"
#include "prim/err.h"

#include <criterion/criterion.h>

Test(spec, names_are_what_the_registry_ever_let_in)
{
	static const char *const good[] = { "express", "@types/node", "JSONStream", "a", "x.y_z-1",
		"some~name", "crypto", "@a.b/c.d", "jquery.(x)!'*" };
	static const char *const bad[] = { "", ".", "..", ".hidden", "_private", "-rf", "--help", " a", "a ",
		"a b", "a/b", "/a", "@a", "@/a", "@a/", "@a/.b", "@a/-b", "@a/b/c", "@../x", "@a/..",
		"node_modules", "NODE_MODULES", "favicon.ico", "a\\b", "a%2fb", "a:b", "a@1", "\303\244",
		"a\nb", "@-a/b" };
	char text[300];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(npm_name_valid(str_from(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect(!npm_name_valid(str_from(bad[i])), "%s", bad[i]);
	cr_expect(!npm_name_valid((struct str){ "a\0b", 3 }));
	memset(text, 'a', sizeof(text));
	cr_expect(npm_name_valid(str_of(text, 214)));
	cr_expect(!npm_name_valid(str_of(text, 215)));
}

static void url_is(const char *registry, const char *name, const char *wanted)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *accept = NULL;

	cr_assert_eq(npm_metadata_url(str_from(registry), str_from(name), &b, &accept), 0);
	cr_expect_str_eq(buf_text(&b), wanted);
	cr_expect_not_null(accept);
}

Test(spec, metadata_urls_escape_the_slash_of_a_scope)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *accept = NULL;

	url_is("https://r.example/", "express", "https://r.example/express");
	url_is("https://r.example/npm", "@types/node", "https://r.example/npm/@types%2fnode");
	cr_expect_lt(npm_metadata_url(STR("https://r.example/"), STR("../x"), &b, &accept), 0);
	cr_expect_eq(b.len, 0);
	cr_expect_null(accept);
}

Test(spec, requirements_split_into_name_and_range_or_tag)
{
	static const struct {
		const char *text, *name, *requirement;
	} cases[] = {
		{ "^1.2", "x", "^1.2" },
		{ " ^1.2 ", "x", "^1.2" },
		{ "", "x", "*" },
		{ "latest", "x", "latest" },
		{ "next-14", "x", "next-14" },
		{ "npm:other@^1", "other", "^1" },
		{ "npm:@s/other@^1 || 2", "@s/other", "^1 || 2" },
		{ "npm:other", "other", "*" },
		{ "npm:@s/other", "@s/other", "*" },
		{ "npm:other@latest", "other", "latest" },
		{ ">= 1.0 < 2", "x", ">= 1.0 < 2" },
	};
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct dependency dep;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(npm_requirement_parse(STR("x"), str_from(cases[i].text), &a, &dep, &d), 0,
			"%s: %s", cases[i].text, buf_text(&d.what));
		cr_expect(str_is(dep.alias, "x"));
		cr_expect(str_is(dep.name, cases[i].name), "%s", cases[i].text);
		cr_expect(str_is(dep.requirement, cases[i].requirement), "%s", cases[i].text);
	}
}

Test(spec, what_no_registry_has_is_named)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "workspace:*", "a workspace member" },
		{ "file:../x", "a local path" },
		{ "../x", "a local path" },
		{ "x.tgz", "a local path" },
		{ "git+ssh://git@h/x.git", "a git repository" },
		{ "github:user/repo", "a git repository" },
		{ "user/repo#v1", "a git repository" },
		{ "git@github.com:user/repo.git", "a git repository" },
		{ "https://h/x.tgz", "a URL" },
		{ "npm:../x@1", "not valid" },
		{ "npm:@1", "not valid" },
		{ "no such thing", "neither a version range nor a tag" },
		{ "$(id)", "neither a version range nor a tag" },
	};
	_cleanup_arena_ struct arena a = ARENA_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_diag_ struct diag d = DIAG_INIT;
		struct dependency dep = { .alias = STR("untouched") };

		cr_assert_eq(npm_requirement_parse(STR("pkg"), str_from(cases[i].text), &a, &dep, &d),
			-ERR_REQUIREMENT, "%s", cases[i].text);
		cr_expect(strstr(buf_text(&d.what), cases[i].says) != NULL, "%s: %s", cases[i].text,
			buf_text(&d.what));
		cr_expect(strstr(buf_text(&d.what), "pkg") != NULL, "it names the package");
		cr_expect(str_is(dep.alias, "untouched"));
	}
}
