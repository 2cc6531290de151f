// SPDX-License-Identifier: GPL-2.0-or-later
/* The lockfile of what was resolved. It owns its strings: the metadata ends with the source. */
#include "engine/resolve/resolve-priv.h"

#include "base/integrity.h"

#include <errno.h>

static int put_str(struct lockfile *l, struct str s, struct str *ret)
{
	if (s.n == 0)
		return 0;
	*ret = arena_str(&l->arena, s);
	return ret->p ? 0 : -ENOMEM;
}

static int put_list(struct lockfile *l, const struct str *from, size_t n, struct str **ret,
	size_t *ret_n)
{
	struct str *to = arena_newn(&l->arena, struct str, n);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (put_str(l, from[i], &to[i]) < 0)
			return -ENOMEM;
	*ret = to;
	*ret_n = n;
	return 0;
}

static int put_bins(struct lockfile *l, const struct release *from, struct lock_package *p)
{
	p->bins = arena_newn(&l->arena, struct lock_bin, from->nbins);
	if (!p->bins)
		return -ENOMEM;
	for (size_t i = 0; i < from->nbins; i++)
		if (put_str(l, from->bins[i].name, &p->bins[i].name) < 0 ||
			put_str(l, from->bins[i].path, &p->bins[i].path) < 0)
			return -ENOMEM;
	p->nbins = from->nbins;
	return 0;
}

/*
 * What the lockfile before says of a version holds for good: a registry that now has other bytes for
 * it is not believed. Only a stronger digest takes the place of a weaker one, and then the archive must
 * still give the same tree.
 */
