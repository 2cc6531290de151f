// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/lock/lockfile.h"
#include "prim/err.h"
#include "tests/unit/formats/hostile.h"

static int parse(struct str text, struct diag *d)
{
	struct lockfile *l = NULL;
	int r = lockfile_parse(&l, text, "cratons.lock", d);

	lockfile_free(l);
	return r;
}

Test(lock, refuses_the_hostile)
{
	hostile_folder("tests/hostile/lockfile", 65, -ERR_LOCKFILE, parse);
}

Test(lock, refuses_too_many_packages)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(buf_addf(&b, "version = 1\nmanifest = \"blake3:%064d\"\n", 1), 0);
	for (int i = 0; i <= LOCKFILE_PACKAGES_MAX; i++)
		cr_assert_eq(buf_addf(&b, "[[package]]\nid = \"npm:a@%d\"\n", i), 0);
	cr_assert_eq(parse(buf_str(&b), &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "200001 packages are too many");
}
