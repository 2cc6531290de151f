// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/manifest.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

struct edit_case {
	const char *before;
	const char *package, *requirement;	/* requirement NULL: remove */
	const char *after;			/* NULL: refused */
	enum dependency_kind kind;
};

static void check(const struct edit_case *c)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct str text = str_from(c->before), package = str_from(c->package);
	int r = c->requirement ? manifest_set_dependency(text, "cratons.toml", c->kind, STR("npm"), package,
					 str_from(c->requirement), &out, &d)
			       : manifest_remove_dependency(text, "cratons.toml", STR("npm"), package,
					 &out, &d);

	if (!c->after) {
		cr_assert_lt(r, 0, "%s", c->before);
		cr_assert_gt(d.what.len, 0);
		return;
	}
	cr_assert_eq(r, 0, "%s%s: %s", c->before, buf_text(&d.where), buf_text(&d.what));
	cr_assert_str_eq(buf_text(&out), c->after);
}

#define CHECK(cases)                                                                               \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
		check(&cases[i]);

#define DEPS "[dependencies.npm]\n"

Test(edit, replaces_a_value_alone)
{
	static const struct edit_case cases[] = {
		{ DEPS "a = \"1\" # why\nb='2'\n", "a", "^2", DEPS "a = \"^2\" # why\nb='2'\n" },
		{ DEPS "a = \"1\"\r\nb='2'\r\n", "b", "3", DEPS "a = \"1\"\r\nb='3'\r\n" },
		{ DEPS "\xc3\xa9 = 1", "a", "1", NULL },
		{ "# \xc3\xa9\n" DEPS "  \"a\"  =  '1'#\xc3\xa9", "a", "x'y",
			"# \xc3\xa9\n" DEPS "  \"a\"  =  \"x'y\"#\xc3\xa9" },
		{ DEPS "a = { optional = true, version = \"1\" }\n", "a", "2",
			DEPS "a = { optional = true, version = \"2\" }\n", DEPENDENCY_OPTIONAL },
		{ DEPS "a = { path = 'x' }", "a", "2", DEPS "a = \"2\"" },
		{ DEPS "a = { path = 'x', optional = true }", "a", "2",
			DEPS "a = { version = \"2\", optional = true }" },
		{ "[dependencies.npm.a]\nversion = '1' # c\n", "a", "2",
			"[dependencies.npm.a]\nversion = '2' # c\n" },
		{ "dependencies.npm.a = '1'", "a", "2", "dependencies.npm.a = '2'" },
		{ DEPS "a.version = '1'\n", "a", "2", DEPS "a.version = '2'\n" },
		{ "\xef\xbb\xbf" "dependencies.npm.a = '1'", "a", "2",
			"\xef\xbb\xbf" "dependencies.npm.a = '2'" },
	};

	CHECK(cases);
}

Test(edit, inserts_in_order)
{
	static const struct edit_case cases[] = {
		{ DEPS "a = '1'\nc = '1' # c\nd = '1'\n", "b", "1",
			DEPS "a = '1'\nb = \"1\"\nc = '1' # c\nd = '1'\n" },
		{ DEPS "b = '1'\nd = '1' # d", "e", "1", DEPS "b = '1'\nd = '1' # d\ne = \"1\"\n" },
		{ DEPS "# about b\nb = '1'\n", "a", "1", DEPS "a = \"1\"\n# about b\nb = '1'\n" },
		{ DEPS "z = '1'\nb = '1'\n\n[scripts]\n", "c", "1",
			DEPS "z = '1'\nb = '1'\nc = \"1\"\n\n[scripts]\n" },
		{ "[dependencies.npm]\r\n  b = '1'\r\n", "a", "1",
			"[dependencies.npm]\r\n  a = \"1\"\r\n  b = '1'\r\n" },
		{ DEPS, "@a/b", "1", DEPS "\"@a/b\" = \"1\"\n" },
		{ DEPS "# none yet\n[scripts]\n", "a", "1", DEPS "a = \"1\"\n# none yet\n[scripts]\n" },
		{ "[dependencies]\nnpm.b = '1'\n", "a", "1",
			"[dependencies]\nnpm.a = \"1\"\nnpm.b = '1'\n" },
		{ DEPS "b.version = '1'\nb.optional = true\n", "c", "1",
			DEPS "b.version = '1'\nb.optional = true\nc = \"1\"\n" },
		{ DEPS "b = { version = '1',  optional = true } # x\n", "c", "1",
			DEPS "b = { version = '1',  optional = true } # x\nc = \"1\"\n" },
		{ DEPS "a = '1'\n[dependencies.npm.c]\nversion = '1'\n", "d", "1",
			DEPS "a = '1'\nd = \"1\"\n[dependencies.npm.c]\nversion = '1'\n" },
		{ DEPS "[dependencies.npm.c]\nversion = '1'\n", "d", "1",
			DEPS "d = \"1\"\n[dependencies.npm.c]\nversion = '1'\n" },
	};

	CHECK(cases);
}

