// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hoisted layout: each package as near to the top as Node's lookup allows, as npm places them.
 * Every place has a node_modules of its own, which is a level; placing a package at a level must not
 * come between another package and what that one sees further up, so a level remembers for each name
 * also what was looked up through it.
 */
#include "engine/registry/npm/bins.h"
#include "engine/registry/npm/layout.h"

#include "prim/err.h"

#include <errno.h>

#define PLACES_MAX 1000000

struct place {
	const struct lock_package *package;	/* NULL for the project */
	struct place *parent;
	const struct place *again;	/* the place above that this one is a link to, or NULL */
	struct str path;	/* relative to node_modules; "" for the project */
	struct str dir;		/* its own node_modules: "" for the project, or "…/node_modules/" */
	struct map seen;	/* name → struct lock_package: here, or further up */
	struct map children;	/* name → struct place */
	struct place *next;	/* in the order they were made */
};

struct hoist {
	const struct compose_options *options;
	struct arena arena;
	size_t places;
	struct place *first, *last;
};

/*
 * The same package on the way up. In a cycle whose packages hide each other (a@1 needs b@1, which needs
 * a@2, which needs b@2, which needs a@1) copies would go on for ever; a link to the one above, which
 * sees what it needs, ends that, as npm does it.
 */
static const struct place *place_of(const struct place *from, const struct lock_package *p)
{
	for (const struct place *at = from; at; at = at->parent)
		if (p && at->package == p)
			return at;
	return NULL;
}

static struct place *place_new(struct hoist *h, struct place *parent, struct str name,
	const struct lock_package *p)
{
	struct place *place = arena_new(&h->arena, struct place);

	if (!place)
		return NULL;
	if (++h->places > PLACES_MAX)
		return NULL;
	place->package = p;
	place->parent = parent;
	place->again = place_of(parent, p);
	if (parent) {
		place->path = arena_fmt(&h->arena, "%.*s%.*s", STR_ARG(parent->dir),
			STR_ARG(name));
		place->dir = arena_fmt(&h->arena, "%.*s/node_modules/", STR_ARG(place->path));
		if (!place->dir.p || map_put(&parent->children, name, place) < 0)
			return NULL;
		h->last->next = place;
	} else {
		h->first = place;
	}
	h->last = place;
	return place;
}

/* The highest place from `from` upwards where `name` is still free on the whole way; `from` itself
 * when the next one up has another package of that name. *ret_there when it is visible already. */
static struct place *highest_free(struct place *from, struct str name,
	const struct lock_package *want, bool *ret_there)
{
	struct place *best = NULL;

	*ret_there = false;
	for (struct place *at = from; at; at = at->parent) {
		const struct lock_package *seen = map_get(&at->seen, name);

		if (seen) {
			*ret_there = seen == want;
			return *ret_there ? at : best;
		}
		best = at;
	}
	return best;
}

static int add_edge(struct hoist *h, struct place *from, struct str name,
	const struct lock_package *want)
{
	struct place *at;
	bool there;

	at = highest_free(from, name, want, &there);
	if (!at)
		return -EEXIST;
	if (!there && !place_new(h, at, name, want))
		return h->places > PLACES_MAX ? -ERR_LIMIT : -ENOMEM;
	for (struct place *p = from; p; p = p->parent) {
		if (map_put(&p->seen, name, (void *)want) < 0)
			return -ENOMEM;
		if (p == at)
			break;
	}
	return 0;
}

static int add_dependencies(struct hoist *h, struct place *place)
{
	const struct lock_package *p = place->package;
	int r = 0;

	if (npm_linked_path(p).p || place->again)
		return 0;
	for (size_t i = 0; i < p->ndependencies && r == 0; i++)
		if (h->options->selected[p->dependencies[i].package->index])
			r = add_edge(h, place, p->dependencies[i].name,
				p->dependencies[i].package);
	return r;
}

static int add_bins(struct hoist *h, const struct place *place, struct tree_builder *b)
{
	struct bin_set bins = { .arena = &h->arena };
	int r = 0;

	map_foreach(e, &place->children) {
		const struct place *child = e->value;

		r = npm_bin_add(&bins, place->dir, e->key, child->package);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = npm_bin_flush(&bins, b);
	npm_bin_done(&bins);
	return r;
}

static int put_place(struct hoist *h, const struct place *place, struct tree_builder *b,
	struct diag *d)
{
	struct str linked = npm_linked_path(place->package);
	struct str to;

	if (place->again)
		return npm_link(b, place->path, place->again->path);
	if (!linked.p)
		return npm_place(h->options, b, place->package, place->path,
			place->children.n > 0, d);
	to = arena_fmt(&h->arena, "../%.*s", STR_ARG(linked));
	return to.p ? npm_link(b, place->path, to) : -ENOMEM;
}

static int put_all(struct hoist *h, struct tree_builder *b, struct diag *d)
{
	int r = 0;

	for (struct place *p = h->first; p && r == 0; p = p->next) {
		if (p->package)
			r = put_place(h, p, b, d);
		if (r == 0)
			r = add_bins(h, p, b);
	}
	return r;
}

static void hoist_done(struct hoist *h)
{
	for (struct place *p = h->first; p; p = p->next) {
		map_done(&p->seen);
		map_done(&p->children);
	}
	arena_done(&h->arena);
}

int npm_compose_hoisted(const struct lockfile *l, const struct lock_root *root,
	const struct compose_options *o, struct tree_builder *b, struct diag *d)
{
	_cleanup_(hoist_done) struct hoist h = { .options = o };
	struct place *top = place_new(&h, NULL, STR(""), NULL);
	int r = top ? 0 : -ENOMEM;

	for (size_t i = 0; i < root->ndependencies && r == 0; i++)
		if (npm_edge_wanted(o, &root->dependencies[i]))
			r = add_edge(&h, top, root->dependencies[i].name,
				root->dependencies[i].package);
	for (struct place *p = h.first; p && r == 0; p = p->next)
		if (p->package)
			r = add_dependencies(&h, p);
	return r < 0 ? r : put_all(&h, b, d);
}
