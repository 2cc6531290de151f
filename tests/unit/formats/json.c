// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;

	cr_assert_eq(json_parse(&doc, str_from(text), "test", NULL), 0, "%s", text);
	return doc;
}

static int parse_fails(struct str text, struct diag *d)
{
	struct json_doc *doc = NULL;
	int r = json_parse(&doc, text, "https://example.org/x", d);

	cr_assert_null(doc);
	return r;
}

Test(json, follows_paths_and_gives_nothing_off_them)
{
	_cleanup_(json_free_p) struct json_doc *doc =
		parse("{\"a\": {\"b\": [1, \"two\", null, true, 2.5]}, \"a\": 2, \"e\": {}}");
	struct json b = json_get(json_get(json_root(doc), "a"), "b");
	struct json none = json_get(json_get(json_get(b, "x"), "y"), "z");
	int64_t n = 0;

	cr_assert_eq(json_kind(b), JSON_ARRAY);
	cr_assert_eq(json_kind(none), JSON_NOTHING);
	cr_assert_null(json_str(none).p);
	cr_assert_eq(json_int(none, &n), -EINVAL);
	cr_assert(json_bool(none, true));
	cr_assert_eq(json_kind(json_get(json_root(doc), "e")), JSON_OBJECT);
	cr_assert_eq(json_kind(json_get(json_root(doc), "f")), JSON_NOTHING);
}

Test(json, walks_in_order)
{
	_cleanup_(json_free_p) struct json_doc *doc =
		parse("{\"z\": [[], {}, [1, {\"k\": -5}]], \"a\": \"s\", \"\": 18446744073709551615}");
	const char *keys[] = { "z", "a", "" };
	size_t n = 0, items = 0;

	json_foreach(i, json_root(doc)) {
		cr_assert(str_is(i.key, keys[n++]));
		json_foreach(j, i.value)
			items++;
	}
	cr_assert_eq(n, 3);
	cr_assert_eq(items, 3);
}

Test(json, gives_whole_numbers_that_fit)
{
	_cleanup_(json_free_p) struct json_doc *doc = parse(
		"[0, -9223372036854775808, 9223372036854775807, 9223372036854775808, 1e3, 1.5, 1e300]");
	const int64_t want[] = { 0, INT64_MIN, INT64_MAX, -1, 1000, -1, -1 };
	size_t n = 0;

	json_foreach(i, json_root(doc)) {
		int64_t v = -1;

		cr_assert_eq(json_int(i.value, &v), want[n] == -1 ? -EINVAL : 0);
		cr_assert_eq(v, want[n++]);
	}
}

Test(json, reads_what_javascript_reads)
{
	_cleanup_(json_free_p) struct json_doc *doc = parse("\xef\xbb\xbf[\"\\ud83d\\ude00\", "
		"\"cut \\ud83d\", \"\\udc00\", \"\\\\ud83d\", \"nul\\u0000l\"]");
	const struct str want[] = { STR("\xf0\x9f\x98\x80"), STR("cut \xef\xbf\xbd"),
		STR("\xef\xbf\xbd"), STR("\\ud83d"), STR("nul\0l") };
	size_t n = 0;

	json_foreach(i, json_root(doc))
		cr_assert(str_eq(json_str(i.value), want[n++]), "%zu", n);
	cr_assert_eq(n, 5);
}

Test(json, refuses_what_is_malformed)
{
	static const char *const bad[] = { "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "[1] 2",
		"nul", "\"\\x\"", "\"a", "\"\n\"", "01", "1e400", "[\"\xff\"]", "{\"a\"}", "/**/1",
		"123456789012345678901234567890", "\"\\u12\"", "[\xc0\x80]" };
	_cleanup_diag_ struct diag d = DIAG_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(parse_fails(str_from(bad[i]), &d), -ERR_SYNTAX, "%s", bad[i]);
		cr_assert_str_eq(buf_text(&d.where), "https://example.org/x");
		cr_assert(str_starts(buf_str(&d.what), STR("not valid JSON: ")));
	}
}

