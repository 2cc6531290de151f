// SPDX-License-Identifier: GPL-2.0-or-later
/* The automata: built once, then only read. */
#include "base/mask-priv.h"

#include "prim/err.h"

#include <errno.h>

static uint32_t child_of(const struct mask_automaton *a, uint32_t node, uint8_t byte)
{
	uint32_t at;

	if (node == 0)
		return a->first[byte];
	for (at = a->nodes.v[node].child; at && a->nodes.v[at].byte != byte; at = a->nodes.v[at].next)
		;
	return at;
}

static int grow(struct mask_automaton *a, uint32_t parent, uint8_t byte, uint32_t *ret)
{
	uint32_t at = (uint32_t)a->nodes.n;
	int r;

	if (at == MASK_NODES_MAX)
		return -ERR_LIMIT;
	r = vec_push(&a->nodes, (struct mask_node){ .next = a->nodes.v[parent].child,
		.depth = a->nodes.v[parent].depth + 1, .byte = byte });
	if (r < 0)
		return r;
	a->nodes.v[parent].child = at;
	if (parent == 0)
		a->first[byte] = at;
	*ret = at;
	return 0;
}

static int add_form(void *data, bool broken, struct str form)
{
	struct mask *m = data;
	struct mask_automaton *a = broken ? &m->broken : &m->plain;
	uint32_t at = 0;

	/* A form is never shorter than what it stands for; a line may be. */
	if (form.n < MASK_VALUE_MIN)
		return 0;
	for (size_t i = 0; i < form.n; i++) {
		uint32_t next = child_of(a, at, (uint8_t)form.p[i]);
		int r = next ? 0 : grow(a, at, (uint8_t)form.p[i], &next);

		if (r < 0)
			return r;
		at = next;
	}
	a->nodes.v[at].found = (uint32_t)form.n;
	return 0;
}

static uint32_t fail_of(const struct mask_automaton *a, uint32_t parent, uint8_t byte)
{
	uint32_t next = 0;

	while (parent && !next) {
		parent = a->nodes.v[parent].fail;
		next = child_of(a, parent, byte);
	}
	return next;
}

/* Breadth first: what a node fails to is nearer to the root than it is. */
static int link_nodes(struct mask_automaton *a)
{
	_cleanup_free_ uint32_t *queue = calloc(a->nodes.n, sizeof(*queue));
	size_t head = 0, tail = 1;

	if (!queue)
		return -ENOMEM;
	while (head < tail) {
		uint32_t parent = queue[head++];

		for (uint32_t at = a->nodes.v[parent].child; at; at = a->nodes.v[at].next) {
			struct mask_node *n = &a->nodes.v[at];

			n->fail = fail_of(a, parent, n->byte);
			if (!n->found)
				n->found = a->nodes.v[n->fail].found;
			queue[tail++] = at;
		}
	}
	return 0;
}

static void set_pair(uint8_t *set, uint8_t first, uint8_t second)
{
	unsigned pair = mask_pair(first, second);

	set[pair / 8] |= (uint8_t)(1 << pair % 8);
}

/* White space can be before and after each byte of what may be broken, but for its first. */
static void set_gaps(struct mask *m, const struct mask_node *n)
{
	for (unsigned gap = 0; gap <= ' '; gap++) {
		if (!mask_is_gap((uint8_t)gap))
			continue;
		set_pair(m->near, n->byte, (uint8_t)gap);
		if (n->depth == 1)
			set_pair(m->begins, n->byte, (uint8_t)gap);
		else
			set_pair(m->near, (uint8_t)gap, n->byte);
		for (unsigned next = 0; next <= ' '; next++)
			if (mask_is_gap((uint8_t)next))
				set_pair(m->near, (uint8_t)gap, (uint8_t)next);
	}
}

static void set_pairs(struct mask *m, const struct mask_automaton *a, bool broken)
{
	for (size_t i = 1; i < a->nodes.n; i++) {
		const struct mask_node *n = &a->nodes.v[i];

		if (n->depth > MASK_STRIDE)
			continue;
		for (uint32_t at = n->child; at; at = a->nodes.v[at].next) {
			set_pair(m->near, n->byte, a->nodes.v[at].byte);
			if (n->depth == 1)
				set_pair(m->begins, n->byte, a->nodes.v[at].byte);
		}
		if (broken)
			set_gaps(m, n);
	}
}

static int fill(struct mask *m, const struct str *values, size_t n)
{
	const struct mask_sink sink = { add_form, m };
	int r = vec_push(&m->plain.nodes, (struct mask_node){ 0 });

	if (r == 0)
		r = vec_push(&m->broken.nodes, (struct mask_node){ 0 });
	for (size_t i = 0; i < n && r == 0; i++)
		r = values[i].n < MASK_VALUE_MIN || values[i].n > MASK_VALUE_MAX ? -EINVAL :
			mask_forms(values[i], &sink);
	if (r == 0)
		r = link_nodes(&m->plain);
	if (r == 0)
		r = link_nodes(&m->broken);
	set_pairs(m, &m->plain, false);
	set_pairs(m, &m->broken, true);
	return r;
}

int mask_new(struct mask **ret, const struct str *values, size_t n)
{
	_cleanup_(mask_free_p) struct mask *m = calloc(1, sizeof(*m));
	int r = m ? fill(m, values, n) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

/* What it holds are secrets. */
static void wipe(struct mask_automaton *a)
{
	if (a->nodes.v)
		explicit_bzero(a->nodes.v, a->nodes.n * sizeof(*a->nodes.v));
	vec_done(&a->nodes);
}

void mask_free(struct mask *m)
{
	if (!m)
		return;
	wipe(&m->plain);
	wipe(&m->broken);
	free(m);
}
