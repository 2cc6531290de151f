// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/manifest.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

static struct manifest *parse(const char *text)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct manifest *m = NULL;
	int r = manifest_parse(&m, str_from(text), "cratons.toml", &d);

	cr_assert_eq(r, 0, "%s: %s", buf_text(&d.where), buf_text(&d.what));
	return m;
}

static const char whole[] =
	"[package]\nname = \"@acme/app\"\nversion = \"1.0.0-rc.1\"\ndescription = \"x\"\n"
	"private = true\n[environment]\nnode = \">=20\"\n"
	"[dependencies.npm]\nzod = \"^3\"\n\"@types/node\" = \"*\"\n"
	"express = { version = \"^4.19\" }\nfsevents = { version = \"2\", optional = true }\n"
	"local = { path = \"./packages/local/\" }\n"
	"tar = { url = \"https://example.org/t.tgz\", integrity = \"sha512-"
	"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\" }\n"
	"[dev-dependencies.npm]\nts = \"npm:typescript@^5\"\n"
	"[optional-dependencies.npm]\nbufferutil = \"latest\"\n"
	"[overrides.npm]\nqs = \"6\"\n\"a@^1\" = { \".\" = \"1.2\", b = { c = \"$zod\" } }\n"
	"[scripts]\nbuild = \"tsc\"\n\"test:unit\" = \"mocha\"\n"
	"[install]\nlayout = \"hoisted\"\nminimum-age = \"3d\"\nallow-missing-time = true\n"
	"allow-scripts = [\"esbuild\", \"npm:sharp@0.33.0\", \"@a/b\"]\n"
	"[registries.npm]\ndefault = \"https://registry.example.org\"\n"
	"\"@acme\" = \"http://127.0.0.1:4873/x/\"\n[caps]\nanything = { goes = 1 }\n";

static const struct manifest_dependency *find(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->ndependencies; i++)
		if (str_is(m->dependencies[i].name, name))
			return &m->dependencies[i];
	cr_assert_fail("no dependency %s", name);
	return NULL;
}

Test(manifest, reads_dependencies)
{
	_cleanup_(manifest_free_p) struct manifest *m = parse(whole);

	cr_assert_eq(m->ndependencies, 8);
	cr_assert(str_is(m->dependencies[0].name, "@types/node"));
	cr_assert(str_is(find(m, "express")->requirement, "^4.19"));
	cr_assert_eq(find(m, "fsevents")->kind, DEPENDENCY_OPTIONAL);
	cr_assert(str_is(find(m, "local")->path, "packages/local"));
	cr_assert_null(find(m, "local")->requirement.p);
	cr_assert(str_is(find(m, "tar")->url, "https://example.org/t.tgz"));
	cr_assert_eq(find(m, "ts")->kind, DEPENDENCY_DEV);
	cr_assert(str_is(find(m, "ts")->requirement, "npm:typescript@^5"));
	cr_assert_eq(find(m, "bufferutil")->kind, DEPENDENCY_OPTIONAL);
	cr_assert_eq(find(m, "express")->place.line, 11);
}

Test(manifest, reads_the_other_tables)
{
	_cleanup_(manifest_free_p) struct manifest *m = parse(whole);

	cr_assert(str_is(m->name, "@acme/app"));
	cr_assert(m->private);
	cr_assert(str_is(m->node, ">=20"));
	cr_assert_eq(m->layout, LAYOUT_HOISTED);
	cr_assert_eq(m->minimum_age, 3 * 86400);
	cr_assert(m->allow_missing_time);
	cr_assert_not(m->allow_missing_integrity);
	cr_assert_eq(m->nallow_scripts, 3);
	cr_assert(str_is(m->allow_scripts[0], "npm:esbuild"));
	cr_assert(str_is(m->allow_scripts[1], "npm:sharp@0.33.0"));
	cr_assert(str_is(m->allow_scripts[2], "npm:@a/b"));
	cr_assert_eq(m->nscripts, 2);
	cr_assert_eq(m->nregistries, 2);
	cr_assert_eq(m->registries[0].scope.n, 0);
	cr_assert(str_is(m->registries[0].url, "https://registry.example.org/"));
	cr_assert(str_is(m->registries[1].scope, "@acme"));
}

