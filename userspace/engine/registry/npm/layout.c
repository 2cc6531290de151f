// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The isolated layout. Every package has a cell of its own, in which it sees itself and what it
 * declared, and nothing else (Node resolves links before it looks for node_modules):
 *
 *	express                       -> .cratons/express@4.19.2/node_modules/express
 *	.bin/tsc                      -> ../typescript/bin/tsc
 *	.cratons/express@4.19.2/node_modules/express		the package's tree
 *	.cratons/express@4.19.2/node_modules/accepts   -> ../../accepts@1.3.8/node_modules/accepts
 *
 * .cache, .vite and .vite-temp are empty: places where tools expect to write, which a run binds.
 * A '/' in a scoped name is '+' in the cell's, as no package name has a '+'.
 */
#include "engine/registry/npm/layout.h"

#include "engine/registry/npm/bins.h"
#include "prim/err.h"

#include <errno.h>

bool npm_edge_wanted(const struct compose_options *o, const struct lock_root_edge *e)
{
	return o->selected[e->package->index] && e->kind != DEPENDENCY_TOOL &&
	       !(o->production && e->kind == DEPENDENCY_DEV);
}

struct str npm_linked_path(const struct lock_package *p)
{
	struct str prefix = STR("path:");

	if (!str_starts(p->source, prefix))
		return (struct str){ NULL, 0 };
	return str_slice(p->source, prefix.n, p->source.n);
}

int npm_place(const struct compose_options *o, struct tree_builder *b,
	const struct lock_package *p, struct str path, bool merge, struct diag *d)
{
	const struct digest *digest = o->tree_of(o->data, p);
	const struct tree *tree;
	int r;

	if (!digest)
		return diag_fail(d, -ERR_STORE_MISSING, "%.*s is not in the store", STR_ARG(p->id));
	if (!merge)
		return tree_builder_subtree(b, path, digest);
	r = o->open_tree(o->data, digest, &tree, d);
	return r < 0 ? r : tree_builder_graft(b, path, tree);
}

int npm_link(struct tree_builder *b, struct str path, struct str to)
{
	struct buf target = { .max = TREE_PATH_MAX };
	int r = 0;

	for (size_t i = 0; i < path.n && r == 0; i++)
		if (path.p[i] == '/')
			r = buf_adds(&target, "../");
	if (r == 0)
		r = buf_addstr(&target, to);
	if (r == 0)
		r = tree_builder_symlink(b, path, buf_str(&target));
	buf_done(&target);
	return r;
}

struct str npm_home_of(struct arena *a, const struct lock_package *p)
{
	struct str linked = npm_linked_path(p), id, cell;

	if (linked.p)
		return arena_fmt(a, "../%.*s", STR_ARG(linked));
	id = str_slice(p->id, p->ecosystem.n + 1, p->id.n);
	cell = arena_str(a, id);
	for (size_t i = 0; cell.p && i < cell.n; i++)
		if (cell.p[i] == '/')
			((char *)cell.p)[i] = '+';
	return arena_fmt(a, ".cratons/%.*s/node_modules/%.*s", STR_ARG(cell), STR_ARG(p->name));
}

/* A package may depend on another version of itself: its own place is taken, so that one goes below
 * it, where Node looks first. */
static bool depends_on_own_name(const struct compose_options *o, const struct lock_package *p)
{
	for (size_t i = 0; i < p->ndependencies; i++)
		if (str_eq(p->dependencies[i].name, p->name) &&
				o->selected[p->dependencies[i].package->index])
			return true;
	return false;
}

/* Scripts find the commands of what their package depends on beside it. */
static int add_cell_bins(const struct compose_options *o, struct tree_builder *b, struct arena *a,
	const struct lock_package *p, struct str siblings)
{
	struct bin_set bins = { .arena = a };
	int r = 0;

	for (size_t i = 0; i < p->ndependencies && r == 0; i++)
		if (o->selected[p->dependencies[i].package->index])
			r = npm_bin_add(&bins, siblings, p->dependencies[i].name,
				p->dependencies[i].package);
	if (r == 0)
		r = npm_bin_flush(&bins, b);
	npm_bin_done(&bins);
	return r;
}

static int add_cell(const struct compose_options *o, struct tree_builder *b, struct arena *a,
	const struct lock_package *p, const struct str *homes, struct diag *d)
{
	struct str home = homes[p->index];
	struct str siblings = str_slice(home, 0, home.n - p->name.n);
	int r;

	if (npm_linked_path(p).p)
		return 0;
	r = npm_place(o, b, p, home, depends_on_own_name(o, p), d);
	for (size_t i = 0; i < p->ndependencies && r == 0; i++) {
		const struct lock_edge *e = &p->dependencies[i];
		struct str at;

		if (!o->selected[e->package->index])
			continue;
		at = str_eq(e->name, p->name) ?
			arena_fmt(a, "%.*s/node_modules/%.*s", STR_ARG(home), STR_ARG(e->name)) :
			arena_fmt(a, "%.*s%.*s", STR_ARG(siblings), STR_ARG(e->name));
		r = at.p ? npm_link(b, at, homes[e->package->index]) : -ENOMEM;
	}
	if (r == 0 && o->cell_commands)
		r = add_cell_bins(o, b, a, p, siblings);
	return r;
}

static int add_root(const struct lock_root *root, const struct compose_options *o,
	struct tree_builder *b, struct arena *a, const struct str *homes)
{
	struct bin_set bins = { .arena = a };
	int r = 0;

	for (size_t i = 0; i < root->ndependencies && r == 0; i++) {
		const struct lock_root_edge *e = &root->dependencies[i];

		if (!npm_edge_wanted(o, e))
			continue;
		r = npm_link(b, e->name, homes[e->package->index]);
		if (r == 0)
			r = npm_bin_add(&bins, STR(""), e->name, e->package);
	}
	if (r == 0)
		r = npm_bin_flush(&bins, b);
	npm_bin_done(&bins);
	return r;
}

static int compose_isolated(const struct lockfile *l, const struct lock_root *root,
	const struct compose_options *o, struct tree_builder *b, struct diag *d)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct str *homes = arena_newn(&a, struct str, l->npackages + 1);
	int r = 0;

	if (!homes)
		return -ENOMEM;
	for (size_t i = 0; i < l->npackages; i++) {
		homes[i] = npm_home_of(&a, l->packages[i]);
		if (!homes[i].p)
			return -ENOMEM;
	}
	for (size_t i = 0; i < l->npackages && r == 0; i++)
		if (o->selected[i] && str_is(l->packages[i]->ecosystem, "npm"))
			r = add_cell(o, b, &a, l->packages[i], homes, d);
	return r < 0 ? r : add_root(root, o, b, &a, homes);
}

/* Not where a package of that name is: none can be, as names do not begin with a dot. */
static int add_writable(struct tree_builder *b)
{
	int r = tree_builder_dir(b, STR(".cache"));

	if (r == 0)
		r = tree_builder_dir(b, STR(".vite"));
	return r < 0 ? r : tree_builder_dir(b, STR(".vite-temp"));
}

int npm_compose(const struct lockfile *l, const struct lock_root *root,
	const struct compose_options *o, struct tree_builder *b, struct diag *d)
{
	int r = o->layout == LAYOUT_HOISTED ? npm_compose_hoisted(l, root, o, b, d) :
					      compose_isolated(l, root, o, b, d);

	if (r == 0)
		r = add_writable(b);
	if (r < 0 && d && d->code != r)
		diag_errno(d, r, "composing node_modules");
	return r;
}
