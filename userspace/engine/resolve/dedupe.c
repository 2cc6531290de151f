// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An edge was given what was known when its turn came; a higher version may have been chosen for
 * another edge since. A version all of whose edges can take a higher one that stays is dropped with
 * what only it needed. Edges never move down: nobody gets an older version so that there are fewer.
 * What the lockfile before said is not moved, so that adding a package leaves the others alone.
 */
#include "engine/resolve/resolve-priv.h"

struct incoming {
	struct edge *edge;
	struct incoming *next;
};

static struct node *stand_in(const struct node *n, const struct edge *e)
{
	struct node *best = NULL;

	vec_foreach(p, &n->pkg->nodes)
		if ((*p)->live && (*p)->release > (best ? best->release : n->release) &&
			str_eq((*p)->context, n->context) && need_matches(e->need, (*p)->release))
			best = *p;
	return best;
}

static bool droppable(const struct node *n, const struct incoming *in)
{
	if (!in || n->outside)
		return false;
	for (; in; in = in->next)
		if (in->edge->locked || !stand_in(n, in->edge))
			return false;
	return true;
}

static int collect(struct resolver *r, struct arena *a, struct incoming **in)
{
	vec_foreach(p, &r->nodes)
		for (size_t i = 0; (*p)->live && i < (*p)->nedges; i++) {
			struct edge *e = &(*p)->edges[i];
			struct incoming *x = e->to ? arena_new(a, struct incoming) : NULL;

			if (!e->to)
				continue;
			if (!x)
				return -ENOMEM;
			*x = (struct incoming){ e, in[e->to->index] };
			in[e->to->index] = x;
		}
	return 0;
}

/* What was added for peers was chosen for all who ask together, and is not moved. */
static void pin_added(struct resolver *r, bool *pinned)
{
	map_foreach(entry, &r->peer_names) {
		const struct added *a = entry->value;

		vec_foreach(x, &a->edges)
			if (x->edge->to)
				pinned[x->edge->to->index] = true;
	}
}

static int pass(struct resolver *r, bool *ret_changed)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct incoming **in = arena_newn(&a, struct incoming *, r->nodes.n);
	bool *pinned = arena_newn(&a, bool, r->nodes.n);

	if (!in || !pinned || collect(r, &a, in) < 0)
		return -ENOMEM;
	pin_added(r, pinned);
	vec_foreach(p, &r->nodes) {
		struct node *n = *p;

		if (!n->live || pinned[n->index] || !droppable(n, in[n->index]))
			continue;
		for (struct incoming *x = in[n->index], *next; x; x = next) {
			struct node *to = stand_in(n, x->edge);

			next = x->next;
			x->edge->to = to;
			x->next = in[to->index];
			in[to->index] = x;
			to->required |= n->required;
		}
		n->live = false;
		*ret_changed = true;
	}
	return 0;
}

int dedupe(struct resolver *r)
{
	bool changed = true;
	int k = graph_mark_live(r);

	while (changed && k == 0) {
		changed = false;
		k = pass(r, &changed);
		if (k == 0 && changed)
			k = graph_mark_live(r);
	}
	return k;
}
