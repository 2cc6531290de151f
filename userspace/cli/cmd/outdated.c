// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "engine/install/query.h"
#include "engine/registry/registry.h"
#include "installing.h"
#include "prim/err.h"
#include "prim/vec.h"
#include "view.h"

#include <errno.h>

static bool arg_all, arg_exit_code;

const struct opt outdated_options[] = {
	OPT_FLAG("all", 'a', &arg_all),
	OPT_FLAG("exit-code", 0, &arg_exit_code),
	OPT_FLAG("offline", 0, &arg_installing.offline),
	OPT_FLAG("prefer-offline", 0, &arg_installing.prefer_offline),
	OPT_ARGS("PATTERN", 0, OPT_ANY_NUMBER),
	OPT_END,
};

/* One dependency of the project. Texts belong to the lockfile and to the answer. */
struct row {
	const struct lock_root_edge *edge;
	struct str wanted, latest;	/* empty: nothing satisfies */
	bool old;
};

struct outdated {
	struct cmd *cmd;
	const struct view *view;
	struct arena arena;
	VEC(struct row) rows;
};

/* Only what a registry has can have newer versions. */
static bool asked(const struct outdated *o, const struct lock_root_edge *edge)
{
	return ecosystem_find(edge->package->ecosystem) && edge->requirement.n &&
	       !str_starts(edge->package->source, STR("path:")) &&
	       view_matches(edge->name, o->cmd->argv, o->cmd->argc);
}

/* The version that a requirement gets now, as a line; an empty one where nothing satisfies it any
 * more. */
static int best(const struct manifest *m, const struct resolve_source *s,
	const struct lock_root_edge *edge, struct str requirement, struct buf *ret, struct diag *d)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const struct ecosystem *e = ecosystem_find(edge->package->ecosystem);
	const struct release *release = NULL;
	struct dependency dep = { 0 };
	int r = e->requirement_parse(edge->name, requirement, &a, &dep, d);

	if (r == 0)
		r = resolve_best(m, s, query_now(), e, &dep, &release, d);
	if (r == 0)
		r = buf_addstr(ret, release->version);
	else if (r == -ERR_UNSATISFIABLE || r == -ERR_TOO_NEW)
		r = 0;
	return r < 0 ? r : buf_addc(ret, '\n');
}

static bool newer(struct outdated *o, const struct lock_package *p, struct str version)
{
	const struct version_scheme *scheme = ecosystem_find(p->ecosystem)->versions;
	struct version *a, *b;

	if (version.n == 0 || scheme->parse(&o->arena, p->version, VERSION_LOOSE, &a) < 0 ||
			scheme->parse(&o->arena, version, VERSION_LOOSE, &b) < 0)
		return false;
	return scheme->compare(a, b) < 0;
}

static const struct lock_root_edge *next_edge(const struct outdated *o, size_t *root, size_t *at)
{
	const struct lockfile *l = o->view->lockfile;

	for (; *root < l->nroots; (*root)++, *at = 0)
		while (*at < l->roots[*root].ndependencies) {
			const struct lock_root_edge *edge = &l->roots[*root].dependencies[(*at)++];

			if (asked(o, edge))
				return edge;
		}
	return NULL;
}
#define EACH_EDGE(edge, o)                                                                         \
	(size_t _root = 0, _at = 0; (edge = next_edge(o, &_root, &_at));)

static int ask(const struct manifest *m, const struct resolve_source *s,
	const struct lock_root_edge *edge, struct buf *ret, struct diag *d)
{
	_cleanup_buf_ struct buf latest = BUF_INIT;
	int r = 0;

	/* Of an alias the latest is the other package's. */
	if (!str_eq(edge->name, edge->package->name))
		r = buf_addf(&latest, "%.*s:%.*s@", STR_ARG(edge->package->ecosystem),
			STR_ARG(edge->package->name));
	if (r == 0)
		r = buf_adds(&latest, "latest");
	if (r == 0)
		r = best(m, s, edge, edge->requirement, ret, d);
	return r < 0 ? r : best(m, s, edge, buf_str(&latest), ret, d);
}

/* Two lines a dependency: the wanted version and the latest. */
static int ask_all(void *data, const struct manifest *m, const struct resolve_source *s,
	struct buf *ret, struct diag *d)
{
	const struct outdated *o = data;
	const struct lock_root_edge *edge;
	int r = 0;

	for EACH_EDGE (edge, o)
		if (s->hint)
			s->hint(s->data, ecosystem_find(edge->package->ecosystem),
				edge->package->name);
	for EACH_EDGE (edge, o)
		if (r == 0)
			r = ask(m, s, edge, ret, d);
	return r;
}

