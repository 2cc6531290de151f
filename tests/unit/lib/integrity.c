// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/integrity.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Digests of "abc": FIPS 180-4's examples, in base64. */
#define SHA1   "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0="
#define SHA256 "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define SHA384 "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn"
#define SHA512 "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4q" \
	       "mslPpUyknw=="

/* One bit is another. */
#define WRONG512 "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4q" \
		 "mslPpUykng=="
#define WRONG256 "sha256-vngWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static const struct {
	const char *sri;
	enum integrity_strength strength;
	int result;		/* for "abc" */
} cases[] = {
	{ SHA1, INTEGRITY_SHA1, 0 },
	{ SHA256, INTEGRITY_SHA256, 0 },
	{ SHA384, INTEGRITY_SHA384, 0 },
	{ SHA512, INTEGRITY_SHA512, 0 },
	{ SHA512 "?foo", INTEGRITY_SHA512, 0 },
	{ "  " SHA256 "\n\t" SHA512 " ", INTEGRITY_SHA512, 0 },
	{ WRONG512, INTEGRITY_SHA512, -ERR_INTEGRITY },
	{ WRONG256, INTEGRITY_SHA256, -ERR_INTEGRITY },
	/* only the strongest counts, and any of its digests will do */
	{ SHA256 " " WRONG512, INTEGRITY_SHA512, -ERR_INTEGRITY },
	{ WRONG512 " " SHA256, INTEGRITY_SHA512, -ERR_INTEGRITY },
	{ WRONG512 " " SHA512, INTEGRITY_SHA512, 0 },
	{ WRONG256 " " SHA512, INTEGRITY_SHA512, 0 },
	/* unknown algorithms are passed over, but something known has to be there */
	{ "md5-kAFQmDzST7DWlj99KOF/cg== " SHA256, INTEGRITY_SHA256, 0 },
	{ "md5-kAFQmDzST7DWlj99KOF/cg==", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ " ", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha512", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha512-", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha512-AAAA", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "SHA256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	/* other spellings of the same bytes, and one token malformed among good ones */
	{ "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha256-ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha1-!!!! " SHA512, INTEGRITY_NONE, -ERR_NO_INTEGRITY },
	{ "sha1-qZk+=kcGgWq6PiVxeFDCbJzQ2J0=", INTEGRITY_NONE, -ERR_NO_INTEGRITY },
};

Test(integrity, table)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str sri = str_from(cases[i].sri);

		cr_expect_eq(integrity_strength(sri), cases[i].strength, "%s", cases[i].sri);
		cr_expect_eq(integrity_check(sri, "abc", 3, NULL), cases[i].result, "%s",
			cases[i].sri);
	}
}

Test(integrity, a_nul_is_no_separator)
{
	static const char sri[] = "sha1-AAAA\0 " SHA512;

	cr_assert_eq(integrity_strength(str_of(sri, sizeof(sri) - 1)), INTEGRITY_NONE);
}

Test(integrity, too_many_tokens_are_refused)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (int i = 0; i < 64; i++)
		cr_assert_eq(buf_adds(&b, WRONG256 " "), 0);
	cr_assert_eq(integrity_check(buf_str(&b), "abc", 3, NULL), -ERR_INTEGRITY);
	cr_assert_eq(buf_adds(&b, SHA256), 0);
	cr_assert_eq(integrity_check(buf_str(&b), "abc", 3, NULL), -ERR_NO_INTEGRITY);
}

Test(integrity, a_mismatch_names_both_digests)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(integrity_check(STR(WRONG256), "abc", 3, &d), -ERR_INTEGRITY);
	cr_assert_not_null(strstr(buf_text(&d.what), WRONG256));
	cr_assert_not_null(strstr(buf_text(&d.what), SHA256));
}

Test(integrity, makes_strings)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(integrity_from_sha1_hex(STR("a9993e364706816aba3e25717850c26c9cd0d89d"), &b), 0);
	cr_assert_str_eq(buf_text(&b), SHA1);
	cr_assert_eq(integrity_from_sha1_hex(STR("a9993e364706816aba3e25717850c26c9cd0d89"), &b),
		-EINVAL);
	cr_assert_eq(integrity_from_sha1_hex(STR("g9993e364706816aba3e25717850c26c9cd0d89d"), &b),
		-EINVAL);
}