Test(edit, inserts_in_inline_tables)
{
	static const struct edit_case cases[] = {
		{ "[dependencies]\nnpm = { a = '1' } # c\n", "b", "1",
			"[dependencies]\nnpm = { a = '1', b = \"1\" } # c\n" },
		{ "[dependencies]\nnpm = {}\n", "b", "1", "[dependencies]\nnpm = { b = \"1\" }\n" },
		{ "dependencies = { npm = {a = '1'} }\n", "b", "1",
			"dependencies = { npm = {a = '1', b = \"1\"} }\n" },
		{ "dependencies = {}", "b", "1", "dependencies = { npm = { b = \"1\" } }" },
	};

	CHECK(cases);
}

Test(edit, adds_missing_tables_where_they_belong)
{
	static const struct edit_case cases[] = {
		{ "", "a", "1", DEPS "a = \"1\"\n" },
		{ "# c", "a", "1", "# c\n\n" DEPS "a = \"1\"\n" },
		{ "[package]\nname = 'x'\n\n# about scripts\n[scripts]\nb = 'c'\n", "a", "1",
			"[package]\nname = 'x'\n\n" DEPS "a = \"1\"\n\n# about scripts\n[scripts]\nb = 'c'\n" },
		{ "[package]\n[scripts]\n", "a", "1", "[package]\n\n" DEPS "a = \"1\"\n\n[scripts]\n" },
		{ DEPS "a = '1'\n\n[install]\nallow-scripts = [\n'x',\n]\n[caps]\nx = \"\"\"\n[package]\n\"\"\"\n",
			"b", "1",
			DEPS "a = '1'\n\n[dev-dependencies.npm]\nb = \"1\"\n\n[install]\nallow-scripts = "
			"[\n'x',\n]\n[caps]\nx = \"\"\"\n[package]\n\"\"\"\n", DEPENDENCY_DEV },
		{ "[package]\r\nname = 'x'\r\n", "a", "1",
			"[package]\r\nname = 'x'\r\n\r\n[dependencies.npm]\r\na = \"1\"\r\n" },
		{ "[dependencies]\n", "a", "1", "[dependencies]\n\n" DEPS "a = \"1\"\n" },
		{ "[dependencies.npm.c]\nversion = '1'\n", "d", "1",
			"[dependencies.npm.c]\nversion = '1'\n\n" DEPS "d = \"1\"\n" },
	};

	CHECK(cases);
}

Test(edit, moves_between_kinds)
{
	static const struct edit_case cases[] = {
		{ DEPS "a = '1'\nb = '1'\n[dev-dependencies.npm]\nc = '1'\n", "a", "2",
			DEPS "b = '1'\n[dev-dependencies.npm]\na = \"2\"\nc = '1'\n", DEPENDENCY_DEV },
		{ "[dev-dependencies.npm]\nc = '1'\n", "c", "2",
			"[dev-dependencies.npm]\n\n" DEPS "c = \"2\"\n" },
	};

	CHECK(cases);
}

Test(edit, removes_and_keeps_the_rest)
{
	static const struct edit_case cases[] = {
		{ DEPS "a = '1' # c\nb = '2'\n", "a", NULL, DEPS "b = '2'\n" },
		{ DEPS "a = '1'\nb = '2'", "b", NULL, DEPS "a = '1'\n" },
		{ DEPS "# about a\r\na = '1'\r\nb = '2'\r\n", "a", NULL, DEPS "# about a\r\nb = '2'\r\n" },
		{ "[dependencies]\nnpm = { a = '1', b = '2', c = '3' }\n", "b", NULL,
			"[dependencies]\nnpm = { a = '1', c = '3' }\n" },
		{ "[dependencies]\nnpm = { a = '1', c = '3' }\n", "c", NULL,
			"[dependencies]\nnpm = { a = '1' }\n" },
		{ "[dependencies]\nnpm = { a = '1' }\n", "a", NULL, "[dependencies]\nnpm = {}\n" },
		{ DEPS "a.version = '1'\nb = '1'\na.optional = true\nc = '1'\n", "a", NULL,
			DEPS "b = '1'\nc = '1'\n" },
		{ "[dependencies.npm.a]\nversion = '1'\noptional = true\n\n# s\n[scripts]\n", "a", NULL,
			"# s\n[scripts]\n" },
		{ "[dev-dependencies.npm]\n'@x/y' = '1'\n", "@x/y", NULL, "[dev-dependencies.npm]\n" },
		{ "dependencies.npm.a = '1'\ndependencies.npm.b = '1'\n", "a", NULL,
			"dependencies.npm.b = '1'\n" },
		{ DEPS "b = '1'\n", "a", NULL, NULL },
	};

	CHECK(cases);
}

Test(edit, refuses_what_cannot_be_written)
{
	static const struct edit_case cases[] = {
		{ DEPS, "../x", "1", NULL },
		{ DEPS, "a", "", NULL },
		{ DEPS, "a", "1\n2", NULL },
		{ DEPS, "a", "user/repository", NULL },
		{ "[dependencies", "a", "1", NULL },
	};
	_cleanup_buf_ struct buf out = BUF_INIT;

	CHECK(cases);
	cr_assert_eq(manifest_remove_dependency(STR(DEPS), "f", STR("npm"), STR("a"), &out, NULL), -ENOENT);
	cr_assert_eq(out.len, 0);
}
