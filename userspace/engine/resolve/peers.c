// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers. A package looks for a peer where it is used: among the dependencies of whoever depends on
 * it, then of whoever depends on that, up to the project. A package also provides itself to those
 * below it (@babel/core to its helpers). What a package's surroundings provide can differ from use
 * to use, so nodes are laid out again as copies, one for each different set of providers: the key of
 * a copy is its node and, for each name that it or something below it looks for above, who provides
 * that. Nodes that look for nothing have one copy. A node met again below itself is that same copy:
 * without this, cycles through providers would unroll for ever.
 *
 * A required peer that nobody provides is added (added.c), which may bring more that ask, so resolve.c
 * repeats this until nothing changes.
 */
#include "engine/resolve/resolve-priv.h"

int peer_bit(struct resolver *r, const struct ecosystem *e, struct str alias, uint32_t *ret)
{
	struct map_entry *entry;
	struct added *a;
	struct str key;

	buf_reset(&r->key);
	if (buf_addf(&r->key, "%s:%.*s", e->name, STR_ARG(alias)) < 0)
		return -ENOMEM;
	a = map_get(&r->peer_names, buf_str(&r->key));
	if (!a) {
		key = arena_str(&r->arena, buf_str(&r->key));
		a = arena_new(&r->arena, struct added);
		entry = key.p && a ? map_entry(&r->peer_names, key) : NULL;
		if (!entry)
			return -ENOMEM;
		*a = (struct added){ .e = e, .alias = str_slice(key, key.n - alias.n, SIZE_MAX),
			.bit = (uint32_t)r->peer_names.n - 1 };
		entry->value = a;
	}
	*ret = a->bit;
	return 0;
}

static struct added *added_at(const struct resolver *r, uint32_t bit)
{
	return r->peer_names.entries[bit].value;
}

static bool bit_test(const uint64_t *set, uint32_t bit)
{
	return set[bit / 64] >> (bit % 64) & 1;
}

/* The position of `bit` among those set. */
static size_t bit_rank(const uint64_t *set, uint32_t bit)
{
	size_t rank = 0;

	for (uint32_t w = 0; w < bit / 64; w++)
		rank += (size_t)__builtin_popcountll(set[w]);
	return rank + (size_t)__builtin_popcountll(set[bit / 64] & (((uint64_t)1 << bit % 64) - 1));
}

static size_t bit_count(const struct resolver *r, const uint64_t *set)
{
	return bit_rank(set, (uint32_t)(r->words - 1) * 64 + 63) + (set[r->words - 1] >> 63);
}

static const struct edge *edge_named(const struct node *n, const struct added *a)
{
	for (size_t i = 0; i < n->nedges; i++)
		if (n->edges[i].to && n->edges[i].need->pkg->e == a->e &&
			str_eq(n->edges[i].alias, a->alias))
			return &n->edges[i];
	return NULL;
}

/* One step towards the least fixed point: what is below, less what this node provides. */
static bool spread(struct resolver *r, struct node *n)
{
	bool changed = false;

	for (size_t i = 0; i < n->nedges; i++) {
		const struct node *to = n->edges[i].to;

		for (size_t w = 0; to && w < r->words; w++) {
			uint64_t more = to->relevant[w] & ~n->inside[w] & ~n->provided[w];

			n->inside[w] |= more;
			n->relevant[w] |= more;
			changed |= more != 0;
		}
	}
	return changed;
}

/* Marks `alias` as provided, if anything looks for it at all. */
static int provide(struct resolver *r, struct node *n, const struct ecosystem *e, struct str alias)
{
	const struct added *a;

	buf_reset(&r->key);
	if (buf_addf(&r->key, "%s:%.*s", e->name, STR_ARG(alias)) < 0)
		return -ENOMEM;
	a = map_get(&r->peer_names, buf_str(&r->key));
	if (a)
		n->provided[a->bit / 64] |= (uint64_t)1 << a->bit % 64;
	return 0;
}

static int sets_init(struct resolver *r, struct node *n)
{
	int k = 0;

	n->relevant = arena_newn(&r->round, uint64_t, 3 * r->words);
	if (!n->relevant)
		return -ENOMEM;
	n->inside = n->relevant + r->words;
	n->provided = n->inside + r->words;
	n->only = NULL;
	for (size_t i = 0; i < n->npeers; i++)
		n->relevant[n->peers[i].bit / 64] |= (uint64_t)1 << n->peers[i].bit % 64;
	for (size_t i = 0; i < n->nedges && k == 0; i++)
		if (n->edges[i].to)
			k = provide(r, n, n->edges[i].need->pkg->e, n->edges[i].alias);
	return k < 0 || !n->pkg ? k : provide(r, n, n->pkg->e, n->pkg->name);
}

