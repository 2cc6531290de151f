// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include "prim/attr.h"

#include <errno.h>

int names_init(struct names *n, const _Atomic uint32_t *used)
{
	*n = (struct names){ .next = EGRESS_FIRST_NAME, .used = used };
	n->by_number = calloc(EGRESS_NAMES, sizeof(struct name *));
	return n->by_number ? 0 : -ENOMEM;
}

void names_done(struct names *n)
{
	map_foreach(e, &n->by_text)
		free(e->value);
	map_done(&n->by_text);
	free(n->by_number);
}

static int newest_first(const void *a, const void *b)
{
	const struct name *x = *(struct name *const *)a, *y = *(struct name *const *)b;

	return x->asked < y->asked ? 1 : x->asked > y->asked ? -1 : 0;
}

static void forget(struct names *n, struct name *name)
{
	n->by_number[name->number] = NULL;
	free(name);
}

/* Keeps the newer half and what is in use. The map has no removal: it is made anew. */
static int make_room(struct names *n)
{
	_cleanup_free_ struct name **all = calloc(n->by_text.n, sizeof(struct name *));
	struct map kept = MAP_INIT;
	size_t count = 0, keep = n->by_text.n / 2;
	int r = 0;

	if (!all)
		return -ENOMEM;
	map_foreach(e, &n->by_text)
		all[count++] = e->value;
	qsort(all, count, sizeof(struct name *), newest_first);
	for (size_t i = 0; i < count && r == 0; i++)
		if (i < keep || atomic_load(&n->used[all[i]->number]))
			r = map_put(&kept, str_of(all[i]->text, all[i]->length), all[i]);
	if (r < 0) {
		map_done(&kept);
		return r;
	}
	for (size_t i = keep; i < count; i++)
		if (!map_get(&kept, str_of(all[i]->text, all[i]->length)))
			forget(n, all[i]);
	map_done(&n->by_text);
	n->by_text = kept;
	return n->by_text.n < NAMES_MAX ? 0 : -ENOSPC;
}

/* There are many times as many numbers as names. */
static uint32_t free_number(struct names *n)
{
	uint32_t number;

	do {
		number = n->next++;
		if (n->next == EGRESS_NAMES - 1)
			n->next = EGRESS_FIRST_NAME;
	} while (n->by_number[number]);
	return number;
}

static int make(struct names *n, struct str text, struct name **ret)
{
	_cleanup_free_ struct name *name = NULL;
	int r = n->by_text.n < NAMES_MAX ? 0 : make_room(n);

	if (r < 0)
		return r;
	name = calloc(1, sizeof(*name) + text.n + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name->text, text.p, text.n);
	name->length = text.n;
	name->number = free_number(n);
	r = map_put(&n->by_text, str_of(name->text, name->length), name);
	if (r < 0)
		return r;
	n->by_number[name->number] = name;
	*ret = TAKE_PTR(name);
	return 0;
}

int names_get(struct names *n, struct str text, struct name **ret)
{
	struct name *name = map_get(&n->by_text, text);
	int r = name ? 0 : make(n, text, &name);

	if (r < 0)
		return r;
	name->asked = ++n->clock;
	*ret = name;
	return 0;
}

struct name *names_find(const struct names *n, uint32_t number)
{
	return number < EGRESS_NAMES ? n->by_number[number] : NULL;
}