static int take_answer(struct outdated *o, struct str answer)
{
	const struct lock_root_edge *edge;
	int r = 0;

	for EACH_EDGE (edge, o) {
		struct row row = { .edge = edge };

		row.wanted = str_cut(&answer, '\n');
		row.latest = str_cut(&answer, '\n');
		row.old = newer(o, edge->package, row.wanted) ||
			  newer(o, edge->package, row.latest);
		if (r == 0 && (row.old || arg_all))
			r = vec_push(&o->rows, row);
	}
	return r;
}

static void put_version(struct cmd *c, const char *key, struct str version)
{
	json_out_key(&c->json, key);
	if (version.n)
		json_out_str(&c->json, version);
	else
		json_out_null(&c->json);
}

static void print_json(struct cmd *c, const struct row *row)
{
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "name");
	json_out_str(&c->json, row->edge->name);
	put_version(c, "current", row->edge->package->version);
	put_version(c, "wanted", row->wanted);
	put_version(c, "latest", row->latest);
	json_out_key(&c->json, "requirement");
	json_out_str(&c->json, row->edge->requirement);
	json_out_key(&c->json, "outdated");
	json_out_bool(&c->json, row->old);
	json_out_close(&c->json, '}');
}

static int columns(size_t n, size_t now)
{
	return (int)MIN(MAX(n, now), (size_t)60);
}

static void print_table(struct outdated *o)
{
	struct cmd *c = o->cmd;
	int name = 7, version = 7;

	vec_foreach(row, &o->rows) {
		name = columns(row->edge->name.n, (size_t)name);
		version = columns(row->edge->package->version.n, (size_t)version);
		version = columns(row->wanted.n, (size_t)version);
	}
	if (o->rows.n)
		cmd_print(c, STYLE_DIM "%-*s  %-*s  %-*s  %s" STYLE_END "\n", name, "package", version,
			"current", version, "wanted", "latest");
	vec_foreach(row, &o->rows) {
		const struct lock_package *p = row->edge->package;
		struct str wanted = row->wanted.n ? row->wanted : STR("none");
		struct str latest = row->latest.n ? row->latest : STR("none");

		cmd_print(c, "%-*.*s  %-*.*s  ", name, STR_ARG(row->edge->name), version,
			STR_ARG(p->version));
		cmd_print(c, "%s%-*.*s" STYLE_END "  ", newer(o, p, wanted) ? STYLE_GREEN : "",
			version, STR_ARG(wanted));
		cmd_print(c, "%s%.*s" STYLE_END "\n", newer(o, p, latest) ? STYLE_YELLOW : "",
			STR_ARG(latest));
	}
}

static bool any_old(const struct outdated *o)
{
	vec_foreach(row, &o->rows)
		if (row->old)
			return true;
	return false;
}

static bool any_asked(const struct outdated *o)
{
	const struct lockfile *l = o->view->lockfile;

	for (size_t i = 0; i < l->nroots; i++)
		for (size_t e = 0; e < l->roots[i].ndependencies; e++)
			if (asked(o, &l->roots[i].dependencies[e]))
				return true;
	return false;
}

static void print(struct outdated *o)
{
	struct cmd *c = o->cmd;

	if (!c->use_json) {
		print_table(o);
		if (!any_old(o))
			cmd_note(c, any_asked(o) || !c->argc ? "Everything is up to date" :
				"No dependency of the project has such a name");
		return;
	}
	json_out_open(&c->json, '[');
	vec_foreach(row, &o->rows)
		print_json(c, row);
	json_out_close(&c->json, ']');
}

int cmd_outdated(struct cmd *c)
{
	_cleanup_view_ struct view v = { 0 };
	_cleanup_buf_ struct buf answer = BUF_INIT;
	struct outdated o = { .cmd = c, .view = &v };
	struct install_options options = { 0 };
	struct project p;
	int r = view_load(c, &v);

	if (r == 0)
		r = installing_project(c, &p);
	if (r < 0)
		return r;
	installing_options(c, &options);
	r = query(&p, &options, ask_all, &o, &answer, &c->diag);
	if (r == 0)
		r = take_answer(&o, buf_str(&answer));
	if (r == 0) {
		print(&o);
		r = arg_exit_code && any_old(&o) ? EXIT_ERROR : 0;
	}
	vec_done(&o.rows);
	arena_done(&o.arena);
	return r;
}
