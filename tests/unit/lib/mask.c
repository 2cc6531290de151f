// SPDX-License-Identifier: GPL-2.0-or-later
/* Values kept out of a stream: each form, however it is cut, against a comparison at each place. */
#include "base/mask-priv.h"

#include "prim/base64.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

#define TOKEN "tok-4f9a/c+2d&e'7\"x"

static void must(int r)
{
	cr_assert_eq(r, 0, "%d", r);
}

static struct mask *mask_of(const char *value)
{
	struct str s = str_from(value);
	struct mask *m = NULL;

	must(mask_new(&m, &s, 1));
	return m;
}

static void expect(const struct mask *m, const char *text, const char *masked)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	must(mask_text(m, str_from(text), &b));
	cr_expect_str_eq(buf_text(&b), masked);
}

static void expect_none(const char *value, const char *text)
{
	_cleanup_(mask_free_p) struct mask *m = mask_of(value);
	_cleanup_buf_ struct buf b = BUF_INIT;

	must(mask_text(m, str_from(text), &b));
	cr_expect_not_null(strstr(buf_text(&b), MASK_TEXT), "'%s' is not seen in '%s'", value, text);
	cr_expect_null(strstr(buf_text(&b), value));
}

Test(mask, the_value_and_nothing_else_is_replaced)
{
	_cleanup_(mask_free_p) struct mask *m = mask_of("hunter2hunter");

	expect(m, "", "");
	expect(m, "nothing", "nothing");
	expect(m, "hunter2hunter", "***");
	expect(m, "is hunter2hunter, yes", "is ***, yes");
	expect(m, "hunter2hunterhunter2hunter", "***");
	expect(m, "hunter2hunter hunter2hunter\n", "*** ***\n");
	expect(m, "hunter2hunter2hunter", "***");
	expect(m, "hunthunter2hunter", "hunt***");
	expect(m, "hunter2hunte!", "hunter2hunte!");
	expect(m, "HUNTER2HUNTER", "HUNTER2HUNTER");
}

Test(mask, the_end_of_a_stream_cuts_no_value)
{
	_cleanup_(mask_free_p) struct mask *m = mask_of("hunter2hunter");

	expect(m, "x hunter2hunte", "x ***");
	expect(m, "x hunter2h", "x ***");
	expect(m, "x hunter2", "x hunter2");
	expect(m, "x h", "x h");
}

Test(mask, the_usual_forms_are_seen)
{
	expect_none(TOKEN, "url=tok-4f9a%2Fc%2B2d%26e%277%22x");
	expect_none(TOKEN, "url=tok-4f9a%2fc%2b2d%26e%277%22x");
	expect_none(TOKEN, "url=tok-4f9a/c%2B2d%26e%277%22x");
	expect_none(TOKEN, "url=tok-4f9a%2Fc%2B2d%26e'7%22x");
	expect_none("pass word+1", "q=pass+word%2B1&x");
	expect_none("pass word+1", "q=pass%20word%2B1&x");
	expect_none(TOKEN, "{\"t\":\"tok-4f9a/c+2d&e'7\\\"x\"}");
	expect_none(TOKEN, "{\"t\":\"tok-4f9a\\/c+2d&e'7\\\"x\"}");
	expect_none(TOKEN, "{\"t\":\"tok-4f9a/c+2d\\u0026e'7\\\"x\"}");
	expect_none("gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x94\x91" "!", "\"gr\\u00fc\\u00dfe \\ud83d\\udd11!\"");
	expect_none("a\tb\\c\nd\x01" "efg", "\"a\\tb\\\\c\\nd\\u0001efg\"");
	expect_none(TOKEN, "+ curl -H 'tok-4f9a/c+2d&e'\\''7\"x'");
	expect_none(TOKEN, "declare -x T=\"tok-4f9a/c+2d&e'7\\\"x\"");
	expect_none(TOKEN, "tok-4f9a/c+2d\\&e\\'7\\\"x");
	expect_none(TOKEN, "<a b=\"tok-4f9a/c+2d&amp;e&#39;7&quot;x\"/>");
	expect_none(TOKEN, "<a>tok-4f9a/c+2d&amp;e'7\"x</a>");
	expect_none(TOKEN, "746f6b2d346639612f632b32642665273722780a");
	expect_none(TOKEN, "746F6B2D346639612F632B32642665273722780A");
	expect_none(TOKEN, " 74 6f 6b 2d 34 66 39 61 2f 63 2b 32 64 26 65 27\n 37 22 78 0a\n");
}

