// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/lock/lockfile.h"
#include "prim/err.h"

#include <criterion/criterion.h>

#define SHA512                                                                                     \
	"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+"  \
	"SfaPg=="
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char canonical[] =
	"# Written by cratons from cratons.toml; see cratons.lock(5).\n"
	"version = 1\n"
	"manifest = \"blake3:" HEX "\"\n"
	"\n[[package]]\n"
	"id = \"npm:@a/b@1.0.0+0123456789abcdef\"\n"
	"source = \"https://example.org/b.tgz\"\n"
	"integrity = \"" SHA512 "\"\n"
	"tree = \"blake3:" HEX "\"\n"
	"dependencies = { alias = \"npm:c@2.0.0-rc.1\", \"d.e\" = \"npm:d.e@1.0.0\" }\n"
	"optional = [\"alias\"]\n"
	"peers = { c = \"npm:c@2.0.0-rc.1\" }\n"
	"bundled = [\"z\"]\n"
	"bin = { tsc = \"bin/tsc\" }\n"
	"platform = { os = [\"linux\", \"!win32\"], libc = [\"glibc\"] }\n"
	"scripts = true\n"
	"deprecated = \"no \\\"more\\\"\\n\"\n"
	"\n[[package]]\n"
	"id = \"npm:c@2.0.0-rc.1\"\n"
	"source = \"https://example.org/c.tgz\"\n"
	"integrity = \"" SHA512 "\"\n"
	"dependencies = { \"@a/b\" = \"npm:@a/b@1.0.0+0123456789abcdef\" }\n"
	"\n[[package]]\n"
	"id = \"npm:d.e@1.0.0\"\n"
	"source = \"path:packages/d\"\n"
	"\n[[root]]\n"
	"name = \"app\"\n"
	"\n[root.dependencies]\n"
	"\"@a/b\" = { id = \"npm:@a/b@1.0.0+0123456789abcdef\", requirement = \"^1.0.0\", kind = \"dev\" }\n";

static struct lockfile *parse(const char *text)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct lockfile *l = NULL;
	int r = lockfile_parse(&l, str_from(text), "cratons.lock", &d);

	cr_assert_eq(r, 0, "%s: %s", buf_text(&d.where), buf_text(&d.what));
	return l;
}

Test(lock, reads_packages)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = parse(canonical);
	struct lock_package *b = lockfile_find(l, STR("npm:@a/b@1.0.0+0123456789abcdef"));

	cr_assert_eq(l->npackages, 3);
	cr_assert_eq(b, l->packages[0]);
	cr_assert(str_is(b->ecosystem, "npm"));
	cr_assert(str_is(b->name, "@a/b"));
	cr_assert(str_is(b->version, "1.0.0"));
	cr_assert(str_is(b->peers_hash, "0123456789abcdef"));
	cr_assert_eq(b->ndependencies, 3);
	cr_assert(str_is(b->dependencies[1].name, "c"));
	cr_assert_eq(b->dependencies[1].package, l->packages[1]);
	cr_assert_eq(b->npeers, 1);
	cr_assert_eq(b->nbins, 1);
	cr_assert_eq(b->platform.nos, 2);
	cr_assert(b->scripts);
	cr_assert(str_is(b->deprecated, "no \"more\"\n"));
	cr_assert(str_is(l->packages[1]->version, "2.0.0-rc.1"));
	cr_assert_eq(l->packages[1]->peers_hash.n, 0);
	cr_assert_eq(l->packages[2]->index, 2);
	cr_assert_null(lockfile_find(l, STR("npm:x@1")));
	cr_assert_eq(l->roots[0].dependencies[0].kind, DEPENDENCY_DEV);
}

Test(lock, prints_what_it_read)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = parse(canonical);
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(lockfile_print(l, &b), 0);
	cr_assert_str_eq(buf_text(&b), canonical);
}

