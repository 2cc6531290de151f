// SPDX-License-Identifier: GPL-2.0-or-later
#include "manpage.h"
#include "cmd.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Without the marks, which stand in a text only for colours. */
static const char *render(const char *mdoc, const char *sections, unsigned width)
{
	static struct buf b;
	size_t to = 0;

	buf_reset(&b);
	cr_assert_eq(manpage_render(&b, mdoc, sections, width), 0);
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.data[i] >= ' ' || b.data[i] == '\n')
			b.data[to++] = b.data[i];
	cr_assert_not_null(b.data);
	b.data[to] = '\0';
	b.len = to;
	return b.data;
}

Test(manpage, delimiters_stick_and_enclosures_close_before_them)
{
	cr_assert_str_eq(render(".Sh A\n.Op Fl x Ar y , Ar z .\n.Pq Fl a , b ;\nand\n.Ql q .\n", NULL, 80),
		"A\n    [-x y, z]. (-a, -b); and 'q'.\n");
	cr_assert_str_eq(render(".Sh A\n.Fl -a Ns = Ns Ar B\n.Xr c 1 ,\n.Oo x Oc\n", NULL, 80),
		"A\n    --a=B c(1), [x]\n");
}

Test(manpage, macros_without_words)
{
	cr_assert_str_eq(render(".Sh N\n.Nm my name\n.Nd thing\n.Sh B\n.Nm\ndoes\n.Ar\n.Ar .\n", "B", 80),
		"B\n    my name does file ... file ....\n");
}

Test(manpage, lines_are_filled_but_not_in_displays)
{
	cr_assert_str_eq(render(".Sh A\nPAD PAD PAD PAD PAD PAD PAD PAD PAD x y\n", NULL, 40),
		"A\n    PAD PAD PAD PAD PAD PAD PAD PAD PAD\n    x y\n");
	cr_assert_str_eq(render(".Sh A\n.Bd -literal\none  two\n  three \\e \\&.\n.Ed\n.Dl four\n", NULL, 40),
		"A\n        one  two\n          three \\ .\n\n        four\n");
}

Test(manpage, lists)
{
	cr_assert_str_eq(render(".Sh A\n.Bl -tag -width Ds\n.It Fl a\nshort\n"
				".It Fl -longer Ar B\nlong\n.El\n", NULL, 60),
		"A\n    -a      short\n\n    --longer B\n            long\n");
	cr_assert_str_eq(render(".Sh A\n.Bl -bullet -compact\n.It\none\n.It\ntwo\n.El\nafter\n", NULL, 60),
		"A\n    - one\n    - two\n    after\n");
}

Test(manpage, only_the_sections_asked_for)
{
	const char *page = ".Sh A\na\n.Sh B\nb\n.Sh C\nc\n";

	cr_assert_str_eq(render(page, "A|C", 80), "A\n    a\n\nC\n    c\n");
	cr_assert(manpage_has(page, "B"));
	cr_assert_not(manpage_has(page, "D"));
}

Test(manpage, option_in_one_sentence)
{
	const char *page = ".Bl -tag\n.It Fl j , -jobs Ar N\nRun\n.Ar N\nat once (see cratons.toml).\n"
			   "More.\n.It Fl C Ar DIR\nGo.\n.El\n";
	struct buf b = BUF_INIT;

	cr_assert_eq(manpage_option(&b, page, "jobs", 'j'), 0);
	cr_assert(str_starts(buf_str(&b), STR("Run ")));
	cr_assert(str_ends(buf_str(&b), STR("at once (see cratons.toml)")));
	buf_reset(&b);
	cr_assert_eq(manpage_option(&b, page, NULL, 'C'), 0);
	cr_assert_str_eq(buf_text(&b), "Go");
	cr_assert_eq(manpage_option(&b, page, "job", 0), -ENOENT);
	cr_assert_eq(manpage_option(&b, page, NULL, 'N'), -ENOENT);
	buf_done(&b);
}

Test(manpage, malformed_pages_do_no_harm)
{
	static const char *const pages[] = {
		"", ".", ".Sh", ".Sh A\n.It\n.El\n.El\n.Ed\n.Bl", ".Sh A\n.Xr\n.Xr a\n.Ns\n.Oc\n.Oo\n",
		".Sh A\n\\", ".Sh A\n\\(", ".Sh A\n.Op Op Op Op Op Op Op Op Op Op Op Op x\n",
		".Sh A\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.Bl\n.It x\n", ".Sh A\n.Fl \"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct buf b = BUF_INIT;

		manpage_render(&b, pages[i], NULL, 80);
		buf_done(&b);
	}
}
