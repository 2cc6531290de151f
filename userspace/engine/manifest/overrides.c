// SPDX-License-Identifier: GPL-2.0-or-later
/* [overrides] and [registries]. */
#include "engine/manifest/manifest-priv.h"
#include "engine/manifest/names.h"

#include <errno.h>

/* Where the walk is: the parents down to here. */
struct override_walk {
	struct str ecosystem;
	struct str parents[OVERRIDE_DEPTH_MAX];
	size_t n;
};

bool manifest_target_valid(struct str s)
{
	size_t at = str_find(s, '@', 1);

	return name_is_package(str_slice(s, 0, at)) &&
	       (at == s.n || name_is_line(str_slice(s, at + 1, s.n), REQUIREMENT_MAX));
}

static int push_override(struct toml_reader *r, const struct override_walk *w, struct str target,
	const struct toml_node *value)
{
	struct manifest_reader *mr = manifest_reader(r);
	struct manifest_override o = {
		.ecosystem = w->ecosystem,
		.nparents = w->n,
		.target = target,
		.place = toml_place(value),
	};
	int e = toml_read_kind(r, value, TOML_STRING, "an override");

	if (e < 0)
		return e;
	/* "." in a table is the table's own package. */
	if (str_is(target, ".") && w->n > 0)
		o.target = w->parents[--o.nparents];
	o.requirement = toml_str(value);
	if (!str_starts(o.requirement, STR("$"))) {
		e = manifest_requirement(r, o.target, value, &o.requirement);
		if (e < 0)
			return e;
	}
	o.parents = arena_newn(&mr->m->arena, struct str, o.nparents);
	if (!o.parents && o.nparents)
		return -ENOMEM;
	if (o.nparents)
		memcpy(o.parents, w->parents, o.nparents * sizeof(*o.parents));
	return vec_push(&mr->overrides, o);
}

static int walk_overrides(struct toml_reader *r, const struct toml_node *t, struct override_walk *w)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < toml_count(t); i++) {
		struct str key = toml_key_at(t, i);
		const struct toml_node *value = toml_at(t, i);
		bool own = str_is(key, ".") && w->n > 0 && toml_kind(value) == TOML_STRING;

		if (!own && !manifest_target_valid(key))
			return toml_read_fail(r, toml_key_place_at(t, i),
				"'%.*s' is not \"name\" or \"name@range\"", STR_ARG(key));
		if (toml_kind(value) != TOML_TABLE) {
			e = push_override(r, w, key, value);
			continue;
		}
		if (w->n == OVERRIDE_DEPTH_MAX)
			return toml_read_fail(r, toml_key_place_at(t, i),
				"overrides are nested too deep");
		w->parents[w->n++] = key;
		e = walk_overrides(r, value, w);
		w->n--;
	}
	return e;
}

int manifest_read_overrides(struct toml_reader *r, const struct toml_node *t, void *into)
{
	for (size_t i = 0; i < toml_count(t); i++) {
		struct override_walk w = { .ecosystem = toml_key_at(t, i) };
		int e = manifest_ecosystem(r, w.ecosystem, toml_key_place_at(t, i), "overrides");

		if (e == 0)
			e = toml_read_kind(r, toml_at(t, i), TOML_TABLE, "'overrides.npm'");
		if (e == 0)
			e = walk_overrides(r, toml_at(t, i), &w);
		if (e < 0)
			return e;
	}
	return 0;
}

static const struct manifest_dependency *direct(struct manifest_reader *r, struct str ecosystem,
	struct str name)
{
	vec_foreach(dep, &r->dependencies)
		if (str_eq(dep->name, name) && str_eq(dep->ecosystem, ecosystem))
			return dep;
	return NULL;
}