/* In something else that is encoded as a whole, with each alignment, alphabet and line length. */
Test(mask, base64_is_seen_where_it_is_part_of_more)
{
	const char *value = "\xff\xfe\xfb" "0>?token?>~~";
	_cleanup_(mask_free_p) struct mask *m = mask_of(value);

	for (size_t before = 0; before < 7; before++)
		for (size_t width = 1; width < 78; width += 19) {
			_cleanup_buf_ struct buf plain = BUF_INIT, wrapped = BUF_INIT, got = BUF_INIT;
			char text[256];

			for (size_t i = 0; i < before; i++)
				must(buf_addc(&plain, (char)('a' + i)));
			must(buf_adds(&plain, value));
			must(buf_adds(&plain, "after"));
			base64_encode(plain.data, plain.len, text);
			for (size_t i = 0; text[i]; i++) {
				char c = text[i];

				c = before % 2 && c == '+' ? '-' : before % 2 && c == '/' ? '_' : c;
				must(buf_addc(&wrapped, c));
				if (i % width == width - 1)
					must(buf_adds(&wrapped, "\n  "));
			}
			must(mask_text(m, buf_str(&wrapped), &got));
			cr_expect_not_null(strstr(buf_text(&got), MASK_TEXT), "%zu bytes before, %zu a line: "
				"%s", before, width, buf_text(&wrapped));
			/* What is left of the value is a letter at each end, of which it has a part. */
			cr_expect_leq(got.len, (wrapped.len - BASE64_SIZE(strlen(value)) + 8) * 2);
		}
}

Test(mask, lines_of_a_value_are_values)
{
	_cleanup_(mask_free_p) struct mask *m = mask_of("-----BEGIN-----\nMIIEpAIBAAKCAQEA\n\nshort\n"
		"-----END-----");

	expect(m, "x MIIEpAIBAAKCAQEA y", "x *** y");
	expect(m, "-----BEGIN-----\r\nMIIEpAIBAAKCAQEA\r\n\r\nshort\r\n-----END-----!", "***!");
	expect(m, "-----BEGIN-----\nMIIEpAIBAAKCAQEA\n\nshort\n-----END-----!", "***!");
	expect(m, "  MIIEpAIBAAKCAQEA\n  short\n", "  ***\n  short\n");
}

Test(mask, what_cannot_be_looked_for_is_refused)
{
	static char large[MASK_VALUE_MAX + 1];
	struct str s[40] = { STR("seven77") };
	struct mask *m = NULL;

	cr_expect_eq(mask_new(&m, s, 1), -EINVAL);
	memset(large, 'x', sizeof(large));
	s[0] = str_of(large, sizeof(large));
	cr_expect_eq(mask_new(&m, s, 1), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
		char *one = malloc(MASK_VALUE_MAX);

		memset(one, (char)(0x80 + i), MASK_VALUE_MAX);
		s[i] = str_of(one, MASK_VALUE_MAX);
	}
	cr_expect_eq(mask_new(&m, s, ARRAY_SIZE(s)), -ERR_LIMIT);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		free((char *)s[i].p);
	cr_expect_null(m);
}

/* A prompt must not wait for its last letters, nor a value come out letter by letter. */
Test(mask, a_short_beginning_comes_out_after_a_while)
{
	_cleanup_(mask_free_p) struct mask *m = mask_of("tokentoken1");
	struct mask_stream s = { .mask = m };
	_cleanup_buf_ struct buf b = BUF_INIT;

	must(mask_feed(&s, "say what", 8, &b));
	cr_expect_str_eq(buf_text(&b), "say wha");
	cr_expect(mask_waits(&s));
	must(mask_idle(&s, &b));
	cr_expect_str_eq(buf_text(&b), "say what");
	cr_expect(!mask_waits(&s));
	must(mask_feed(&s, "!", 1, &b));
	cr_expect_str_eq(buf_text(&b), "say what!");
	buf_reset(&b);
	for (const char *p = "tokentoken1 and tokentoken2"; *p; p++) {
		must(mask_feed(&s, p, 1, &b));
		must(mask_idle(&s, &b));
	}
	must(mask_end(&s, &b));
	cr_expect_str_eq(buf_text(&b), "tok*** and tokentoken2");
	mask_stream_done(&s);
}

/* The reference: every form is compared at every place. */
struct form {
	bool broken;
	struct str text;
};
struct forms {
	VEC(struct form) v;
};