static int keep_pins(struct resolver *r, struct lockfile *l, const struct pkg *pkg,
	struct lock_package *p)
{
	vec_foreach(at, &pkg->before) {
		const struct lock_package *old = *at;

		if (!str_eq(old->version, p->version))
			continue;
		p->tree = old->tree;
		if (str_eq(old->integrity, p->integrity) ||
				integrity_strength(old->integrity) < integrity_strength(p->integrity))
			continue;
		warn(r, "the registry now gives another integrity for %.*s than " LOCKFILE_NAME
			", which stays: it was published anew, or changed", STR_ARG(p->id));
		if (put_str(l, old->integrity, &p->integrity) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int put_release(struct resolver *r, struct lockfile *l, const struct copy *c,
	struct str suffix, struct lock_package *p)
{
	const struct release *rel = c->node->release;
	const struct pkg *pkg = c->node->pkg;
	int k;

	p->ecosystem = str_from(pkg->e->name);
	k = put_str(l, p->ecosystem, &p->ecosystem);
	if (k == 0)
		k = put_str(l, pkg->name, &p->name);
	if (k == 0)
		k = put_str(l, rel->version, &p->version);
	if (k == 0)
		k = put_str(l, suffix, &p->peers_hash);
	if (k == 0)
		k = put_str(l, rel->url, &p->source);
	if (k == 0)
		k = put_str(l, rel->integrity, &p->integrity);
	if (k == 0)
		k = put_str(l, rel->deprecated, &p->deprecated);
	if (k == 0)
		k = put_list(l, rel->bundled, rel->nbundled, &p->bundled, &p->nbundled);
	if (k == 0)
		k = put_list(l, rel->platform.os, rel->platform.nos, &p->platform.os,
			&p->platform.nos);
	if (k == 0)
		k = put_list(l, rel->platform.cpu, rel->platform.ncpu, &p->platform.cpu,
			&p->platform.ncpu);
	if (k == 0)
		k = put_list(l, rel->platform.libc, rel->platform.nlibc, &p->platform.libc,
			&p->platform.nlibc);
	if (k == 0)
		k = put_bins(l, rel, p);
	p->scripts = rel->scripts;
	p->id = arena_fmt(&l->arena, "%.*s:%.*s@%.*s%s%.*s", STR_ARG(p->ecosystem),
		STR_ARG(p->name), STR_ARG(p->version), suffix.n ? "+" : "", STR_ARG(suffix));
	if (!p->id.p)
		return -ENOMEM;
	return k < 0 ? k : keep_pins(r, l, pkg, p);
}

static int put_edge(struct lockfile *l, struct lock_package *p, struct str alias,
	struct lock_package *to)
{
	struct lock_edge *e = &p->dependencies[p->ndependencies++];

	e->package = to;
	return put_str(l, alias, &e->name);
}

static int put_edges(struct lockfile *l, const struct copy *c, struct lock_package *p,
	struct lock_package *packages)
{
	const struct node *n = c->node;
	int k = 0;

	p->dependencies = arena_newn(&l->arena, struct lock_edge, n->nedges + n->npeers);
	p->optional = arena_newn(&l->arena, struct str, n->nedges);
	p->peers = arena_newn(&l->arena, struct str, n->npeers);
	if (!p->dependencies || !p->optional || !p->peers)
		return -ENOMEM;
	for (size_t i = 0; i < n->nedges && k == 0; i++) {
		if (!c->targets[i])
			continue;
		k = put_edge(l, p, n->edges[i].alias, &packages[c->targets[i]->class]);
		if (k == 0 && n->edges[i].kind == DEPENDENCY_OPTIONAL)
			k = put_str(l, n->edges[i].alias, &p->optional[p->noptional++]);
	}
	for (size_t i = 0; i < n->npeers && k == 0; i++) {
		/* Under its own name a package is where it is anyway. */
		if (!c->peers[i] || (c->peers[i]->class == c->class &&
					str_eq(n->peers[i].alias, n->pkg->name)))
			continue;
		k = put_edge(l, p, n->peers[i].alias, &packages[c->peers[i]->class]);
		if (k == 0)
			k = put_str(l, n->peers[i].alias, &p->peers[p->npeers++]);
	}
	return k;
}

/* The manifest's own words: an edge's are without white space around and what an alias leads to. */
static struct str said(const struct resolver *r, const struct edge *e)
{
	for (size_t i = 0; i < r->m->ndependencies; i++) {
		const struct manifest_dependency *d = &r->m->dependencies[i];

		if (str_eq(d->name, e->alias) && d->kind == e->kind &&
			str_is(d->ecosystem, e->need->pkg->e->name))
			return d->requirement;
	}
	return (struct str){ 0 };
}

static int put_root(struct resolver *r, struct lockfile *l, struct lock_package *packages)
{
	const struct copy *c = r->copies.v[0];
	struct lock_root *root = arena_new(&l->arena, struct lock_root);
	int k;

	if (!root)
		return -ENOMEM;
	root->dependencies = arena_newn(&l->arena, struct lock_root_edge, c->node->nedges);
	if (!root->dependencies)
		return -ENOMEM;
	k = put_str(l, r->m->name, &root->name);
	for (size_t i = 0; i < c->node->nedges && k == 0; i++) {
		struct lock_root_edge *e = &root->dependencies[root->ndependencies];

		if (!c->targets[i])
			continue;
		root->ndependencies++;
		e->package = &packages[c->targets[i]->class];
		e->kind = c->node->edges[i].kind;
		k = put_str(l, c->node->edges[i].alias, &e->name);
		if (k == 0)
			k = put_str(l, said(r, &c->node->edges[i]), &e->requirement);
	}
	l->roots = root;
	l->nroots = 1;
	return k;
}

static void warn_of(struct resolver *r, const struct node *n)
{
	_cleanup_buf_ struct buf who = BUF_INIT;
	const struct release *rel = n->release;

	explain_node(&who, r, n->parent);
	if (rel->deprecated.n)
		warn(r, "%.*s %.*s, which %s needs, is deprecated: %.*s", STR_ARG(n->pkg->name),
			STR_ARG(rel->version), buf_text(&who), STR_ARG(rel->deprecated));
	if (!n->outside && !release_fits_node(r, n->pkg, rel))
		warn(r, "%.*s %.*s, which %s needs, is for node %.*s; the project's is %.*s",
			STR_ARG(n->pkg->name), STR_ARG(rel->version), buf_text(&who),
			STR_ARG(rel->engines), STR_ARG(r->m->node));
}

static int put_packages(struct resolver *r, struct lockfile *l, struct copy *const *classes)
{
	struct lock_package *packages = arena_newn(&l->arena, struct lock_package, r->nclasses);
	struct str *suffixes;
	int k = copies_name(r, classes, &suffixes);

	l->packages = arena_newn(&l->arena, struct lock_package *, r->nclasses);
	if (!packages || !l->packages)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->nclasses && k == 0; i++) {
		if (classes[i]->node == r->root)
			continue;
		warn_of(r, classes[i]->node);
		k = put_release(r, l, classes[i], suffixes[i], &packages[i]);
		if (k == 0)
			k = put_edges(l, classes[i], &packages[i], packages);
		l->packages[l->npackages++] = &packages[i];
	}
	return k < 0 ? k : put_root(r, l, packages);
}

static bool anything_added(const struct resolver *r)
{
	map_foreach(entry, &r->peer_names)
		if (((const struct added *)entry->value)->edges.n)
			return true;
	return false;
}

int emit(struct resolver *r, struct lockfile **ret, bool *ret_unsure)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	struct copy **classes;
	int k = copies_merge(r, &classes);

	if (k == 0)
		k = peers_judge(r);
	if (k == 0)
		k = lockfile_new(&l);
	if (k < 0)
		return k;
	l->manifest = manifest_graph_digest(r->m);
	k = put_packages(r, l, classes);
	*ret_unsure = false;
	for (size_t i = 0; i < l->npackages; i++)
		*ret_unsure |= l->packages[i]->peers_hash.n && (r->ncontext || anything_added(r));
	if (k == 0)
		k = lockfile_settle(l, r->d);
	if (k == 0)
		*ret = TAKE_PTR(l);
	return k;
}