static int by_target(const void *a, const void *b)
{
	const struct manifest_override *x = a, *y = b;
	int c = str_cmp(x->ecosystem, y->ecosystem);

	for (size_t i = 0; c == 0 && i < x->nparents && i < y->nparents; i++)
		c = str_cmp(x->parents[i], y->parents[i]);
	if (c == 0)
		c = (x->nparents > y->nparents) - (x->nparents < y->nparents);
	return c ? c : str_cmp(x->target, y->target);
}

/* "$name" is what the project itself asks of `name`. */
int manifest_resolve_overrides(struct manifest_reader *r)
{
	if (r->overrides.n > MANIFEST_LIST_MAX)
		return toml_read_fail(&r->base, toml_place(NULL), "too many overrides");
	vec_foreach(o, &r->overrides) {
		const struct manifest_dependency *dep;

		if (!str_starts(o->requirement, STR("$")))
			continue;
		dep = direct(r, o->ecosystem, str_slice(o->requirement, 1, o->requirement.n));
		if (!dep || !dep->requirement.p)
			return toml_read_fail(&r->base, o->place,
				"'%.*s' refers to a dependency that has no version here",
				STR_ARG(o->requirement));
		o->requirement = dep->requirement;
	}
	if (r->overrides.n)
		qsort(r->overrides.v, r->overrides.n, sizeof(*r->overrides.v), by_target);
	return 0;
}

static bool scope_valid(struct str s)
{
	return str_starts(s, STR("@")) && name_is_command(str_slice(s, 1, s.n));
}

static int read_registry(struct toml_reader *r, struct str ecosystem, const struct toml_node *t,
	size_t i)
{
	struct manifest_reader *mr = manifest_reader(r);
	struct str key = toml_key_at(t, i), url = toml_str(toml_at(t, i));
	struct manifest_registry reg = { .ecosystem = ecosystem, .scope = STR(""), .url = url };
	int e = toml_read_kind(r, toml_at(t, i), TOML_STRING, "a registry");

	if (e < 0)
		return e;
	if (!str_is(key, "default")) {
		if (!scope_valid(key)) {
			toml_read_fail(r, toml_key_place_at(t, i), "'%.*s' is not a scope", STR_ARG(key));
			return diag_hint(r->d, "default = \"https://…\" or \"@scope\" = \"https://…\""),
			       r->code;
		}
		reg.scope = key;
	}
	if (!name_is_url(url) || memchr(url.p, '?', url.n) || memchr(url.p, '#', url.n)) {
		toml_read_fail(r, toml_place(toml_at(t, i)), "'%.*s' is not a registry's URL",
			STR_ARG(url));
		return diag_hint(r->d, "credentials belong in .npmrc, not in the URL"), r->code;
	}
	if (!str_ends(url, STR("/"))) {
		reg.url = arena_fmt(&mr->m->arena, "%.*s/", STR_ARG(url));
		if (!reg.url.p)
			return -ENOMEM;
	}
	return vec_push(&mr->registries, reg);
}

/* Sorted already, as keys are; "default" becomes "" and must be first. */
static int by_scope(const void *a, const void *b)
{
	const struct manifest_registry *x = a, *y = b;
	int c = str_cmp(x->ecosystem, y->ecosystem);

	return c ? c : str_cmp(x->scope, y->scope);
}

int manifest_read_registries(struct toml_reader *r, const struct toml_node *t, void *into)
{
	struct manifest_reader *mr = manifest_reader(r);
	int e = 0;

	for (size_t i = 0; i < toml_count(t); i++) {
		const struct toml_node *scopes = toml_at(t, i);

		e = manifest_ecosystem(r, toml_key_at(t, i), toml_key_place_at(t, i), "registries");
		if (e == 0)
			e = toml_read_kind(r, scopes, TOML_TABLE, "'registries.npm'");
		for (size_t j = 0; e == 0 && j < toml_count(scopes); j++)
			e = read_registry(r, toml_key_at(t, i), scopes, j);
		if (e < 0)
			return e;
	}
	if (mr->registries.n)
		qsort(mr->registries.v, mr->registries.n, sizeof(*mr->registries.v), by_scope);
	return 0;
}