static int collect(void *data, bool broken, struct str form)
{
	struct forms *f = data;

	return form.n < MASK_VALUE_MIN ? 0 :
		vec_push(&f->v, (struct form){ broken, { str_dup(form), form.n } });
}

/* Where the form ends that begins here, or 0; *ret_cut: the text ends before it, after so many bytes. */
static size_t compare(const struct form *f, struct str text, size_t at, size_t *ret_cut)
{
	size_t i = 0, gap = 0;

	for (; at < text.n && i < f->text.n; at++) {
		if (i && f->broken && mask_is_gap((uint8_t)text.p[at])) {
			if (++gap > 32)
				return 0;
			continue;
		}
		if (text.p[at] != f->text.p[i++])
			return 0;
		gap = 0;
	}
	*ret_cut = i < f->text.n ? i : 0;
	return *ret_cut ? 0 : at;
}

static void reference(const struct forms *f, struct str text, struct buf *to)
{
	_cleanup_free_ bool *hidden = calloc(text.n + 1, 1);

	for (size_t at = 0; at < text.n; at++)
		vec_foreach(form, &f->v) {
			size_t cut = 0, end = compare(form, text, at, &cut);

			if (cut >= MASK_VALUE_MIN)
				end = text.n;
			if (end)
				memset(hidden + at, 1, end - at);
		}
	for (size_t at = 0; at < text.n; at++)
		if (!hidden[at])
			must(buf_addc(to, text.p[at]));
		else if (!at || !hidden[at - 1])
			must(buf_adds(to, MASK_TEXT));
}

/* Few letters, so that what looks like a beginning is everywhere. */
static void random_text(struct buf *b, size_t n, const struct forms *f)
{
	while (b->len < n) {
		const struct form *form = f && f->v.n ? &f->v.v[(size_t)random() % f->v.n] : NULL;
		size_t part = form ? (size_t)random() % form->text.n + 1 : 0;

		if (form && random() % 4 == 0)
			must(buf_add(b, form->text.p, random() % 2 ? part : form->text.n));
		else if (form && random() % 8 == 0)
			for (size_t i = 0; i < form->text.n; i++) {
				must(buf_addc(b, form->text.p[i]));
				for (int gap = random() % 8 == 0 ? random() % 40 : 0; gap > 0; gap--)
					must(buf_addc(b, "\n \r\t"[random() % 4]));
			}
		else
			must(buf_addc(b, "aab61Y\n z.-=ZQ~_"[random() % (f ? 16 : 8)]));
	}
}

static void compare_once(void)
{
	struct forms f = { 0 };
	const struct mask_sink sink = { collect, &f };
	struct buf values[3] = { 0 };
	_cleanup_buf_ struct buf text = BUF_INIT, want = BUF_INIT, got = BUF_INIT;
	_cleanup_(mask_free_p) struct mask *m = NULL;
	size_t n = (size_t)random() % ARRAY_SIZE(values) + 1;
	struct mask_stream s = { 0 };
	struct str v[ARRAY_SIZE(values)];

	for (size_t i = 0; i < n; i++) {
		random_text(&values[i], MASK_VALUE_MIN + (size_t)random() % 12, NULL);
		v[i] = buf_str(&values[i]);
		must(mask_forms(v[i], &sink));
	}
	must(mask_new(&m, v, n));
	random_text(&text, (size_t)random() % 400, &f);
	reference(&f, buf_str(&text), &want);
	s.mask = m;
	for (size_t at = 0; at < text.len;) {
		size_t part = (size_t)random() % (random() % 2 ? 4 : 100);

		part = MIN(part, text.len - at);
		must(mask_feed(&s, text.data + at, part, &got));
		cr_assert_leq(s.kept.len, text.len);
		at += part;
	}
	must(mask_end(&s, &got));
	cr_assert(str_eq(buf_str(&got), buf_str(&want)), "text '%s'\nwant '%s'\ngot  '%s'", buf_text(&text),
		buf_text(&want), buf_text(&got));
	vec_foreach(form, &f.v)
		free((char *)form->text.p);
	vec_done(&f.v);
	mask_stream_done(&s);
	for (size_t i = 0; i < n; i++)
		buf_done(&values[i]);
}

Test(mask, however_it_is_cut_it_is_as_if_each_place_were_compared)
{
	srandom(1);
	for (int i = 0; i < 3000; i++)
		compare_once();
}