static int by_alias(const void *x, const void *y)
{
	const struct added *const *a = x, *const *b = y;
	int k = str_cmp((*a)->alias, (*b)->alias);

	return k ? k : strcmp((*a)->e->name, (*b)->e->name);
}

/* Bits are in the order in which names were met, which another way to the same graph changes. */
static int sort_names(struct resolver *r)
{
	r->by_name = arena_newn(&r->round, struct added *, r->peer_names.n);
	if (!r->by_name)
		return -ENOMEM;
	r->nby_name = r->peer_names.n;
	for (size_t i = 0; i < r->nby_name; i++)
		r->by_name[i] = r->peer_names.entries[i].value;
	if (r->nby_name)
		qsort(r->by_name, r->nby_name, sizeof(*r->by_name), by_alias);
	return 0;
}

static int find_relevant(struct resolver *r)
{
	bool changed = true;

	r->words = r->peer_names.n / 64 + 1;
	vec_foreach(p, &r->nodes)
		if (sets_init(r, *p) < 0)
			return -ENOMEM;
	/* Backwards: nodes mostly come before what they depend on. */
	while (changed) {
		changed = false;
		for (size_t i = r->nodes.n; i-- > 0;)
			changed |= r->nodes.v[i]->live && spread(r, r->nodes.v[i]);
	}
	vec_foreach(p, &r->nodes)
		(*p)->free = bit_count(r, (*p)->relevant) == 0;
	return 0;
}

/* Who provides a name to what is directly below `c`. */
static struct slot slot_below(const struct resolver *r, struct copy *c, uint32_t bit)
{
	const struct node *n = c->node;
	const struct added *a = added_at(r, bit);
	const struct edge *e = bit_test(n->provided, bit) ? edge_named(n, a) : NULL;

	if (e && e->to->free)
		return (struct slot){ .kind = SLOT_NODE, .node = e->to };
	if (e)
		return (struct slot){ .kind = SLOT_EDGE, .owner = c, .node = e->to,
			.edge = (uint32_t)(e - n->edges) };
	if (bit_test(n->provided, bit) && n->free)
		return (struct slot){ .kind = SLOT_NODE, .node = c->node };
	if (bit_test(n->provided, bit))
		return (struct slot){ .kind = SLOT_SELF, .owner = c, .node = c->node };
	if (n == r->root)
		return (struct slot){ .kind = SLOT_ADDED };
	return c->env[bit_rank(n->relevant, bit)];
}

static struct copy *copy_new(struct resolver *r, struct node *n, struct copy *parent,
	struct slot *env)
{
	struct copy *c = r->copies.n < RESOLVE_NODES_MAX ? arena_new(&r->round, struct copy) : NULL;

	if (!c)
		return NULL;
	*c = (struct copy){ .node = n, .parent = parent, .env = env,
		.targets = arena_newn(&r->round, struct copy *, n->nedges),
		.peers = arena_newn(&r->round, struct copy *, n->npeers),
		.index = (uint32_t)r->copies.n };
	if (!c->targets || !c->peers || vec_push(&r->copies, c) < 0)
		return NULL;
	return c;
}

static struct copy *ancestor_of(struct copy *c, const struct node *n)
{
	while (c && c->node != n)
		c = c->parent;
	return c;
}

static struct map_entry *copy_entry(struct resolver *r, const struct node *n,
	const struct slot *env, size_t nenv)
{
	uint32_t *key = arena_newn(&r->round, uint32_t, 1 + 3 * nenv);

	if (!key)
		return NULL;
	key[0] = n->index;
	for (size_t i = 0; i < nenv; i++) {
		key[1 + 3 * i] = env[i].kind;
		key[2 + 3 * i] = env[i].kind == SLOT_NODE ? env[i].node->index :
				 env[i].owner		  ? env[i].owner->index : 0;
		key[3 + 3 * i] = env[i].edge;
	}
	return map_entry(&r->copies_by_key, str_of(key, sizeof(*key) * (1 + 3 * nenv)));
}

static int copy_get(struct resolver *r, struct node *n, struct copy *parent, struct copy **ret)
{
	size_t nenv = bit_count(r, n->relevant), at = 0;
	struct slot *env = arena_newn(&r->round, struct slot, nenv);
	struct map_entry *entry;

	if (n->only) {
		*ret = n->only;
		return 0;
	}
	if (!env)
		return -ENOMEM;
	for (uint32_t b = 0; b < r->peer_names.n && parent; b++)
		if (bit_test(n->relevant, b))
			env[at++] = slot_below(r, parent, b);
	entry = copy_entry(r, n, env, nenv);
	if (!entry)
		return -ENOMEM;
	if (!entry->value)
		entry->value = ancestor_of(parent, n);
	if (!entry->value)
		entry->value = copy_new(r, n, parent, env);
	if (!entry->value)
		return r->copies.n < RESOLVE_NODES_MAX ? -ENOMEM : diag_fail(r->d, -ERR_LIMIT,
			"peers that differ from place to place make more than %d packages",
			RESOLVE_NODES_MAX);
	*ret = entry->value;
	if (n->free)
		n->only = *ret;
	return 0;
}