Test(json, bounds_depth)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct json_doc *doc = NULL;

	for (int i = 0; i < 255; i++)
		cr_assert_eq(buf_addc(&b, '['), 0);
	for (int i = 0; i < 255; i++)
		cr_assert_eq(buf_addc(&b, ']'), 0);
	cr_assert_eq(json_parse(&doc, buf_str(&b), "x", NULL), 0);
	json_free(doc);
	cr_assert_eq(buf_addc(&b, '['), 0);
	for (int i = 0; i < 1000000; i++)
		cr_assert_eq(buf_adds(&b, "[{\"a\":"), 0);
	cr_assert_lt(parse_fails(buf_str(&b), &d), 0);
	buf_reset(&b);
	for (int i = 0; i < 300; i++)
		cr_assert_eq(buf_addc(&b, '['), 0);
	for (int i = 0; i < 300; i++)
		cr_assert_eq(buf_addc(&b, ']'), 0);
	cr_assert_eq(parse_fails(buf_str(&b), &d), -ERR_LIMIT);
}

Test(json, needs_no_bytes_behind_the_text)
{
	for (size_t n = 1; n < 300; n++) {
		char *exact = malloc(n + 1);
		struct json_doc *doc = NULL;

		memset(exact, 'x', n + 1);
		exact[0] = exact[n] = '"';
		cr_assert_eq(json_parse(&doc, str_of(exact, n + 1), "x", NULL), 0);
		free(exact);
		cr_assert_eq(json_str(json_root(doc)).n, n - 1);
		json_free(doc);
	}
}

static void write_sample(struct json_out *o)
{
	json_out_open(o, '{');
	json_out_key(o, "list");
	json_out_open(o, '[');
	json_out_int(o, -1);
	json_out_bool(o, true);
	json_out_null(o);
	json_out_text(o, NULL);
	json_out_double(o, 0.1);
	json_out_close(o, ']');
	json_out_key(o, "empty");
	json_out_open(o, '{');
	json_out_close(o, '}');
	json_out_keystr(o, STR("s\"\\\n\x01"));
	json_out_str(o, STR("\x1b[2J\xc2\x9b\x7f\xff\xc3\xa9"));
	json_out_close(o, '}');
}

Test(json_out, writes_one_line)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json_out o;

	json_out_start(&o, &b, false);
	write_sample(&o);
	cr_assert_eq(json_out_end(&o), 0);
	cr_assert_str_eq(buf_text(&b),
		"{\"list\":[-1,true,null,null,0.1],\"empty\":{},\"s\\\"\\\\\\n\\u0001\":"
		"\"\\u001b[2J\\u009b\\u007f\xef\xbf\xbd\xc3\xa9\"}");
}

Test(json_out, writes_lines_that_read_back)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json_out o;
	struct json_doc *doc;

	json_out_start(&o, &b, true);
	write_sample(&o);
	cr_assert_eq(json_out_end(&o), 0);
	cr_assert(str_starts(buf_str(&b), STR("{\n  \"list\": [\n    -1,\n    true,")));
	cr_assert(str_find(buf_str(&b), '}', 0) < b.len);
	doc = parse(buf_text(&b));
	cr_assert(str_eq(json_str(json_get(json_root(doc), "s\"\\\n\x01")),
		STR("\x1b[2J\xc2\x9b\x7f\xef\xbf\xbd\xc3\xa9")));
	json_free(doc);
}

Test(json_out, keeps_the_first_failure)
{
	_cleanup_buf_ struct buf b = { .max = 8 };
	struct json_out o;

	json_out_start(&o, &b, false);
	write_sample(&o);
	cr_assert_eq(json_out_end(&o), -ERR_LIMIT);
}

/* The byte that is wrong is marked by a !, which is taken away; at the end of the text something is
 * missing. */
Test(json, says_where_a_text_goes_wrong)
{
	static const char *const texts[] = {
		"!", "{\"a\":1!", "!<html>", "{\"a\":[1,2,!]}", "{\"a\":!}", "{!a:1}", "{\"a\" !1}", "[1 !2]",
		"{\"a\":1} !x", "[\"a!\nb\"]", "[\"\\!x\"]", "[\"\\u12!g4\"]", "[0!1]", "[1.!]", "[1e+!]", "[tru!]",
		"[-!]", "{\"a\":1,!}", "[\"!\xff\"]", "[[[{\"a\":null}]], !}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_diag_ struct diag d = DIAG_INIT;
		size_t at = (size_t)(strchr(texts[i], '!') - texts[i]);
		struct json_doc *doc = NULL;
		char text[64], want[64];

		snprintf(text, sizeof(text), "%.*s%s", (int)at, texts[i], texts[i] + at + 1);
		snprintf(want, sizeof(want), "(byte %zu of %zu)", at, strlen(text));
		cr_assert_lt(json_parse(&doc, str_from(text), "x", &d), 0, "%s", text);
		cr_assert_not_null(strstr(buf_text(&d.what), want), "%s: %s, not %s", text,
			buf_text(&d.what), want);
	}
}
