// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/place.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <limits.h>
#include <stdio.h>

static const char *below(const struct scratch *s, const char *path, char *to)
{
	snprintf(to, PATH_MAX, "%s%s%s", s->path, *path ? "/" : "", path);
	cr_assert_eq(dir_make_all(AT_FDCWD, to, 0755), 0);
	return to;
}

/* Folders of a scratch folder; "" is that itself. */
static int check(const char *project, const char *home, const char *user, bool allow_home,
	bool *ret_cover, struct diag *d)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	char at[3][PATH_MAX];
	struct project p = { -1, below(&s, project, at[0]), -1, below(&s, home, at[1]) };

	return run_check_place(&p, user ? below(&s, user, at[2]) : NULL, allow_home, ret_cover, d);
}

Test(place, beside_home_and_store_is_well)
{
	bool cover = true;

	cr_assert_eq(check("user/app", "user/.cratons", "user", false, &cover, NULL), 0);
	cr_assert_not(cover);
	cr_assert_eq(check("user/app", "user/app2", "user", false, &cover, NULL), 0, "no more than a beginning");
	cr_assert_not(cover);
	cr_assert_eq(check("app", "home", NULL, false, &cover, NULL), 0);
}

Test(place, what_holds_the_home_is_refused_unless_asked_for)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	bool cover;

	cr_assert_eq(check("user", "store", "user", false, &cover, &d), -ERR_CONTAINER);
	cr_assert_not_null(strstr(buf_text(&d.hint), "--expose-home"));
	cr_assert_eq(check("", "store/deep", "user", false, &cover, &d), -ERR_CONTAINER);
	cr_assert_eq(check("user", "store", "user", true, &cover, &d), 0);
}

Test(place, a_store_directly_in_the_project_is_covered)
{
	bool cover = false;

	cr_assert_eq(check("user", "user/.cratons", "user", true, &cover, NULL), 0);
	cr_assert(cover);
}

Test(place, a_store_deeper_or_the_project_itself_is_refused)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	bool cover;

	cr_assert_eq(check("app", "app/a/b", NULL, false, &cover, &d), -ERR_CONTAINER);
	cr_assert_not_null(strstr(buf_text(&d.hint), "CRATONS_HOME"));
	cr_assert_eq(check("app", "app", NULL, false, &cover, &d), -ERR_CONTAINER);
}

Test(place, links_to_the_home_are_followed)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	char project[PATH_MAX], store[PATH_MAX], link[PATH_MAX];
	struct project p = { -1, below(&s, "disk/user", project), -1, below(&s, "store", store) };
	bool cover;

	snprintf(link, sizeof(link), "%s/home", s.path);
	cr_assert_eq(symlink(project, link), 0);
	cr_assert_eq(run_check_place(&p, link, false, &cover, NULL), -ERR_CONTAINER);
}

Test(place, the_systems_directories_are_refused)
{
	static const char *const system[] = { "/", "/usr", "/etc", "/var", "/proc" };
	_cleanup_(scratch_done) struct scratch s = scratch_new();

	for (size_t i = 0; i < ARRAY_SIZE(system); i++) {
		struct project p = { -1, system[i], -1, s.path };
		bool cover;

		cr_assert_eq(run_check_place(&p, NULL, true, &cover, NULL), -ERR_CONTAINER, "%s",
			system[i]);
	}
}
