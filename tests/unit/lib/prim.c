// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/diag.h"
#include "prim/err.h"
#include "prim/hash.h"
#include "prim/vec.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(err, domain_codes_know_errno_status_and_sentence)
{
	cr_assert_eq(err_errno(-ERR_DIGEST), -EBADMSG);
	cr_assert_eq(err_errno(-ENOENT), -ENOENT);
	cr_assert_eq(err_exit_status(-ERR_MANIFEST), 14);
	cr_assert_eq(err_exit_status(-ENOENT), 1);
	cr_assert_eq(err_exit_status(0), 0);
	cr_assert_str_eq(err_sentence(-ERR_DIGEST), "content does not match its digest");
	cr_assert_str_eq(err_sentence(ENOENT), "No such file or directory");
}

Test(buf, grows_and_stays_terminated)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_str_eq(buf_text(&b), "");
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(buf_addf(&b, "%d,", i % 10), 0);
	cr_assert_eq(b.len, 2000);
	cr_assert_eq(b.data[b.len], '\0');
	cr_assert_eq(strncmp(b.data, "0,1,2,", 6), 0);
}

Test(buf, refuses_past_its_maximum_and_keeps_what_it_has)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, 4);
	cr_assert_eq(buf_adds(&b, "abc"), 0);
	cr_assert_eq(buf_adds(&b, "de"), -ERR_LIMIT);
	cr_assert_str_eq(buf_text(&b), "abc");
	cr_assert_eq(buf_adds(&b, "d"), 0);
}

Test(str, cut_walks_all_parts_also_empty_ones)
{
	struct str s = STR("a,,b"), part;
	const char *want[] = { "a", "", "b" };
	size_t n = 0;

	while (s.p) {
		part = str_cut(&s, ',');
		cr_assert(str_is(part, want[n++]));
	}
	cr_assert_eq(n, 3);
}

Test(str, numbers_refuse_signs_space_and_overflow)
{
	uint64_t v = 7;

	cr_assert_eq(str_u64(STR("18446744073709551615"), &v), 0);
	cr_assert_eq(v, UINT64_MAX);
	cr_assert_eq(str_u64(STR("18446744073709551616"), &v), -ERANGE);
	cr_assert_eq(str_u64(STR("-1"), &v), -EINVAL);
	cr_assert_eq(str_u64(STR(" 1"), &v), -EINVAL);
	cr_assert_eq(str_u64(STR(""), &v), -EINVAL);
	cr_assert_eq(v, UINT64_MAX);
}

Test(str, utf8_refuses_overlong_surrogates_and_cut_sequences)
{
	cr_assert(str_utf8(STR("z\xc3\xbc\xe2\x82\xac\xf0\x9f\x8e\x89")));
	cr_assert_not(str_utf8(STR("\xc0\xaf")));
	cr_assert_not(str_utf8(STR("\xed\xa0\x80")));
	cr_assert_not(str_utf8(STR("\xf4\x90\x80\x80")));
	cr_assert_not(str_utf8(STR("\xe2\x82")));
	cr_assert_not(str_utf8(STR("\xff")));
}

Test(str, distance)
{
	cr_assert_eq(str_distance(STR("install"), STR("instal")), 1);
	cr_assert_eq(str_distance(STR("kitten"), STR("sitting")), 3);
	cr_assert_eq(str_distance(STR(""), STR("abc")), 3);
}

/* The empty input and "abc", as b3sum prints them. */
Test(hash, known_answers_and_hex)
{
	char hex[DIGEST_HEX];
	struct digest d = hash_bytes("", 0), back;

	cr_assert_str_eq(digest_hex(&d, hex),
		"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
	d = hash_bytes("abc", 3);
	cr_assert_str_eq(digest_hex(&d, hex),
		"6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
	cr_assert_eq(digest_parse(&back, str_from(hex)), 0);
	cr_assert(digest_eq(&d, &back));
	hex[0] = 'A';
	cr_assert_eq(digest_parse(&back, str_from(hex)), -EINVAL);
	cr_assert_eq(digest_parse(&back, str_of(hex, 63)), -EINVAL);
}

Test(hash, every_byte_counts_in_comparison)
{
	struct digest a = hash_bytes("x", 1);

	for (int i = 0; i < DIGEST_SIZE; i++) {
		struct digest b = a;

		b.b[i] ^= 1;
		cr_assert_not(digest_eq(&a, &b));
	}
}

Test(diag, first_place_stays_and_control_characters_go)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(diag_fail(&d, -ERR_MANIFEST, "bad name '%s'", "a\x1b]0;x\x07"), -ERR_MANIFEST);
	cr_assert_str_eq(buf_text(&d.what), "bad name 'a?]0;x?'");
	diag_where(&d, "cratons.toml:%d:%d", 3, 1);
	diag_where(&d, "elsewhere");
	cr_assert_str_eq(buf_text(&d.where), "cratons.toml:3:1");
	diag_context(&d, "reading %s", "x");
	cr_assert_str_eq(buf_text(&d.what), "reading x: bad name 'a?]0;x?'");
}

static void disarmed(const char *text, const char *spared, const char *wanted)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(buf_adds(&b, text), 0);
	buf_disarm(&b, 0, spared);
	cr_expect_str_eq(buf_text(&b), wanted);
}

Test(buf, what_drives_a_terminal_is_disarmed)
{
	disarmed("plain, gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x94\x91", "",
		"plain, gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x94\x91");
	disarmed("\x1b]0;x\x07\x7f\r\n\t", "\n\t", "?]0;x???\n\t");
	disarmed("\x1b]0;x\x07\x7f\r\n\t", "", "?]0;x?????");
	disarmed("a\xc2\x9b" "31m \x9b" "1m \xc2", "", "a??31m ?1m \xc2");
	disarmed("\xe2\x80\xaegpj.exe\xe2\x81\xa9 \xe2\x80\xa8 \xd8\x9c", "", "???gpj.exe??? ??? ??");
	disarmed("latin \xe4", "", "latin \xe4");
	disarmed("", "", "");
}

Test(diag, without_one_the_code_stays)
{
	struct diag d = { .code = -ERR_LIMIT };

	cr_assert_lt(diag_hint(NULL, "x"), 0);
	cr_assert_eq(diag_fail(NULL, -EIO, "x"), -EIO);
	cr_assert_eq(diag_where(NULL, "x"), -EIO);
	cr_assert_eq(diag_errno(NULL, -ENOENT, "x"), -ENOENT);
	cr_assert_eq(diag_hint(NULL, "x"), -ENOENT);
	cr_assert_eq(diag_copy(NULL, &d), -ERR_LIMIT);
	cr_assert_eq(diag_context(NULL, "x"), -ERR_LIMIT);
}

Test(vec, keeps_elements_while_growing)
{
	VEC(int) v = { 0 };
	int sum = 0;

	for (int i = 0; i < 100; i++)
		cr_assert_eq(vec_push(&v, i), 0);
	vec_foreach(p, &v)
		sum += *p;
	cr_assert_eq(sum, 4950);
	vec_done(&v);
}
