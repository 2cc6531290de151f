// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "engine/install/install.h"
#include "prim/vec.h"
#include "view.h"

#include <errno.h>

static bool arg_all, arg_production, arg_scripts;

const struct opt list_options[] = {
	OPT_FLAG("all", 'a', &arg_all),
	OPT_FLAG("production", 0, &arg_production),
	OPT_FLAG("scripts", 0, &arg_scripts),
	OPT_ARGS("PATTERN", 0, OPT_ANY_NUMBER),
	OPT_END,
};

/* One line: a package and, where the project itself asks for it, how. */
struct row {
	const struct lock_package *package;
	const struct lock_root_edge *edge;	/* or NULL */
};
struct rows {
	VEC(struct row) v;
	bool *seen;
};

static bool wanted(const struct cmd *c, const struct lock_root_edge *edge,
	const struct lock_package *p)
{
	if (arg_production && edge && edge->kind == DEPENDENCY_DEV)
		return false;
	if (arg_scripts && !p->scripts)
		return false;
	return view_matches(edge ? edge->name : p->name, c->argv, c->argc);
}

static int add_direct(struct cmd *c, const struct view *v, struct rows *rows)
{
	const struct lockfile *l = v->lockfile;

	for (size_t r = 0; r < l->nroots; r++)
		for (size_t e = 0; e < l->roots[r].ndependencies; e++) {
			const struct lock_root_edge *edge = &l->roots[r].dependencies[e];

			if (rows->seen[edge->package->index] ||
					(!arg_all && view_hidden(v, edge)) || !wanted(c, edge, edge->package))
				continue;
			rows->seen[edge->package->index] = true;
			if (vec_push(&rows->v, (struct row){ edge->package, edge }) < 0)
				return -ENOMEM;
		}
	return 0;
}

/* Marks what the project reaches, but for development where that is left out. */
static int mark_reached(const struct lockfile *l, bool *reached)
{
	_cleanup_free_ size_t *queue = calloc(l->npackages + 1, sizeof(*queue));
	size_t end = 0;

	if (!queue)
		return -ENOMEM;
#define REACH(p) \
	if (!reached[(p)->index]) \
		reached[(p)->index] = true, queue[end++] = (p)->index
	for (size_t r = 0; r < l->nroots; r++)
		for (size_t e = 0; e < l->roots[r].ndependencies; e++)
			if (!arg_production || l->roots[r].dependencies[e].kind != DEPENDENCY_DEV)
				REACH(l->roots[r].dependencies[e].package);
	for (size_t at = 0; at < end; at++)
		for (size_t e = 0; e < l->packages[queue[at]]->ndependencies; e++)
			REACH(l->packages[queue[at]]->dependencies[e].package);
#undef REACH
	return 0;
}

static int add_rest(struct cmd *c, const struct view *v, struct rows *rows)
{
	const struct lockfile *l = v->lockfile;
	_cleanup_free_ bool *reached = calloc(l->npackages + 1, sizeof(*reached));
	int r = reached ? mark_reached(l, reached) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < l->npackages; i++)
		if (reached[i] && !rows->seen[i] && wanted(c, NULL, l->packages[i]))
			r = vec_push(&rows->v, (struct row){ l->packages[i], NULL });
	return r;
}

/* Whether it has install scripts, and whether they run: NULL for none. */
static const char *script_word(const struct view *v, const struct lock_package *p)
{
	if (!p->scripts)
		return NULL;
	return install_allows_scripts(v->manifest, p) ? "allowed" : "not allowed";
}

static void print_json(struct cmd *c, const struct view *v, const struct row *row)
{
	const struct lock_package *p = row->package;
	const char *kind = row->edge ? view_kind(row->edge->kind) : NULL;

	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_str(&c->json, p->id);
	json_out_key(&c->json, "ecosystem");
	json_out_str(&c->json, p->ecosystem);
	json_out_key(&c->json, "name");
	json_out_str(&c->json, p->name);
	json_out_key(&c->json, "version");
	json_out_str(&c->json, p->version);
	json_out_key(&c->json, "direct");
	json_out_bool(&c->json, row->edge);
	json_out_key(&c->json, "requirement");
	if (row->edge)
		json_out_str(&c->json, row->edge->requirement);
	else
		json_out_null(&c->json);
	json_out_key(&c->json, "kind");
	json_out_text(&c->json, kind && !*kind ? "normal" : kind);
	json_out_key(&c->json, "scripts");
	json_out_text(&c->json, script_word(v, p));
	json_out_key(&c->json, "deprecated");
	if (p->deprecated.n)
		json_out_str(&c->json, p->deprecated);
	else
		json_out_null(&c->json);
	json_out_close(&c->json, '}');
}

static void print_row(struct cmd *c, const struct view *v, const struct row *row)
{
	const struct lock_package *p = row->package;
	const char *kind = row->edge ? view_kind(row->edge->kind) : "";
	bool alias = row->edge && !str_eq(row->edge->name, p->name);

	if (alias)
		cmd_print(c, STYLE_BOLD "%.*s" STYLE_END " -> ", STR_ARG(row->edge->name));
	cmd_print(c, "%s%.*s" STYLE_END " %.*s", alias ? "" : STYLE_BOLD, STR_ARG(p->name),
		STR_ARG(p->version));
	if (row->edge && row->edge->requirement.n)
		cmd_print(c, STYLE_DIM "  %.*s" STYLE_END, STR_ARG(row->edge->requirement));
	if (*kind)
		cmd_print(c, STYLE_BLUE "  %s" STYLE_END, kind);
	if (p->scripts && (arg_scripts || arg_all))
		cmd_print(c, STYLE_BLUE "  scripts %s" STYLE_END, script_word(v, p));
	if (!lock_platform_allows(&p->platform, &v->host))
		cmd_print(c, STYLE_DIM "  not for this platform" STYLE_END);
	if (p->deprecated.n) {
		cmd_print(c, STYLE_YELLOW "  deprecated: " STYLE_END);
		cmd_print_plain(c, p->deprecated);
	}
	cmd_print(c, "\n");
}

static void print_rows(struct cmd *c, const struct view *v, const struct rows *rows)
{
	if (c->use_json)
		json_out_open(&c->json, '[');
	vec_foreach(row, &rows->v) {
		if (c->use_json)
			print_json(c, v, row);
		else
			print_row(c, v, row);
	}
	if (c->use_json)
		json_out_close(&c->json, ']');
}

int cmd_list(struct cmd *c)
{
	_cleanup_view_ struct view v = { 0 };
	struct rows rows = { 0 };
	int r = view_load(c, &v);

	if (r < 0)
		return r;
	rows.seen = calloc(v.lockfile->npackages + 1, sizeof(*rows.seen));
	r = rows.seen ? add_direct(c, &v, &rows) : -ENOMEM;
	if (r == 0 && (arg_all || arg_scripts))
		r = add_rest(c, &v, &rows);
	if (r == 0)
		print_rows(c, &v, &rows);
	if (r == 0 && rows.v.n == 0 && c->argc)
		cmd_note(c, "Nothing that is listed has such a name%s",
			arg_all ? "" : "; --all looks at the dependencies of dependencies too");
	vec_done(&rows.v);
	free(rows.seen);
	return r;
}
