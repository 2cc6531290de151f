// SPDX-License-Identifier: GPL-2.0-or-later
/* What the scenarios of tests/cases/resolve cannot say: sources that fail, when they are asked, and what
 * they are not trusted with. */
#include "engine/resolve/resolve.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define REGISTRY_MAX 64

/* Packages of one release each. */
struct fake {
	struct arena arena;
	struct package packages[REGISTRY_MAX];
	size_t n;
	struct str broken;	/* asking for it fails with -ERR_NETWORK */
	struct buf asked;	/* "?a ?b !a !b": hints and gets, in their order */
	struct buf said;
};

static void fake_hint(void *data, const struct ecosystem *e, struct str name)
{
	struct fake *f = data;

	cr_assert_eq(buf_addf(&f->asked, "?%.*s ", STR_ARG(name)), 0);
}

static int fake_get(void *data, const struct ecosystem *e, struct str name,
	const struct package **ret, struct diag *d)
{
	struct fake *f = data;

	cr_assert_eq(buf_addf(&f->asked, "!%.*s ", STR_ARG(name)), 0);
	if (str_eq(name, f->broken))
		return diag_fail(d, -ERR_NETWORK, "no answer for %.*s", STR_ARG(name));
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->packages[i].name, name)) {
			*ret = &f->packages[i];
			return 0;
		}
	return diag_fail(d, -ERR_NO_PACKAGE, "no %.*s", STR_ARG(name));
}

static void fake_warn(void *data, const char *text)
{
	struct fake *f = data;

	cr_assert_eq(buf_addf(&f->said, "%s\n", text), 0);
}

static struct release *add(struct fake *f, const char *name, size_t ndependencies)
{
	const struct version_scheme *v = ecosystem_find(STR("npm"))->versions;
	struct release *r = arena_new(&f->arena, struct release);

	cr_assert(f->n < REGISTRY_MAX);
	r->version = STR("1.0.0");
	r->url = STR("https://registry.example/x.tgz");
	r->integrity = STR("sha512-" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==");
	r->published = -1;
	r->dependencies = arena_newn(&f->arena, struct dependency, ndependencies);
	r->ndependencies = ndependencies;
	cr_assert_eq(v->parse(&f->arena, r->version, 0, &r->parsed), 0);
	f->packages[f->n++] = (struct package){ .name = arena_str(&f->arena, str_from(name)),
		.releases = r, .nreleases = 1 };
	return r;
}

static struct dependency needs(struct fake *f, const char *name, enum dependency_kind kind)
{
	struct str lasting = arena_str(&f->arena, str_from(name));

	return (struct dependency){ lasting, lasting, STR("^1"), kind };
}

static int resolve_fake(struct fake *f, const char *const *names, size_t n, struct lockfile **ret,
	struct diag *d)
{
	struct manifest_dependency deps[8] = { 0 };
	struct manifest m = { .name = STR("app"), .dependencies = deps, .ndependencies = n };
	struct resolve_source source = { .hint = fake_hint, .get = fake_get, .data = f };
	struct resolve_options o = { .warn = fake_warn, .data = f };

