// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/env/select.h"
#include "prim/err.h"

#include <criterion/criterion.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PACKAGE(id, rest)                                                                          \
	"\n[[package]]\nid = \"npm:" id "\"\nsource = \"https://example.org/x.tgz\"\n"               \
	"tree = \"blake3:" HEX "\"\n" rest
#define HEAD "version = 1\nmanifest = \"blake3:" HEX "\"\n"
#define ROOT(edges) "\n[[root]]\nname = \"app\"\n\n[root.dependencies]\n" edges
#define EDGE(name, kind)                                                                           \
	name " = { id = \"npm:" name "@1.0.0\", requirement = \"1\", kind = \"" kind "\" }\n"
#define WIN32 "platform = { os = [\"win32\"] }\n"

static const struct platform linux_host = { STR("linux"), STR("x64"), STR("glibc") };

/* The names that are selected, in order: "a c". */
static void selects(const char *text, const struct lock_wish *wish, const char *wanted)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf got = BUF_INIT;
	bool selected[16];

	cr_assert_eq(lockfile_parse(&l, str_from(text), "cratons.lock", &d), 0, "%s", buf_text(&d.what));
	cr_assert_leq(l->npackages, 16);
	memset(selected, 0x55, sizeof(selected));
	cr_assert_eq(lock_select(l, &l->roots[0], wish, selected, &d), 0, "%s", buf_text(&d.what));
	for (size_t i = 0; i < l->npackages; i++)
		if (selected[i])
			buf_addf(&got, "%s%.*s", got.len ? " " : "", STR_ARG(l->packages[i]->name));
	cr_assert_str_eq(buf_text(&got), wanted);
}

static void refuses(const char *text, const struct lock_wish *wish, const char *says)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	bool selected[16];

	cr_assert_eq(lockfile_parse(&l, str_from(text), "cratons.lock", &d), 0, "%s", buf_text(&d.what));
	cr_assert_eq(lock_select(l, &l->roots[0], wish, selected, &d), -ERR_INSTALL);
	cr_assert_not_null(strstr(buf_text(&d.what), says), "%s", buf_text(&d.what));
}

Test(select, what_the_root_reaches)
{
	const struct lock_wish wish = { linux_host, false, NULL }, production = { linux_host, true, NULL };
	const char *text = HEAD
		PACKAGE("a@1.0.0", "dependencies = { c = \"npm:c@1.0.0\" }\n")
		PACKAGE("b@1.0.0", "dependencies = { c = \"npm:c@1.0.0\", d = \"npm:d@1.0.0\" }\n")
		PACKAGE("c@1.0.0", "") PACKAGE("d@1.0.0", "")
		ROOT(EDGE("a", "normal") EDGE("b", "dev"));

	selects(text, &wish, "a b c d");
	selects(text, &production, "a c");
}

Test(select, a_chain_to_an_unfit_one_is_left_out_where_a_link_is_optional)
{
	const struct lock_wish wish = { linux_host, false, NULL };
	const struct lock_wish windows = { { STR("win32"), STR("x64"), STR("") }, false, NULL };
	const char *text = HEAD
		PACKAGE("a@1.0.0", "dependencies = { b = \"npm:b@1.0.0\", e = \"npm:e@1.0.0\" }\n"
			"optional = [\"b\"]\n")
		PACKAGE("b@1.0.0", "dependencies = { c = \"npm:c@1.0.0\" }\n")
		PACKAGE("c@1.0.0", "dependencies = { d = \"npm:d@1.0.0\" }\n")
		PACKAGE("d@1.0.0", WIN32) PACKAGE("e@1.0.0", "")
		ROOT(EDGE("a", "normal"));

	selects(text, &wish, "a e");
	selects(text, &windows, "a b c d e");
}

Test(select, where_none_is_the_chain_is_told)
{
	const struct lock_wish wish = { linux_host, false, NULL };

	refuses(HEAD PACKAGE("a@1.0.0", "dependencies = { b = \"npm:b@1.0.0\" }\n")
			PACKAGE("b@1.0.0", WIN32) ROOT(EDGE("a", "normal")),
		&wish, "npm:a@1.0.0 needs npm:b@1.0.0, which does not support this platform (linux");
	refuses(HEAD PACKAGE("a@1.0.0", WIN32) ROOT(EDGE("a", "normal")), &wish,
		"npm:a@1.0.0 does not support");
	selects(HEAD PACKAGE("a@1.0.0", WIN32) ROOT(EDGE("a", "optional")), &wish, "");
	selects(HEAD PACKAGE("a@1.0.0", WIN32) ROOT(EDGE("a", "tool")), &wish, "");
}

Test(select, cycles)
{
	const struct lock_wish wish = { linux_host, false, NULL };
	const char *text = HEAD
		PACKAGE("a@1.0.0", "dependencies = { b = \"npm:b@1.0.0\" }\n")
		PACKAGE("b@1.0.0", "dependencies = { a = \"npm:a@1.0.0\", c = \"npm:c@1.0.0\" }\n"
			"optional = [\"c\"]\n")
		PACKAGE("c@1.0.0", "dependencies = { a = \"npm:a@1.0.0\", d = \"npm:d@1.0.0\" }\n")
		PACKAGE("d@1.0.0", WIN32) ROOT(EDGE("a", "normal"));

	selects(text, &wish, "a b");
	refuses(HEAD PACKAGE("a@1.0.0", "dependencies = { b = \"npm:b@1.0.0\" }\n")
			PACKAGE("b@1.0.0", "dependencies = { a = \"npm:a@1.0.0\", c = \"npm:c@1.0.0\" }\n")
			PACKAGE("c@1.0.0", WIN32) ROOT(EDGE("a", "normal")),
		&wish, "npm:a@1.0.0 needs npm:c@1.0.0, which does not support this platform");
}

Test(select, without_what_cannot_be_had)
{
	const bool without[16] = { [1] = true };
	const struct lock_wish wish = { linux_host, false, without };
	const char *edges = "dependencies = { b = \"npm:b@1.0.0\", c = \"npm:c@1.0.0\" }\n";
	_cleanup_buf_ struct buf text = BUF_INIT;

	buf_addf(&text, HEAD PACKAGE("a@1.0.0", "%soptional = [\"b\"]\n") PACKAGE("b@1.0.0", "")
		PACKAGE("c@1.0.0", "") ROOT(EDGE("a", "normal")), edges);
	selects(buf_text(&text), &wish, "a c");
	buf_reset(&text);
	buf_addf(&text, HEAD PACKAGE("a@1.0.0", "%s") PACKAGE("b@1.0.0", "") PACKAGE("c@1.0.0", "")
		ROOT(EDGE("a", "normal")), edges);
	refuses(buf_text(&text), &wish, "npm:a@1.0.0 needs npm:b@1.0.0, which cannot be had");
}
