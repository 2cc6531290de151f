// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/lock/graph.h"

#include <errno.h>

/* Counting sort of the edges by where they lead: first[] holds counts, then ends, then starts. */
static void fill_dependents(struct lock_graph *g, size_t edges)
{
	const struct lockfile *l = g->lockfile;

	for (size_t i = 0; i < l->npackages; i++)
		for (size_t e = 0; e < l->packages[i]->ndependencies; e++)
			g->first[l->packages[i]->dependencies[e].package->index + 1]++;
	for (size_t i = 0; i < l->npackages; i++)
		g->first[i + 1] += g->first[i];
	for (size_t i = l->npackages; i-- > 0;)
		for (size_t e = 0; e < l->packages[i]->ndependencies; e++)
			g->dependents[--g->first[l->packages[i]->dependencies[e].package->index + 1]] =
				(uint32_t)i;
	/* Each start now stands one place too far to the right. */
	for (size_t i = 0; i < l->npackages; i++)
		g->first[i] = g->first[i + 1];
	g->first[l->npackages] = (uint32_t)edges;
}

static void reach(struct lock_graph *g, uint32_t *queue, uint32_t *end, const struct lock_package *p,
	uint32_t distance, uint32_t via, uint32_t root)
{
	if (g->distance[p->index] != LOCK_GRAPH_NONE)
		return;
	g->distance[p->index] = distance;
	g->via[p->index] = via;
	g->root[p->index] = root;
	queue[(*end)++] = (uint32_t)p->index;
}

/* Breadth first, in the lockfile's order: the way found does not depend on anything else. */
static void walk(struct lock_graph *g, uint32_t *queue)
{
	const struct lockfile *l = g->lockfile;
	uint32_t end = 0;

	for (size_t r = 0; r < l->nroots; r++)
		for (size_t e = 0; e < l->roots[r].ndependencies; e++)
			reach(g, queue, &end, l->roots[r].dependencies[e].package, 0, LOCK_GRAPH_NONE,
				(uint32_t)r);
	for (uint32_t at = 0; at < end; at++) {
		const struct lock_package *p = l->packages[queue[at]];

		for (size_t e = 0; e < p->ndependencies; e++)
			reach(g, queue, &end, p->dependencies[e].package,
				g->distance[queue[at]] + 1, queue[at], g->root[queue[at]]);
	}
}

int lock_graph_init(struct lock_graph *g, const struct lockfile *l)
{
	_cleanup_free_ uint32_t *queue = NULL;
	size_t n = l->npackages, edges = 0;

	*g = (struct lock_graph){ .lockfile = l };
	for (size_t i = 0; i < n; i++)
		edges += l->packages[i]->ndependencies;
	queue = calloc(n + 1, sizeof(*queue));
	g->first = calloc(n + 2, sizeof(*g->first));
	g->dependents = calloc(edges + 1, sizeof(*g->dependents));
	g->distance = malloc((n + 1) * sizeof(*g->distance));
	g->via = calloc(n + 1, sizeof(*g->via));
	g->root = calloc(n + 1, sizeof(*g->root));
	if (!queue || !g->first || !g->dependents || !g->distance || !g->via || !g->root) {
		lock_graph_done(g);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		g->distance[i] = LOCK_GRAPH_NONE;
	fill_dependents(g, edges);
	walk(g, queue);
	return 0;
}

void lock_graph_done(struct lock_graph *g)
{
	free(g->first);
	free(g->dependents);
	free(g->distance);
	free(g->via);
	free(g->root);
	*g = (struct lock_graph){ 0 };
}

size_t lock_graph_chain(const struct lock_graph *g, const struct lock_package *p,
	const struct lock_package **ret, size_t max)
{
	uint32_t at = (uint32_t)p->index;
	size_t n, skip;

	if (g->distance[at] == LOCK_GRAPH_NONE)
		return 0;
	n = (size_t)g->distance[at] + 1;
	skip = n > max ? n - max : 0;
	for (size_t i = n; i-- > skip; at = g->via[at])
		ret[i - skip] = g->lockfile->packages[at];
	return n;
}

const struct lock_root_edge *lock_root_find(const struct lock_root *r, const struct lock_package *p)
{
	for (size_t i = 0; i < r->ndependencies; i++)
		if (r->dependencies[i].package == p)
			return &r->dependencies[i];
	return NULL;
}