	for (size_t i = 0; i < n; i++)
		deps[i] = (struct manifest_dependency){ .ecosystem = STR("npm"),
			.name = str_from(names[i]), .requirement = STR("^1") };
	return resolve(&m, &source, &o, ret, d);
}

static void fake_done(struct fake *f)
{
	buf_done(&f->asked);
	buf_done(&f->said);
	arena_done(&f->arena);
}

Test(resolve, hints_at_all_that_is_known_before_it_waits)
{
	_cleanup_(fake_done) struct fake f = { 0 };
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct release *a = add(&f, "a", 3);

	add(&f, "b", 0);
	add(&f, "c", 0);
	add(&f, "p", 0);
	a->dependencies[0] = needs(&f, "c", DEPENDENCY_NORMAL);
	a->dependencies[1] = needs(&f, "maybe", DEPENDENCY_PEER_OPTIONAL);
	a->dependencies[2] = needs(&f, "p", DEPENDENCY_PEER);
	cr_assert_eq(resolve_fake(&f, (const char *[]){ "b", "a" }, 2, &l, &d), 0, "%s",
		buf_text(&d.what));
	cr_assert_eq(l->npackages, 4);
	/* An optional peer is not asked for; a required one as soon as it is known. */
	cr_assert_str_eq(buf_text(&f.asked), "?a ?b !a ?c ?p !b !c !p ");
}

Test(resolve, a_network_failure_is_no_missing_optional_dependency)
{
	_cleanup_(fake_done) struct fake f = { .broken = STR("b") };
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct release *a = add(&f, "a", 1);

	a->dependencies[0] = needs(&f, "b", DEPENDENCY_OPTIONAL);
	cr_assert_eq(resolve_fake(&f, (const char *[]){ "a" }, 1, &l, &d), -ERR_NETWORK);
	cr_assert_null(l);
	cr_assert_str_eq(buf_text(&d.what), "no answer for b");
}

Test(resolve, what_a_registry_says_cannot_drive_a_terminal)
{
	_cleanup_(fake_done) struct fake f = { 0 };
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct release *a = add(&f, "a", 0);

	a->deprecated = STR("\033]0;owned\007use b\r\xc2\x9b");
	cr_assert_eq(resolve_fake(&f, (const char *[]){ "a" }, 1, &l, &d), 0);
	cr_assert_not_null(strstr(buf_text(&f.said), "is deprecated: ?]0;owned?use b???"),
		"%s", buf_text(&f.said));
}

Test(resolve, the_lockfile_owns_its_strings)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct fake *f = calloc(1, sizeof(*f));
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct release *a = add(f, "a", 1);

	add(f, "b", 0);
	a->dependencies[0] = needs(f, "b", DEPENDENCY_NORMAL);
	cr_assert_eq(resolve_fake(f, (const char *[]){ "a" }, 1, &l, &d), 0);
	fake_done(f);
	free(f);
	cr_assert_eq(lockfile_print(l, &text), 0);
	cr_assert_not_null(strstr(buf_text(&text), "b = \"npm:b@1.0.0\""));
}

/* A chain of 60 packages is named whole, link by link. */
Test(resolve, long_chains_are_told)
{
	_cleanup_(fake_done) struct fake f = { 0 };
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	char name[2][16];

	for (int i = 0; i < 60; i++) {
		snprintf(name[0], sizeof(name[0]), "p%d", i);
		snprintf(name[1], sizeof(name[1]), "p%d", i + 1);
		add(&f, name[0], 1)->dependencies[0] = needs(&f, name[1], DEPENDENCY_NORMAL);
	}
	cr_assert_eq(resolve_fake(&f, (const char *[]){ "p0" }, 1, &l, &d), -ERR_NO_PACKAGE);
	cr_assert_not_null(strstr(buf_text(&d.what), "app needs p0 ^1, p0 1.0.0 needs p1 ^1, "));
	cr_assert_not_null(strstr(buf_text(&d.what), "p59 1.0.0 needs p60 ^1, but the registry has "
		"no package p60"));
}

Test(resolve_check, finds_what_was_changed)
{
	_cleanup_(fake_done) struct fake f = { 0 };
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct manifest_dependency dep = { .ecosystem = STR("npm"), .name = STR("a"),
		.requirement = STR("^1") };
	struct manifest m = { .name = STR("app"), .dependencies = &dep, .ndependencies = 1 };
	struct resolve_source source = { .hint = fake_hint, .get = fake_get, .data = &f };
	struct release *a = add(&f, "a", 1);

	add(&f, "b", 0);
	a->dependencies[0] = needs(&f, "b", DEPENDENCY_NORMAL);
	cr_assert_eq(resolve_fake(&f, (const char *[]){ "a" }, 1, &l, &d), 0);
	cr_assert_eq(resolve_check(&m, l, &source, &d), 0);

	a->dependencies[0].requirement = STR("^2");
	cr_assert_eq(resolve_check(&m, l, &source, &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "npm:a@1.0.0 needs b ^2, and gets npm:b@1.0.0");
	a->dependencies[0].requirement = STR("^1");
	l->packages[0]->ndependencies = 0;
	cr_assert_eq(resolve_check(&m, l, &source, &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "npm:a@1.0.0 lacks its dependency b");
	a->ndependencies = 0;
	cr_assert_eq(resolve_check(&m, l, &source, &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "nothing needs npm:b@1.0.0");
	dep.requirement = STR("^2");
	cr_assert_eq(resolve_check(&m, l, &source, &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "the project needs a ^2, and gets npm:a@1.0.0");
}
