// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second opinion on a lockfile: reads it against manifest and metadata, edge by edge, and shares
 * nothing with what made it. Says yes where an override covers an edge, and lets a peer below the
 * project's own dependencies be another version than asked for, as the resolver warned then.
 */
#include "engine/resolve/extension.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>

struct check {
	const struct manifest *m;
	const struct lockfile *l;
	const struct resolve_source *source;
	struct diag *d;
	struct extensions extensions;
};

static bool has(const struct str *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

static bool is_peer(enum dependency_kind kind)
{
	return kind == DEPENDENCY_PEER || kind == DEPENDENCY_PEER_OPTIONAL;
}

static bool from_registry(const struct lock_package *p)
{
	return !str_starts(p->version, STR("0.0.0-path-")) && !lock_is_tarball(p);
}

/* A tag may have moved since, "*" takes all; what is neither range nor tag was never accepted. */
static bool satisfies(const struct ecosystem *e, struct str requirement, struct str version)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct requirement *q;
	struct version *v;

	requirement = str_trim(requirement);
	if (requirement.n == 0 || str_is(requirement, "*") ||
		e->versions->requirement(&a, requirement, VERSION_LOOSE, &q) < 0)
		return true;
	return e->versions->parse(&a, version, VERSION_LOOSE, &v) == 0 &&
		e->versions->matches(q, v);
}

static bool fits(const struct check *c, const struct ecosystem *e, const struct dependency *dep,
	const struct lock_package *to)
{
	return !from_registry(to) ||
		((str_eq(to->name, dep->name) || is_peer(dep->kind)) &&
			satisfies(e, dep->requirement, to->version));
}

static bool overridden(const struct check *c, const struct ecosystem *e, struct str alias,
	const struct lock_package *to)
{
	for (size_t i = 0; i < c->m->noverrides; i++) {
		const struct manifest_override *o = &c->m->overrides[i];
		_cleanup_arena_ struct arena a = ARENA_INIT;
		struct dependency dep = { 0 };
		struct str said = o->requirement;

		if (!str_eq(str_slice(o->target, 0, str_find(o->target, '@', 1)), alias))
			continue;
		for (size_t j = 0; j < c->m->ndependencies && str_starts(said, STR("$")); j++)
			if (str_eq(c->m->dependencies[j].name, str_slice(said, 1, SIZE_MAX)))
				said = c->m->dependencies[j].requirement;
		if (e->requirement_parse(alias, said, &a, &dep, NULL) == 0 && fits(c, e, &dep, to))
			return true;
	}
	return false;
}

static bool of_the_project(const struct check *c, const struct lock_package *p)
{
	for (size_t r = 0; r < c->l->nroots; r++)
		for (size_t i = 0; i < c->l->roots[r].ndependencies; i++)
			if (c->l->roots[r].dependencies[i].package == p)
				return true;
	return false;
}

static const struct lock_edge *edge_of(const struct lock_package *p, struct str alias)
{
	for (size_t i = 0; i < p->ndependencies; i++)
		if (str_eq(p->dependencies[i].name, alias))
			return &p->dependencies[i];
	return NULL;
}

static bool stated(const struct dependency *list, size_t n, struct str alias)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].alias, alias))
			return true;
	return false;
}

static int check_dependency(const struct check *c, const struct ecosystem *e,
	const struct lock_package *p, const struct release *rel, const struct dependency *dep)
{
	const struct lock_edge *edge = edge_of(p, dep->alias);
	bool peer = is_peer(dep->kind);

	if (has(rel->bundled, rel->nbundled, dep->alias))
		return edge ? diag_fail(c->d, -ERR_LOCKFILE, "%.*s bundles %.*s, and has an edge to it",
				      STR_ARG(p->id), STR_ARG(dep->alias)) : 0;
	if (!edge && (dep->kind == DEPENDENCY_OPTIONAL || dep->kind == DEPENDENCY_PEER_OPTIONAL ||
			     (peer && str_eq(dep->alias, p->name))))
		return 0;
	if (!edge)
		return diag_fail(c->d, -ERR_LOCKFILE, "%.*s lacks its dependency %.*s",
			STR_ARG(p->id), STR_ARG(dep->alias));
	if (peer != has(p->peers, p->npeers, dep->alias) ||
		(dep->kind == DEPENDENCY_OPTIONAL) != has(p->optional, p->noptional, dep->alias))
		return diag_fail(c->d, -ERR_LOCKFILE, "%.*s has %.*s as another kind of dependency "
			"than its metadata says", STR_ARG(p->id), STR_ARG(dep->alias));
	if (fits(c, e, dep, edge->package) || overridden(c, e, dep->alias, edge->package) ||
		(peer && (dep->kind == DEPENDENCY_PEER_OPTIONAL || !of_the_project(c, p))))
		return 0;
	return diag_fail(c->d, -ERR_LOCKFILE, "%.*s needs %.*s %.*s, and gets %.*s", STR_ARG(p->id),
		STR_ARG(dep->alias), STR_ARG(dep->requirement), STR_ARG(edge->package->id));
}

