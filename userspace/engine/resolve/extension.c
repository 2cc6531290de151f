// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/resolve/resolve-priv.h"

struct extension {
	const struct manifest_extension *of;
	struct str range;
	struct extension *next;		/* of the same name; the manifest's come first */
};

static int add_extension(struct extensions *x, const struct manifest_extension *of)
{
	struct extension *new = arena_new(&x->arena, struct extension), **end;
	struct map_entry *entry;
	struct str name, key;

	if (!new)
		return -ENOMEM;
	new->of = of;
	split_target(of->target, &name, &new->range);
	key = arena_fmt(&x->arena, "%.*s:%.*s", STR_ARG(of->ecosystem), STR_ARG(name));
	entry = key.p ? map_entry(&x->by_name, key) : NULL;
	if (!entry)
		return -ENOMEM;
	if (!entry->value) {
		entry->value = new;
		return 0;
	}
	for (end = &((struct extension *)entry->value)->next; *end; end = &(*end)->next)
		;
	*end = new;
	return 0;
}

static int add_all(struct extensions *x, const struct manifest *m)
{
	int k = 0;

	for (size_t i = 0; i < m->nextensions && k == 0; i++)
		k = add_extension(x, &m->extensions[i]);
	return k;
}

int extensions_init(struct extensions *x, const struct manifest *m, struct diag *d)
{
	const struct ecosystem *const *e = ecosystems();
	size_t n = 0;
	int k = add_all(x, m);

	while (e[n])
		n++;
	x->files = arena_newn(&x->arena, struct manifest *, n);
	if (!x->files)
		return -ENOMEM;
	for (; *e && k == 0; e++) {
		struct manifest **file = &x->files[x->nfiles];

		if (!(*e)->extensions)
			continue;
		k = manifest_parse_extensions(file, (*e)->extensions(), str_from((*e)->name),
			"extensions.toml", d);
		if (k < 0)
			break;
		x->nfiles++;
		k = add_all(x, *file);
	}
	return k;
}

void extensions_done(struct extensions *x)
{
	for (size_t i = 0; i < x->nfiles; i++)
		manifest_free(x->files[i]);
	map_done(&x->by_name);
	arena_done(&x->arena);
}

static const struct extension *first_of(const struct extensions *x, const struct ecosystem *e,
	struct str name)
{
	_cleanup_buf_ struct buf key = BUF_INIT;

	if (x->by_name.n == 0 || buf_addf(&key, "%s:%.*s", e->name, STR_ARG(name)) < 0)
		return NULL;
	return map_get(&x->by_name, buf_str(&key));
}

static struct dependency *find(struct dependency *list, size_t n, struct str alias)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].alias, alias))
			return &list[i];
	return NULL;
}

static int add_one(struct arena *a, const struct ecosystem *e, const struct manifest_dependency *add,
	struct dependency *list, size_t *n, struct diag *d)
{
	struct dependency *there = find(list, *n, add->name);
	int k;

	if (there) {
		if (there->kind == DEPENDENCY_PEER && add->kind == DEPENDENCY_PEER_OPTIONAL)
			there->kind = add->kind;
		return 0;
	}
	k = e->requirement_parse(add->name, add->requirement, a, &list[*n], d);
	if (k < 0)
		return k;
	list[*n].alias = add->name;
	list[*n].kind = add->kind;
	++*n;
	return 0;
}

static int by_alias(const void *x, const void *y)
{
	const struct dependency *a = x, *b = y;

	return str_cmp(a->alias, b->alias);
}

int extension_apply(const struct extensions *x, struct arena *a, const struct ecosystem *e,
	struct str name, const struct release *rel, struct dependency **ret, size_t *ret_n,
	struct diag *d)
{
	const struct extension *first = first_of(x, e, name);
	size_t n = rel->ndependencies, room = n;
	struct dependency *list;

	*ret = rel->dependencies;
	*ret_n = n;
	for (const struct extension *i = first; i; i = i->next)
		room += i->of->nadds;
	if (!first)
		return 0;
	list = arena_newn(a, struct dependency, room);
	if (!list && room)
		return -ENOMEM;
	if (n)
		memcpy(list, rel->dependencies, n * sizeof(*list));
	for (const struct extension *i = first; i; i = i->next) {
		if (!version_in(e, i->range, rel))
			continue;
		for (size_t j = 0; j < i->of->nadds; j++) {
			int k = str_eq(i->of->adds[j].name, name) ? 0 :
				add_one(a, e, &i->of->adds[j], list, &n, d);

			if (k < 0)
				return k;
		}
	}
	if (n)
		qsort(list, n, sizeof(*list), by_alias);
	*ret = list;
	*ret_n = n;
	return 0;
}
