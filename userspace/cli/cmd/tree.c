// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "view.h"

#include <errno.h>

/* A lockfile may hold a chain as long as itself; nobody reads past this, and the stack is finite. */
#define DEPTH_MAX 200

static bool arg_production, arg_full;
static uint64_t arg_depth = DEPTH_MAX;

const struct opt tree_options[] = {
	OPT_NUMBER("depth", 0, "N", 0, DEPTH_MAX, &arg_depth),
	OPT_FLAG("production", 0, &arg_production),
	OPT_FLAG("full", 0, &arg_full),
	OPT_ARGS("NAME", 0, 1),
	OPT_END,
};

#define LINES_MAX 1000000	/* --full of a wide graph has no end */

struct tree {
	struct cmd *c;
	const struct view *v;
	struct buf prefix;
	bool *shown;	/* its dependencies stand further up already */
	bool *open;	/* it is above: a cycle */
	size_t lines;
};

static void print_name(struct tree *t, struct str name, const struct lock_package *p)
{
	struct cmd *c = t->c;

	if (!str_eq(name, p->name))
		cmd_print(c, "%.*s -> ", STR_ARG(name));
	cmd_print(c, STYLE_BOLD "%.*s" STYLE_END " %.*s", STR_ARG(p->name), STR_ARG(p->version));
	if (!lock_platform_allows(&p->platform, &t->v->host))
		cmd_print(c, STYLE_DIM " (not for this platform)" STYLE_END);
	if (p->deprecated.n)
		cmd_print(c, STYLE_YELLOW " (deprecated)" STYLE_END);
}

/* Whether its dependencies are to be printed here; says why not. */
static bool enter(struct tree *t, const struct lock_package *p, unsigned depth)
{
	if (p->ndependencies == 0)
		return false;
	if (t->open[p->index])
		cmd_print(t->c, STYLE_DIM " (cycle)" STYLE_END);
	else if (!arg_full && t->shown[p->index])
		cmd_print(t->c, STYLE_DIM " (*)" STYLE_END);
	else if (depth >= arg_depth)
		cmd_print(t->c, STYLE_DIM " …" STYLE_END);
	else
		return true;
	return false;
}

static int children(struct tree *t, const struct lock_package *p, unsigned depth);

static int branch(struct tree *t, struct str name, const struct lock_package *p, const char *kind,
	bool last, unsigned depth)
{
	size_t length = t->prefix.len;
	int r = 0;
	bool deeper;

	if (++t->lines > LINES_MAX)
		return 0;
	cmd_print(t->c, "%s%s", buf_text(&t->prefix), last ? "└── " : "├── ");
	print_name(t, name, p);
	if (*kind)
		cmd_print(t->c, STYLE_BLUE " %s" STYLE_END, kind);
	deeper = enter(t, p, depth);
	cmd_print(t->c, "\n");
	if (!deeper)
		return 0;
	r = buf_adds(&t->prefix, last ? "    " : "│   ");
	if (r == 0)
		r = children(t, p, depth + 1);
	t->prefix.len = length;
	t->prefix.data[length] = '\0';
	return r;
}

static int children(struct tree *t, const struct lock_package *p, unsigned depth)
{
	int r = 0;

	t->shown[p->index] = true;
	t->open[p->index] = true;
	for (size_t i = 0; r == 0 && i < p->ndependencies; i++)
		r = branch(t, p->dependencies[i].name, p->dependencies[i].package, "",
			i + 1 == p->ndependencies, depth);
	t->open[p->index] = false;
	return r;
}

static bool skipped(const struct view *v, const struct lock_root_edge *edge)
{
	return (arg_production && edge->kind == DEPENDENCY_DEV) || view_hidden(v, edge);
}

static int from_root(struct tree *t, const struct lock_root *root)
{
	size_t last = root->ndependencies;
	int r = 0;

	cmd_print(t->c, STYLE_BOLD "%.*s" STYLE_END "\n",
		STR_ARG(root->name.n ? root->name : STR(".")));
	while (last > 0 && skipped(t->v, &root->dependencies[last - 1]))
		last--;
	for (size_t i = 0; r == 0 && i < last; i++) {
		const struct lock_root_edge *edge = &root->dependencies[i];

		if (!skipped(t->v, edge))
			r = branch(t, edge->name, edge->package, view_kind(edge->kind),
				i + 1 == last, 1);
	}
	return r;
}

static int from_name(struct tree *t, const char *name)
{
	const struct lockfile *l = t->v->lockfile;
	bool found = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i];

		if (!str_is(p->name, name))
			continue;
		found = true;
		print_name(t, p->name, p);
		cmd_print(t->c, "\n");
		r = children(t, p, 1);
	}
	return r == 0 && !found ? view_unknown(t->c, t->v, name) : r;
}

/* As JSON the graph is told once, by id: a nested form would repeat packages without end. */
static void print_json(struct cmd *c, const struct view *v)
{
	const struct lockfile *l = v->lockfile;

	json_out_open(&c->json, '{');
	json_out_key(&c->json, "roots");
	json_out_open(&c->json, '[');
	for (size_t r = 0; r < l->nroots; r++) {
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "name");
		json_out_str(&c->json, l->roots[r].name);
		json_out_key(&c->json, "dependencies");
		json_out_open(&c->json, '{');
		for (size_t e = 0; e < l->roots[r].ndependencies; e++) {
			if (skipped(v, &l->roots[r].dependencies[e]))
				continue;
			json_out_keystr(&c->json, l->roots[r].dependencies[e].name);
			json_out_str(&c->json, l->roots[r].dependencies[e].package->id);
		}
		json_out_close(&c->json, '}');
		json_out_close(&c->json, '}');
	}
	json_out_close(&c->json, ']');
	json_out_key(&c->json, "packages");
	json_out_open(&c->json, '{');
	for (size_t i = 0; i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i];

		json_out_keystr(&c->json, p->id);
		json_out_open(&c->json, '{');
		for (size_t e = 0; e < p->ndependencies; e++) {
			json_out_keystr(&c->json, p->dependencies[e].name);
			json_out_str(&c->json, p->dependencies[e].package->id);
		}
		json_out_close(&c->json, '}');
	}
	json_out_close(&c->json, '}');
	json_out_close(&c->json, '}');
}

static int print_text(struct cmd *c, const struct view *v)
{
	size_t n = v->lockfile->npackages + 1;
	struct tree t = { .c = c, .v = v };
	int r = 0;

	t.shown = calloc(n, sizeof(*t.shown));
	t.open = calloc(n, sizeof(*t.open));
	if (!t.shown || !t.open)
		r = -ENOMEM;
	else if (c->argc)
		r = from_name(&t, c->argv[0]);
	else
		for (size_t i = 0; r == 0 && i < v->lockfile->nroots; i++)
			r = from_root(&t, &v->lockfile->roots[i]);
	if (t.lines > LINES_MAX)
		cmd_warn(c, "cut after %d lines", LINES_MAX);
	buf_done(&t.prefix);
	free(t.shown);
	free(t.open);
	return r;
}

int cmd_tree(struct cmd *c)
{
	_cleanup_view_ struct view v = { 0 };
	int r = view_load(c, &v);

	if (r < 0)
		return r;
	if (!c->use_json)
		return print_text(c, &v);
	print_json(c, &v);
	return 0;
}
