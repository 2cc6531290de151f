// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "engine/lock/graph.h"
#include "view.h"

#include <errno.h>

#define CHAIN_MAX 64	/* parts of a chain that are shown */
#define FEW	  10	/* chains a package without --all */

static bool arg_all;

const struct opt why_options[] = {
	OPT_FLAG("all", 'a', &arg_all),
	OPT_ARGS("PACKAGE", 1, 1),
	OPT_END,
};

/* A chain is the shortest way to one dependent, and then the package itself. */
static void print_chain(struct cmd *c, const struct lock_graph *g, const struct lock_package *via,
	const struct lock_package *p)
{
	const struct lock_package *chain[CHAIN_MAX];
	size_t n = lock_graph_chain(g, via, chain, CHAIN_MAX);
	const struct lock_root *root = &g->lockfile->roots[g->root[via->index]];

	cmd_print(c, "    %.*s", STR_ARG(root->name.n ? root->name : STR(".")));
	if (n > CHAIN_MAX)
		cmd_print(c, " > … %zu more", n - CHAIN_MAX);
	for (size_t i = 0; i < MIN(n, (size_t)CHAIN_MAX); i++)
		cmd_print(c, " > %.*s %.*s", STR_ARG(chain[i]->name), STR_ARG(chain[i]->version));
	cmd_print(c, " > %.*s\n", STR_ARG(p->name));
}

static void print_roots(struct cmd *c, const struct lock_graph *g, const struct lock_package *p)
{
	for (size_t r = 0; r < g->lockfile->nroots; r++) {
		const struct lock_root *root = &g->lockfile->roots[r];
		const struct lock_root_edge *edge = lock_root_find(root, p);
		const char *kind = edge ? view_kind(edge->kind) : "";

		if (!edge)
			continue;
		cmd_print(c, "    %.*s asks for it: %.*s", STR_ARG(root->name.n ? root->name : STR(".")),
			STR_ARG(edge->requirement));
		cmd_print(c, *kind ? STYLE_BLUE "  %s" STYLE_END "\n" : "%s\n", kind);
	}
}

static void print_package(struct cmd *c, const struct lock_graph *g, const struct lock_package *p)
{
	uint32_t from = g->first[p->index], to = g->first[p->index + 1];
	size_t shown = 0;

	cmd_print(c, STYLE_BOLD "%.*s %.*s" STYLE_END, STR_ARG(p->name), STR_ARG(p->version));
	cmd_print(c, p->peers_hash.n ? "  (with peers %.*s)\n" : "%.*s\n", STR_ARG(p->peers_hash));
	print_roots(c, g, p);
	for (uint32_t i = from; i < to; i++) {
		const struct lock_package *via = g->lockfile->packages[g->dependents[i]];

		if (g->distance[via->index] == LOCK_GRAPH_NONE)
			continue;
		if (shown++ == FEW && !arg_all) {
			cmd_print(c, "    … %u more; --all shows them\n", to - i);
			break;
		}
		print_chain(c, g, via, p);
	}
}

static void json_chain(struct cmd *c, const struct lock_graph *g, const struct lock_package *via,
	const struct lock_package *p)
{
	const struct lock_package *chain[CHAIN_MAX];
	size_t n = via ? MIN(lock_graph_chain(g, via, chain, CHAIN_MAX), (size_t)CHAIN_MAX) : 0;

	json_out_open(&c->json, '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(&c->json, chain[i]->id);
	json_out_str(&c->json, p->id);
	json_out_close(&c->json, ']');
}

static void json_package(struct cmd *c, const struct lock_graph *g, const struct lock_package *p)
{
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_str(&c->json, p->id);
	json_out_key(&c->json, "direct");
	json_out_bool(&c->json, g->distance[p->index] == 0);
	json_out_key(&c->json, "chains");
	json_out_open(&c->json, '[');
	if (g->distance[p->index] == 0)
		json_chain(c, g, NULL, p);
	for (uint32_t i = g->first[p->index]; i < g->first[p->index + 1]; i++)
		json_chain(c, g, g->lockfile->packages[g->dependents[i]], p);
	json_out_close(&c->json, ']');
	json_out_close(&c->json, '}');
}

/* "name" or "name@version". */
static bool meant(const struct lock_package *p, struct str text)
{
	size_t at = str_find(text, '@', 1);

	if (!str_eq(p->name, str_slice(text, 0, at)))
		return false;
	return at == text.n || str_eq(p->version, str_slice(text, at + 1, text.n));
}

int cmd_why(struct cmd *c)
{
	_cleanup_view_ struct view v = { 0 };
	_cleanup_lock_graph_ struct lock_graph g = { 0 };
	bool found = false;
	int r = view_load(c, &v);

	if (r == 0)
		r = lock_graph_init(&g, v.lockfile);
	if (r < 0)
		return r;
	if (c->use_json)
		json_out_open(&c->json, '[');
	for (size_t i = 0; i < v.lockfile->npackages; i++) {
		if (!meant(v.lockfile->packages[i], str_from(c->argv[0])))
			continue;
		(c->use_json ? json_package : print_package)(c, &g, v.lockfile->packages[i]);
		found = true;
	}
	if (c->use_json)
		json_out_close(&c->json, ']');
	return found ? 0 : view_unknown(c, &v, c->argv[0]);
}
