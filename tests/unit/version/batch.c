// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <criterion/criterion.h>

/* What version_batch makes of `in`; the caller frees it. */
static char *batch(enum version_op op, unsigned flags, const char *in, int wanted)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	FILE *from = fmemopen((void *)in, strlen(in), "r");
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	cr_assert_eq(version_batch(&npm_versions, op, flags, from, to, &d), wanted);
	cr_assert_eq(d.code, wanted);
	fclose(from);
	fclose(to);
	return text;
}

Test(batch, match_answers_each_line)
{
	_cleanup_free_ char *out = batch(VERSION_MATCH, VERSION_LOOSE,
		"^1\t1.2.0\n^1\t2.0.0\n>=1\t<2\t1.5.0\nfoo\t1.0.0\nno tab\n\n^1\tx\n*\t1.0.0", 0);

	cr_expect_str_eq(out, "true\nfalse\ntrue\ninvalid\ninvalid\ninvalid\ninvalid\ntrue\n");
}

Test(batch, cmp_answers_each_line)
{
	_cleanup_free_ char *out = batch(VERSION_CMP, 0, "1.0.0\t2.0.0\n1.0.0\t1.0.0\n2.0.0\t1.0.0\n1\t2\n",
		0);

	cr_expect_str_eq(out, "<\n=\n>\ninvalid\n");
}

Test(batch, sort_is_ascending_and_keeps_the_text)
{
	_cleanup_free_ char *out = batch(VERSION_SORT, 0,
		"1.10.0\n\n1.9.0\nv1.9.0\n1.9.0-rc.1\n1.9.0+b\n1.9.0+a\n", 0);

	cr_expect_str_eq(out, "1.9.0-rc.1\n1.9.0\nv1.9.0\n1.9.0+a\n1.9.0+b\n1.10.0\n");
}

Test(batch, sort_writes_nothing_when_a_version_is_malformed)
{
	_cleanup_free_ char *out = batch(VERSION_SORT, 0, "1.0.0\n1.0\n", -ERR_VERSION);

	cr_expect_str_eq(out, "");
}

Test(batch, a_line_has_a_greatest_length)
{
	_cleanup_free_ char *in = malloc((2 << 20) + 1);
	_cleanup_free_ char *out = NULL;

	memset(in, '1', 2 << 20);
	in[2 << 20] = '\0';
	out = batch(VERSION_MATCH, 0, in, -ERR_LIMIT);
	cr_expect_str_eq(out, "");
}
