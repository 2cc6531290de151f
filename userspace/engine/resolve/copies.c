// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which copies are one package. Two copies of a release are told apart only if something that can be
 * reached from them by the same names is another release: the coarsest partition in which members
 * of a class have their edges in the same classes, found by refining from "same release" until
 * nothing splits (as automata are minimised). So there are as few packages as there can be, cycles
 * need no care, and contexts that differ in what does not matter leave no trace.
 */
#include "engine/resolve/resolve-priv.h"

#define NO_CLASS UINT32_MAX

size_t copy_ntargets(const struct copy *c)
{
	return c->node->nedges + c->node->npeers;
}

struct copy *copy_target(const struct copy *c, size_t i)
{
	return i < c->node->nedges ? c->targets[i] : c->peers[i - c->node->nedges];
}

static struct str target_name(const struct copy *c, size_t i)
{
	return i < c->node->nedges ? c->node->edges[i].alias :
				     c->node->peers[i - c->node->nedges].alias;
}

/* The first class of all nodes of one release is that of the first such node. */
static void class_init(struct resolver *r)
{
	vec_foreach(p, &r->copies) {
		const struct node *n = (*p)->node;

		(*p)->class = n->index;
		if (!n->pkg || n->outside)
			continue;
		vec_foreach(other, &n->pkg->nodes)
			if ((*other)->release == n->release) {
				(*p)->class = (*other)->index;
				break;
			}
	}
}

static int split(struct resolver *r, uint32_t *next, uint32_t *ret_n)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_map_ struct map seen = MAP_INIT;

	vec_foreach(p, &r->copies) {
		const struct copy *c = *p;
		size_t n = copy_ntargets(c);
		uint32_t *key;
		struct map_entry *entry;

		if (!c->reached)
			continue;
		key = arena_newn(&a, uint32_t, n + 1);
		if (!key)
			return -ENOMEM;
		key[0] = c->class;
		for (size_t i = 0; i < n; i++)
			key[i + 1] = copy_target(c, i) ? copy_target(c, i)->class : NO_CLASS;
		entry = map_entry(&seen, str_of(key, (n + 1) * sizeof(*key)));
		if (!entry)
			return -ENOMEM;
		if (!entry->value)
			entry->value = (void *)(uintptr_t)seen.n;
		next[c->index] = (uint32_t)(uintptr_t)entry->value - 1;
	}
	*ret_n = (uint32_t)seen.n;
	return 0;
}

int copies_merge(struct resolver *r, struct copy ***ret)
{
	uint32_t *next = arena_newn(&r->round, uint32_t, r->copies.n);
	uint32_t before, n = 0;
	struct copy **classes;
	int k = next ? 0 : -ENOMEM;

	class_init(r);
	do {
		before = n;
		if (k == 0)
			k = split(r, next, &n);
		if (k < 0)
			return k;
		vec_foreach(p, &r->copies)
			(*p)->class = (*p)->reached ? next[(*p)->index] : NO_CLASS;
	} while (n != before);
	classes = arena_newn(&r->round, struct copy *, n);
	if (!classes)
		return -ENOMEM;
	vec_foreach(p, &r->copies)
		if ((*p)->reached && !classes[(*p)->class])
			classes[(*p)->class] = *p;
	r->nclasses = n;
	*ret = classes;
	return 0;
}

/* The classes of one release, in a ring. */
static uint32_t *find_siblings(struct resolver *r, struct copy *const *classes)
{
	_cleanup_map_ struct map last = MAP_INIT;
	uint32_t *ring = arena_newn(&r->round, uint32_t, r->nclasses);

	for (uint32_t i = 0; ring && i < r->nclasses; i++) {
		const struct node *n = classes[i]->node;
		const void **key = arena_new(&r->round, const void *);
		struct map_entry *entry;

		if (!key)
			return NULL;
		*key = n->release;
		entry = map_entry(&last, str_of(key, sizeof(*key)));
		if (!entry)
			return NULL;
		ring[i] = i;
		if (entry->value) {
			uint32_t other = (uint32_t)(uintptr_t)entry->value - 1;

			ring[i] = ring[other];
			ring[other] = i;
		}
		entry->value = (void *)(uintptr_t)(i + 1);
	}
	return ring;
}

/* Whether the classes of this release differ in their i-th edge. */
static bool differs(struct copy *const *classes, const uint32_t *ring, uint32_t c, size_t i)
{
	const struct copy *mine = copy_target(classes[c], i);

	for (uint32_t s = ring[c]; s != c; s = ring[s]) {
		const struct copy *other = copy_target(classes[s], i);

		if ((mine ? mine->class : NO_CLASS) != (other ? other->class : NO_CLASS))
			return true;
	}
	return false;
}

static struct digest hash_class(struct copy *const *classes, const uint32_t *ring, uint32_t c,
	const struct digest *before)
{
	const struct copy *copy = classes[c];
	struct hasher h;

	hash_init(&h);
	for (size_t i = 0; i < copy_ntargets(copy); i++) {
		struct str name = target_name(copy, i);
		const struct copy *to = copy_target(copy, i);

		if (!differs(classes, ring, c, i))
			continue;
		hash_add(&h, name.p, name.n);
		hash_add(&h, "", 1);
		if (to)
			hash_add(&h, &before[to->class], sizeof(*before));
		hash_add(&h, to ? "\n" : "-\n", to ? 1 : 2);
	}
	return hash_end(&h);
}

static bool all_distinct(const uint32_t *ring, const struct digest *hash, uint32_t n)
{
	for (uint32_t c = 0; c < n; c++)
		for (uint32_t s = ring[c]; s != c; s = ring[s])
			if (memcmp(&hash[c], &hash[s], 8) == 0)
				return false;
	return true;
}

/*
 * The suffix is a digest of that by which a release's classes differ: the names of the edges that
 * are not the same in all of them, each with what it leads to. At first that is only the other end's
 * name and version, so that nothing deeper changes a suffix; where this does not tell classes apart,
 * the other ends' own digests are taken in, until it does. Classes differ somewhere, so it ends.
 */
int copies_name(struct resolver *r, struct copy *const *classes, struct str **ret)
{
	uint32_t *ring = find_siblings(r, classes);
	struct digest *now = arena_newn(&r->round, struct digest, r->nclasses);
	struct digest *before = arena_newn(&r->round, struct digest, r->nclasses);
	struct str *names = arena_newn(&r->round, struct str, r->nclasses);
	char hex[17];

	if (!ring || !now || !before || !names)
		return -ENOMEM;
	for (uint32_t c = 0; c < r->nclasses; c++) {
		const struct node *n = classes[c]->node;

		buf_reset(&r->key);
		if (n->pkg && buf_addf(&r->key, "%s:%.*s@%.*s", n->pkg->e->name,
				      STR_ARG(n->pkg->name), STR_ARG(n->release->version)) < 0)
			return -ENOMEM;
		now[c] = hash_bytes(r->key.data, r->key.len);
	}
	for (uint32_t round = 0; round <= r->nclasses && !all_distinct(ring, now, r->nclasses);
		round++) {
		memcpy(before, now, r->nclasses * sizeof(*now));
		for (uint32_t c = 0; c < r->nclasses; c++)
			if (ring[c] != c)
				now[c] = hash_class(classes, ring, c, before);
	}
	for (uint32_t c = 0; c < r->nclasses; c++) {
		if (ring[c] == c)
			continue;
		hex_encode(hex, &now[c], 8);
		names[c] = arena_fmt(&r->round, "%s", hex);
		if (!names[c].p)
			return -ENOMEM;
	}
	*ret = names;
	return 0;
}
