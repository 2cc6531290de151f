// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/writer-priv.h"

#include <errno.h>

int pending_by_digest(const void *a, const void *b)
{
	const struct pending_object *const *x = a, *const *y = b;

	return memcmp(&(*x)->digest, &(*y)->digest, sizeof((*x)->digest));
}

int queue_new(struct queue **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	vec_done(&q->objects);
	vec_done(&q->packs);
	vec_done(&q->trees);
	vec_done(&q->relies);
	vec_done(&q->facts);
	map_done(&q->known);
	arena_done(&q->arena);
	free(q);
}

int queue_tree(struct queue *q, const struct digest *d, uint64_t size)
{
	return vec_push(&q->trees, (struct pending_tree){ *d, size });
}

int queue_rely(struct queue *q, const struct digest *d, uint64_t size, bool tree)
{
	return vec_push(&q->relies, (struct relied){ *d, size, tree });
}

int queue_object(struct queue *q, const struct pending_object *o)
{
	struct pending_object *copy = arena_new(&q->arena, struct pending_object);
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = *o;
	r = vec_push(&q->objects, copy);
	return r < 0 ? r : map_put(&q->known, digest_key(&copy->digest), copy);
}

int queue_fact(struct queue *q, const struct fact_key *key, const void *value, size_t len)
{
	struct str copy = arena_str(&q->arena, str_of(value, len));

	return copy.p ? vec_push(&q->facts, (struct pending_fact){ *key, copy }) : -ENOMEM;
}
