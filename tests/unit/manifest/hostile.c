// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/manifest.h"
#include "prim/err.h"
#include "tests/unit/formats/hostile.h"

static int parse(struct str text, struct diag *d)
{
	struct manifest *m = NULL;
	int r = manifest_parse(&m, text, "cratons.toml", d);

	manifest_free(m);
	return r;
}

Test(manifest, refuses_the_hostile)
{
	hostile_folder("tests/hostile/manifest", 79, -ERR_MANIFEST, parse);
}

Test(manifest, refuses_absurd_sizes)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(buf_adds(&b, "[dependencies.npm]\n"), 0);
	for (int i = 0; i < 30000; i++)
		cr_assert_eq(buf_addf(&b, "a%d = \"1\"\n", i), 0);
	cr_assert_eq(parse(buf_str(&b), NULL), -ERR_MANIFEST);
	for (int i = 0; i < 500000; i++)
		cr_assert_eq(buf_adds(&b, "#########\n"), 0);
	cr_assert_eq(parse(buf_str(&b), NULL), -ERR_MANIFEST);
}
