// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers that somebody requires and nobody provides are added: hidden edges of the project, resolved
 * like any other, one version for all who ask if there is one. A round's choice is for those who asked
 * in the round before; when the same ask again, it is the result. Since what is added changes who
 * asks, later rounds forget nothing that was asked, so that they end.
 */
#include "engine/resolve/resolve-priv.h"

#define ROUNDS_THAT_FORGET 20

/* The highest of those added that satisfies. */
struct copy *added_for(const struct added *a, const struct need *need)
{
	struct copy *best = NULL;

	vec_foreach(x, &a->edges)
		if (x->copy && x->edge->to->pkg == need->pkg &&
			need_matches(need, x->edge->to->release) &&
			(!best || x->edge->to->release > best->node->release))
			best = x->copy;
	return best;
}

static bool asks_contain(const struct asks *list, const struct ask *x)
{
	vec_foreach(p, list)
		if (p->need == x->need)
			return true;
	return false;
}

int added_ask(struct added *a, struct need *need, struct node *asker)
{
	struct ask x = { need, asker };

	return asks_contain(&a->asked, &x) ? 0 : vec_push(&a->asked, x);
}

/* The package that the lockfile before has for this, of several copies. */
static const struct lock_package *locked_copy(const struct added *a, const struct ask *ask,
	const struct release *release)
{
	const struct lock_package *p = ask->asker->locked;

	for (size_t i = 0; p && i < p->ndependencies; i++)
		if (str_eq(p->dependencies[i].name, a->alias) &&
			str_eq(p->dependencies[i].package->version, release->version) &&
			str_eq(p->dependencies[i].package->name, ask->need->pkg->name))
			return p->dependencies[i].package;
	return NULL;
}

/* A new hidden edge. Where nothing satisfies, who asked cannot be had, and goes in the next round
 * with what requires it, or the project fails. */
static int add_edge(struct resolver *r, struct added *a, const struct ask *ask,
	const struct release *release)
{
	struct edge *e = arena_new(&r->arena, struct edge);
	int k;

	if (!e)
		return -ENOMEM;
	*e = (struct edge){ .alias = a->alias, .need = ask->need, .kind = DEPENDENCY_PEER };
	if (!release && ask->asker->required)
		return explain_edge(r, ask->asker, e);
	if (!release) {
		ask->asker->failed = e;
		return 0;
	}
	e->locked = locked_copy(a, ask, release);
	k = node_get(r, ask->need->pkg, release, r->root, e, ask->asker->required, &e->to);
	if (k < 0)
		return k;
	/* The chain of requirements leads through who asked, not through the project. */
	if (e->to->by == e)
		e->to->parent = ask->asker;
	return vec_push(&a->edges, (struct added_edge){ e, NULL });
}

/* What the lockfile before has for this asker, in whatever context, that all of `needs` take. */
static const struct release *locked_for(const struct resolver *r, const struct added *a,
	const struct ask *ask, struct need *const *needs, size_t n)
{
	const struct release *best = NULL;

	vec_foreach(p, &ask->asker->pkg->locked)
		for (size_t i = 0; i < (*p)->ndependencies; i++) {
			const struct lock_edge *e = &(*p)->dependencies[i];

			if (!str_eq((*p)->version, ask->asker->release->version) ||
				!str_eq(e->name, a->alias) ||
				!str_eq(e->package->name, ask->need->pkg->name))
				continue;
			best = pick_locked(r, ask->need->pkg, e->package->version, needs, n, best);
		}
	return best;
}

static int add_each(struct resolver *r, struct added *a)
{
	int k = 0;

	vec_foreach(ask, &a->asks) {
		struct need *need = ask->need;
		bool known = !need->elsewhere && !need->pkg->missing, met = false;
		const struct release *release = known ? locked_for(r, a, ask, &need, 1) : NULL;

		vec_foreach(x, &a->edges)
			met |= known && x->edge->to->pkg == need->pkg &&
				need_matches(need, x->edge->to->release);
		if (!met && !release && known)
			release = pick_for_all(r, &need, 1);
		if (!met && k == 0)
			k = add_edge(r, a, ask, release);
	}
	return k;
}

/* One release for all: one that is locked for one of them, else the best; NULL where there is none. */
static const struct release *one_for_all(struct resolver *r, struct added *a, struct need **needs)
{
	const struct release *best = NULL, *x;
	bool all_locked = true;

	for (size_t i = 0; i < a->asks.n; i++) {
		const struct need *need = needs[i] = a->asks.v[i].need;

		/* An override can make it another package for some. */
		if (need->elsewhere || need->pkg->missing || need->pkg != needs[0]->pkg)
			return NULL;
	}
	vec_foreach(ask, &a->asks) {
		x = locked_for(r, a, ask, needs, a->asks.n);
		best = x > best || !best ? x : best;
		all_locked = all_locked && locked_for(r, a, ask, &ask->need, 1);
	}
	/* All are locked, to different ones: that is what was found right before. */
	if (best || (all_locked && a->asks.n))
		return best;
	return pick_for_all(r, needs, a->asks.n);
}

static int choose(struct resolver *r, struct added *a)
{
	struct need **needs = arena_newn(&r->round, struct need *, a->asks.n);
	const struct release *all;
	int k = needs ? 0 : -ENOMEM;

	a->edges.n = 0;
	vec_foreach(ask, &a->asks)
		if (k == 0 && !ask->need->elsewhere)
			k = pkg_load(r, ask->need->pkg);
	if (k < 0 || a->asks.n == 0)
		return k;
	all = one_for_all(r, a, needs);
	return all ? add_edge(r, a, a->asks.v, all) : add_each(r, a);
}

/* Takes over who asked in this round; whether that is anything new. */
static int take_over(struct resolver *r, struct added *a, bool *ret_changed)
{
	bool same = a->asks.n == a->asked.n;
	struct asks before = a->asks;
	int k = 0;

	vec_foreach(x, &a->asked)
		same = same && asks_contain(&before, x);
	*ret_changed = !same;
	if (r->rounds > ROUNDS_THAT_FORGET) {
		*ret_changed = false;
		vec_foreach(x, &a->asked)
			if (k == 0 && !asks_contain(&a->asks, x)) {
				k = vec_push(&a->asks, *x);
				*ret_changed = true;
			}
	} else {
		a->asks = a->asked;
		a->asked = before;
	}
	a->asked.n = 0;
	return k;
}

int added_update(struct resolver *r, bool *ret_more)
{
	bool changed;
	int k = 0;

	*ret_more = false;
	for (size_t i = 0; i < r->nby_name && k == 0; i++) {
		struct added *a = r->by_name[i];

		k = take_over(r, a, &changed);
		if (k < 0 || !changed)
			continue;
		*ret_more = true;
		k = choose(r, a);
	}
	return k;
}

bool added_prune(struct resolver *r)
{
	bool changed = false;

	map_foreach(entry, &r->peer_names) {
		const struct added *a = entry->value;

		vec_foreach(x, &a->edges)
			vec_foreach(ask, &a->asks) {
				if (!x->edge->to->failed || ask->asker->failed ||
					ask->need->pkg != x->edge->to->pkg ||
					!need_matches(ask->need, x->edge->to->release))
					continue;
				ask->asker->failed = x->edge;
				changed = true;
			}
	}
	return changed;
}