Test(manifest, reads_nested_overrides)
{
	_cleanup_(manifest_free_p) struct manifest *m = parse(whole);

	cr_assert_eq(m->noverrides, 3);
	cr_assert_eq(m->overrides[0].nparents, 0);
	cr_assert(str_is(m->overrides[0].target, "a@^1"));
	cr_assert(str_is(m->overrides[0].requirement, "1.2"));
	cr_assert(str_is(m->overrides[1].target, "qs"));
	cr_assert_eq(m->overrides[2].nparents, 2);
	cr_assert(str_is(m->overrides[2].parents[1], "b"));
	cr_assert(str_is(m->overrides[2].target, "c"));
	cr_assert(str_is(m->overrides[2].requirement, "^3"));
}

static struct digest digest_of(const char *text)
{
	_cleanup_(manifest_free_p) struct manifest *m = parse(text);

	return manifest_graph_digest(m);
}

Test(manifest, digest_is_of_the_graph_alone)
{
	struct digest a = digest_of("[dependencies.npm]\na = \"1\"\nb = \"2\"\n"), b;

	b = digest_of("# c\n[scripts]\nx = \"y\"\n[dependencies]\nnpm = { b = \"2\", a = '1' }\n"
		"[package]\nname = \"n\"\n[install]\nlayout = \"hoisted\"");
	cr_assert(digest_eq(&a, &b));
	b = digest_of("[dev-dependencies.npm]\na = \"1\"\nb = \"2\"\n");
	cr_assert_not(digest_eq(&a, &b));
	b = digest_of("[dependencies.npm]\na = \"1\"\nb = \"3\"\n");
	cr_assert_not(digest_eq(&a, &b));
	b = digest_of("[dependencies.npm]\na = \"1\"\nb = \"2\"\n[overrides.npm]\nc = \"1\"");
	cr_assert_not(digest_eq(&a, &b));
	b = digest_of("[dependencies.npm]\na = \"1\"\nb = \"2\"\n[install]\nminimum-age = 1");
	cr_assert_not(digest_eq(&a, &b));
	b = digest_of("[dependencies.npm]\na = \"1\"\nb = \"2\"\n[extensions.npm]\n"
		"a = { optional-peers = ['c'] }");
	cr_assert_not(digest_eq(&a, &b));
	a = digest_of("[dependencies.npm]\na = \"1\"\nb = \"2\"\n[extensions.npm]\n"
		"a = { peers = { c = '*' } }");
	cr_assert_not(digest_eq(&a, &b));
}

static void check_extensions(const struct manifest *m)
{
	const struct manifest_extension *x = m->extensions;

	cr_assert_eq(m->nextensions, 2);
	cr_assert(str_is(x[0].target, "@s/a@<2 || ^3"));
	cr_assert_eq(x[0].nadds, 3);
	cr_assert(str_is(x[0].adds[0].name, "b"));
	cr_assert_eq(x[0].adds[0].kind, DEPENDENCY_PEER_OPTIONAL);
	cr_assert(str_is(x[0].adds[0].requirement, "*"));
	cr_assert(str_is(x[0].adds[1].name, "c"));
	cr_assert_eq(x[0].adds[1].kind, DEPENDENCY_PEER);
	cr_assert(str_is(x[0].adds[2].name, "d"));
	cr_assert_eq(x[0].adds[2].kind, DEPENDENCY_NORMAL);
	cr_assert(str_is(x[0].adds[2].requirement, "npm:e@^1"));
	cr_assert_eq(x[1].nadds, 0);
}

#define EXTENSIONS "z = {}\n'@s/a@<2 || ^3' = { dependencies = { d = 'npm:e@^1' }, peers = { c = '^2' }, " \
	"optional-peers = ['b'], reason = 'r' }\n"

Test(manifest, reads_extensions)
{
	_cleanup_(manifest_free_p) struct manifest *m = parse("[extensions.npm]\n" EXTENSIONS);
	_cleanup_(manifest_free_p) struct manifest *file = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	check_extensions(m);
	cr_assert_eq(manifest_parse_extensions(&file, STR(EXTENSIONS), STR("npm"), "x.toml", &d), 0);
	check_extensions(file);
	manifest_free(TAKE_PTR(file));
	cr_assert_eq(manifest_parse_extensions(&file, STR("[package]\nname = 'a'\n"), STR("npm"),
		"x.toml", &d), -ERR_MANIFEST);
	cr_assert_str_eq(buf_text(&d.where), "x.toml:2:1");
}

Test(manifest, says_how_to_make_one)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct manifest *m = NULL;
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert_eq(manifest_load(&m, fd, &d), -ERR_NO_MANIFEST);
	cr_assert_str_eq(buf_text(&d.hint), "'cratons init' makes one");
	close(fd);
}