static int check_package(const struct check *c, const struct lock_package *p)
{
	const struct ecosystem *e = ecosystem_find(p->ecosystem);
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct dependency *dependencies;
	const struct package *meta;
	size_t n;
	const struct release *rel = NULL;
	int k;

	if (!from_registry(p))
		return 0;
	if (!e)
		return diag_fail(c->d, -ERR_LOCKFILE, "%.*s: no such ecosystem", STR_ARG(p->id));
	k = c->source->get(c->source->data, e, p->name, &meta, c->d);
	if (k < 0)
		return k;
	for (size_t i = 0; i < meta->nreleases && !rel; i++)
		if (str_eq(meta->releases[i].version, p->version))
			rel = &meta->releases[i];
	if (!rel)
		return diag_fail(c->d, -ERR_LOCKFILE, "the registry has no %.*s", STR_ARG(p->id));
	k = release_load(meta, rel, c->d);
	if (k < 0)
		return k;
	if (!str_eq(rel->integrity, p->integrity))
		return diag_fail(c->d, -ERR_LOCKFILE, "%.*s has another integrity than the registry "
			"says", STR_ARG(p->id));
	k = extension_apply(&c->extensions, &a, e, p->name, rel, &dependencies, &n, c->d);
	for (size_t i = 0; k == 0 && i < n; i++)
		k = check_dependency(c, e, p, rel, &dependencies[i]);
	for (size_t i = 0; i < p->ndependencies && k == 0; i++)
		if (!stated(dependencies, n, p->dependencies[i].name))
			k = diag_fail(c->d, -ERR_LOCKFILE, "%.*s does not depend on %.*s",
				STR_ARG(p->id), STR_ARG(p->dependencies[i].name));
	return k;
}

static int check_root(const struct check *c, const struct manifest_dependency *md)
{
	const struct lock_root *root = &c->l->roots[0];
	const struct ecosystem *e = ecosystem_find(md->ecosystem);
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct dependency dep;
	int k;

	for (size_t i = 0; i < root->ndependencies; i++) {
		const struct lock_root_edge *edge = &root->dependencies[i];

		if (!str_eq(edge->name, md->name) || !str_eq(edge->package->ecosystem, md->ecosystem))
			continue;
		if (md->requirement.n == 0 || !e || edge->kind != md->kind)
			return 0;
		k = e->requirement_parse(md->name, md->requirement, &a, &dep, c->d);
		dep.kind = md->kind;
		if (k < 0 || fits(c, e, &dep, edge->package))
			return k;
		return diag_fail(c->d, -ERR_LOCKFILE, "the project needs %.*s %.*s, and gets %.*s",
			STR_ARG(md->name), STR_ARG(md->requirement), STR_ARG(edge->package->id));
	}
	if (md->kind == DEPENDENCY_OPTIONAL)
		return 0;
	return diag_fail(c->d, -ERR_LOCKFILE, "the project lacks its dependency %.*s",
		STR_ARG(md->name));
}

/* Nothing is locked for the project that the manifest does not name. */
static int check_named(const struct check *c, const struct lock_root_edge *edge)
{
	for (size_t i = 0; i < c->m->ndependencies; i++)
		if (str_eq(c->m->dependencies[i].name, edge->name) &&
			str_eq(c->m->dependencies[i].ecosystem, edge->package->ecosystem))
			return 0;
	if (edge->kind == DEPENDENCY_TOOL && c->m->node.n)
		return 0;
	return diag_fail(c->d, -ERR_LOCKFILE, "the manifest does not name %.*s",
		STR_ARG(edge->name));
}

static int check_reached(const struct check *c)
{
	VEC(const struct lock_package *) stack = { 0 };
	_cleanup_free_ bool *seen = calloc(c->l->npackages + 1, sizeof(*seen));
	int k = seen ? 0 : -ENOMEM;

	for (size_t r = 0; r < c->l->nroots && k == 0; r++)
		for (size_t i = 0; i < c->l->roots[r].ndependencies && k == 0; i++)
			k = vec_push(&stack, c->l->roots[r].dependencies[i].package);
	while (stack.n && k == 0) {
		const struct lock_package *p = stack.v[--stack.n];

		if (seen[p->index])
			continue;
		seen[p->index] = true;
		for (size_t i = 0; i < p->ndependencies && k == 0; i++)
			k = vec_push(&stack, p->dependencies[i].package);
	}
	vec_done(&stack);
	for (size_t i = 0; i < c->l->npackages && k == 0; i++)
		if (!seen[i])
			k = diag_fail(c->d, -ERR_LOCKFILE, "nothing needs %.*s",
				STR_ARG(c->l->packages[i]->id));
	return k;
}

static void check_done(struct check *c)
{
	extensions_done(&c->extensions);
}

int resolve_check(const struct manifest *m, const struct lockfile *l,
	const struct resolve_source *source, struct diag *d)
{
	_cleanup_(check_done) struct check c = { .m = m, .l = l, .source = source, .d = d };
	int k = extensions_init(&c.extensions, m, d);

	if (l->nroots == 0)
		return diag_fail(d, -ERR_LOCKFILE, "the lockfile has no root");
	for (size_t i = 0; i < m->ndependencies && k == 0; i++)
		k = check_root(&c, &m->dependencies[i]);
	for (size_t i = 0; i < l->roots[0].ndependencies && k == 0; i++)
		k = check_named(&c, &l->roots[0].dependencies[i]);
	for (size_t i = 0; i < l->npackages && k == 0; i++)
		k = check_package(&c, l->packages[i]);
	return k < 0 ? k : check_reached(&c);
}
