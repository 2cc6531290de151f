// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/toml.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct toml_doc *parse(const char *text)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct toml_doc *doc = NULL;

	cr_assert_eq(toml_parse(&doc, str_from(text), "f.toml", &d), 0, "%s: %s", text,
		buf_text(&d.what));
	return doc;
}

static int parse_fails(struct str text, struct diag *d)
{
	struct toml_doc *doc = NULL;
	int r = toml_parse(&doc, text, "f.toml", d);

	cr_assert_null(doc);
	return r;
}

Test(toml, gives_kinds_and_places)
{
	_cleanup_(toml_free_p) struct toml_doc *doc = parse("# \xc3\xa9\n"
		"s = \"a\\u00e9\"\n'q k' = 0x10\nb.c.d = true\nf = 1.5\n"
		"when = 1979-05-27T07:32:00Z\nlist = [ 1,\n  [2] ]\n[t]\nx = { y = 'z' }\n");
	const struct toml_node *root = toml_root(doc), *n;
	int64_t i = 0;
	bool b = false;

	cr_assert(str_is(toml_str(toml_get(root, "s")), "a\xc3\xa9"));
	cr_assert_eq(toml_int(toml_get(root, "q k"), &i), 0);
	cr_assert_eq(i, 16);
	cr_assert_eq(toml_bool(toml_get(toml_get(toml_get(root, "b"), "c"), "d"), &b), 0);
	cr_assert(b);
	cr_assert_eq(toml_kind(toml_get(root, "f")), TOML_FLOAT);
	cr_assert_eq(toml_kind(toml_get(root, "when")), TOML_DATE);
	n = toml_get(root, "list");
	cr_assert_eq(toml_count(n), 2);
	cr_assert_eq(toml_kind(toml_at(n, 1)), TOML_ARRAY);
	cr_assert_eq(toml_place(toml_at(n, 1)).line, 8);
	cr_assert_eq(toml_place(toml_at(n, 1)).column, 3);
	n = toml_get(toml_get(root, "t"), "x");
	cr_assert_eq(toml_place(n).line, 10);
	cr_assert_eq(toml_place(n).column, 5);
	cr_assert_eq(toml_key_place_at(n, 0).column, 7);
	cr_assert(str_is(toml_str(toml_at(n, 0)), "z"));
	cr_assert_null(toml_get(n, "none"));
	cr_assert_null(toml_get(toml_get(n, "y"), "y"));
	cr_assert_null(toml_at(n, 1));
}

Test(toml, sorts_keys_bytewise)
{
	_cleanup_(toml_free_p) struct toml_doc *doc = parse("b=1\nB=1\n\"\xc3\xa9\"=1\na-b=1\na=1\n");
	const char *want[] = { "B", "a", "a-b", "b", "\xc3\xa9" };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		cr_assert(str_is(toml_key_at(toml_root(doc), i), want[i]));
}

Test(toml, names_the_place_of_an_error)
{
	static const struct {
		const char *text, *where;
	} cases[] = {
		{ "a = 1\nb = \n", "f.toml:2:" },
		{ "a = 1\na = 2\n", "f.toml:2:" },
		{ "[t]\n[t]\n", "f.toml:2:" },
		{ "a = {b=1}\na.c = 1", "f.toml:2:" },
		{ "x = \"\\q\"", "f.toml:1:" },
		{ "x = 01", "f.toml:1:" },
		{ "x = \"\xff\"", "f.toml:1:" },
		{ "x = [1", "f.toml:1:" },
		{ "x = \"\"\"a", "f.toml:1:" },
		{ "= 1", "f.toml:1:" },
		{ "a = 1\n[", "f.toml:2:" },
		{ "a = 1\n[[ \n", "f.toml:2:" },
		{ "\n\"\xc3\xa9\" \xc3\xa9 = 1", "f.toml:2:5" },
	};
	_cleanup_diag_ struct diag d = DIAG_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(parse_fails(str_from(cases[i].text), &d), -ERR_SYNTAX, "%zu", i);
		cr_assert(str_starts(buf_str(&d.where), str_from(cases[i].where)), "%s",
			buf_text(&d.where));
		cr_assert_gt(d.what.len, 10);
	}
}

static int repeat(const char *head, const char *part, size_t n, const char *tail)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(buf_adds(&b, head), 0);
	while (n-- > 0)
		cr_assert_eq(buf_adds(&b, part), 0);
	cr_assert_eq(buf_adds(&b, tail), 0);
	return parse_fails(buf_str(&b), &d);
}

Test(toml, bounds_depth)
{
	_cleanup_(toml_free_p) struct toml_doc *doc = parse("x = \"..................................."
		"............................................................................\" # ....");

	cr_assert_not_null(doc);
	cr_assert_lt(repeat("x = ", "[", 1000000, ""), 0);
	cr_assert_lt(repeat("x = ", "{a=", 1000000, ""), 0);
	cr_assert_eq(repeat("[a", ".a", 1000000, "]\n"), -ERR_LIMIT);
	cr_assert_eq(repeat("[[a", ".\"a\"", 1000000, "]]\n"), -ERR_LIMIT);
	cr_assert_eq(repeat("a", " . a", 1000000, " = 1\n"), -ERR_LIMIT);
	cr_assert_eq(repeat("x = {", "a.a.a.a.a.a.a.a = {", 10, "}}}}}}}}}}}\n"), -ERR_LIMIT);
	/* A string that ends in a quote of its own hides nothing of its line. */
	cr_assert_eq(repeat("x = ['''a''''', {a", ".a", 1000, " = 1}]"), -ERR_LIMIT);
	cr_assert_eq(repeat("", "a.b = 1\n", 1000000, ""), -ERR_LIMIT);
	cr_assert_eq(repeat("", "x", (64 << 20) + 1, ""), -ERR_LIMIT);
}

Test(toml, writes_what_it_reads)
{
	const struct str samples[] = { STR(""), STR("a b"), STR("\"\\\n\r\t\x01\x7f"), STR("\xc2\x9b"),
		STR("\xf0\x9f\x98\x80"), STR("a-b_1"), STR("a.b"), STR("@types/node"), STR("nul\0l") };

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct toml_doc *doc = NULL;

		cr_assert_eq(toml_put_key(&b, samples[i]), 0);
		cr_assert_eq(buf_adds(&b, " = "), 0);
		cr_assert_eq(toml_put_string(&b, samples[i]), 0);
		doc = parse(buf_text(&b));
		cr_assert(str_eq(toml_key_at(toml_root(doc), 0), samples[i]));
		cr_assert(str_eq(toml_str(toml_at(toml_root(doc), 0)), samples[i]));
		toml_free(doc);
	}
}

Test(toml, writes_bare_keys_bare_and_repairs_utf8)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(toml_put_key(&b, STR("a-b_1")), 0);
	cr_assert_eq(toml_put_key(&b, STR("@a/b")), 0);
	cr_assert_eq(toml_put_string(&b, STR("\xff\x1b\xc2\x9b")), 0);
	cr_assert_str_eq(buf_text(&b), "a-b_1\"@a/b\"\"\xef\xbf\xbd\\u001b\\u009b\"");
}