/* The same graph in another order and another formatting. */
static const char shuffled[] =
	"manifest = 'blake3:" HEX "' # c\n"
	"version = 1\n"
	"root = [{dependencies = {a = {kind = 'normal', id = 'npm:a@1.0.0'}}}]\n"
	"[[package]]\nsource = 'https://example.org/b'\nid = 'npm:b@1.0.0'\n"
	"tree = \"blake3:" HEX "\"\nscripts = false\nbundled = ['z', 'y']\n"
	"[[package]]\nid = 'npm:a@1.0.0'\nsource = 'https://example.org/a'\n"
	"tree = \"blake3:" HEX "\"\n[package.dependencies]\nz = 'npm:b@1.0.0'\nb = 'npm:b@1.0.0'\n";

Test(lock, is_the_same_whatever_the_order)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = parse(shuffled), *again = NULL;
	_cleanup_buf_ struct buf one = BUF_INIT, two = BUF_INIT;

	cr_assert_eq(lockfile_print(l, &one), 0);
	again = parse(buf_text(&one));
	cr_assert_eq(lockfile_print(again, &two), 0);
	cr_assert_str_eq(buf_text(&one), buf_text(&two));
	cr_assert(str_is(l->packages[0]->id, "npm:a@1.0.0"));
	cr_assert(str_is(l->packages[1]->bundled[0], "y"));
}

static struct lock_package *add(struct lockfile *l, const char *name)
{
	struct lock_package *p = arena_new(&l->arena, struct lock_package);

	p->id = arena_fmt(&l->arena, "npm:%s@1.0.0", name);
	p->ecosystem = STR("npm");
	p->name = str_from(name);
	p->version = STR("1.0.0");
	p->source = STR("https://example.org/x.tgz");
	p->integrity = STR(SHA512);
	return p;
}

Test(lock, settles_what_was_made_in_memory)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct lock_package *list[2];
	struct lock_edge edge;
	struct lock_root_edge root_edge = { STR("b"), NULL, STR("^1"), DEPENDENCY_NORMAL };
	struct lock_root root = { STR("app"), STR(""), &root_edge, 1 };

	cr_assert_eq(lockfile_new(&l), 0);
	list[0] = root_edge.package = add(l, "b");
	list[1] = add(l, "a");
	l->packages = list;
	l->npackages = 2;
	l->roots = &root;
	l->nroots = 1;
	cr_assert_eq(lockfile_settle(l, &d), -ERR_LOCKFILE);
	cr_assert_str_eq(buf_text(&d.what), "extra package: nothing depends on 'npm:a@1.0.0'");
	edge = (struct lock_edge){ STR("a"), list[0] };
	root_edge.package->dependencies = &edge;
	root_edge.package->ndependencies = 1;
	cr_assert_eq(lockfile_settle(l, &d), 0);
	cr_assert_eq(root_edge.package->index, 1);
	cr_assert_eq(lockfile_find(l, STR("npm:a@1.0.0")), edge.package);
}

static bool allows(struct str one, struct str two, const char *cpu)
{
	struct str list[] = { one, two };
	struct lock_platform p = { .cpu = list, .ncpu = (size_t)(one.n > 0) + (two.n > 0) };

	return lock_platform_allows(&p, &(struct platform){ STR("linux"), str_from(cpu), STR("glibc") });
}

Test(lock, platform_lists_are_npms)
{
	struct platform host = platform_host();

	cr_assert(allows(STR(""), STR(""), "x64"));
	cr_assert(allows(STR("x64"), STR("arm64"), "x64"));
	cr_assert_not(allows(STR("ia32"), STR("arm64"), "x64"));
	cr_assert_not(allows(STR("x64"), STR("!x64"), "x64"));
	cr_assert(allows(STR("!arm64"), STR("!ia32"), "x64"));
	cr_assert_not(allows(STR("!arm64"), STR("ia32"), "x64"));
	cr_assert(allows(STR("any"), STR(""), "x64"));
	cr_assert(str_is(host.os, "linux"));
	cr_assert_gt(host.cpu.n, 0);
}