static int lay_out(struct resolver *r)
{
	struct copy *root;
	int k = copy_get(r, r->root, NULL, &root);

	for (size_t i = 0; i < r->copies.n && k == 0; i++) {
		struct copy *c = r->copies.v[i];

		for (size_t j = 0; j < c->node->nedges && k == 0; j++)
			if (c->node->edges[j].to)
				k = copy_get(r, c->node->edges[j].to, c, &c->targets[j]);
		if (c != root)
			continue;
		for (size_t j = 0; j < r->nby_name; j++)
			vec_foreach(x, &r->by_name[j]->edges)
				if (k == 0)
					k = copy_get(r, x->edge->to, root, &x->copy);
	}
	return k;
}

static int connect_peer(struct resolver *r, struct copy *c, size_t i)
{
	const struct peer *p = &c->node->peers[i];
	const struct slot *s = &c->env[bit_rank(c->node->relevant, p->bit)];
	struct added *a = added_at(r, p->bit);

	switch (s->kind) {
	case SLOT_NODE:
		c->peers[i] = s->node->only;
		return 0;
	case SLOT_EDGE:
		c->peers[i] = s->owner->targets[s->edge];
		return 0;
	case SLOT_SELF:
		c->peers[i] = s->owner;
		return 0;
	default:
		/* An optional peer is not worth a look at what was added for others: whether that
		 * stays is not known yet. */
		if (p->optional)
			return 0;
		c->peers[i] = added_for(a, p->need);
		return added_ask(a, p->need, c->node);
	}
}

/* Only what the project reaches asks for peers: what was added in vain does not. */
static int connect(struct resolver *r)
{
	VEC(struct copy *) queue = { 0 };
	int k = vec_push(&queue, r->copies.v[0]);

	r->copies.v[0]->reached = true;
	for (size_t i = 0; i < queue.n && k == 0; i++) {
		struct copy *c = queue.v[i], *to;

		for (size_t j = 0; j < c->node->npeers && k == 0; j++)
			k = connect_peer(r, c, j);
		for (size_t j = 0; j < copy_ntargets(c) && k == 0; j++) {
			to = copy_target(c, j);
			if (!to || to->reached)
				continue;
			to->reached = true;
			k = vec_push(&queue, to);
		}
	}
	vec_done(&queue);
	return k;
}

int peers_resolve(struct resolver *r, bool *ret_more)
{
	int k;

	arena_done(&r->round);
	map_done(&r->copies_by_key);
	r->copies.n = 0;
	r->rounds++;
	k = sort_names(r);
	if (k == 0)
		k = find_relevant(r);
	if (k == 0)
		k = lay_out(r);
	if (k == 0)
		k = connect(r);
	return k < 0 ? k : added_update(r, ret_more);
}

/* Whether the project itself depends on `c` and on what provides its peer. */
static bool at_the_project(const struct resolver *r, const struct copy *c, const struct peer *p)
{
	const struct slot *s = &c->env[bit_rank(c->node->relevant, p->bit)];
	const struct edge *e = edge_named(r->root, added_at(r, p->bit));

	return c->parent && c->parent->node == r->root && c->node->by && e && e->to == s->node;
}

static int judge(struct resolver *r, const struct copy *c, bool direct)
{
	int k = 0;

	for (size_t i = 0; i < c->node->npeers && k == 0; i++) {
		const struct peer *p = &c->node->peers[i];
		const struct copy *by = c->peers[i];

		if (!by || need_matches(p->need, by->node->release))
			continue;
		if (direct && !p->optional && at_the_project(r, c, p))
			k = explain_peer_conflict(r, c, p, by);
		else if (!direct)
			explain_peer_mismatch(r, c, p, by);
	}
	return k;
}

int peers_judge(struct resolver *r)
{
	const struct copy *root = r->copies.v[0];
	int k = 0;

	for (size_t i = 0; i < root->node->nedges && k == 0; i++)
		if (root->targets[i])
			k = judge(r, root->targets[i], true);
	for (size_t i = 0; i < r->copies.n && k == 0; i++)
		if (r->copies.v[i]->reached)
			k = judge(r, r->copies.v[i], false);
	return k;
}
