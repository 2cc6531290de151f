// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overrides, as npm has them: a rule holds for an edge by its alias, anywhere below its chain of
 * parents; a target with a range holds where the range and what the edge says meet. The deepest
 * chain goes first, then the manifest's order. A context is one byte for each nested rule: how many
 * of its parents were passed on the way here. With no nested rules it is empty everywhere, and no
 * release is there twice because of it.
 */
#include "engine/resolve/resolve-priv.h"

void split_target(struct str target, struct str *ret_name, struct str *ret_range)
{
	size_t at = str_find(target, '@', 1);

	*ret_name = str_slice(target, 0, at);
	*ret_range = str_trim(str_slice(target, at + 1, SIZE_MAX));
	if (str_is(*ret_range, "*"))
		*ret_range = (struct str){ 0 };
}

static int follow_reference(struct resolver *r, struct override_rule *rule)
{
	struct str name = str_slice(rule->requirement, 1, SIZE_MAX);

	for (size_t i = 0; i < r->m->ndependencies; i++) {
		const struct manifest_dependency *d = &r->m->dependencies[i];

		if (!str_eq(d->name, name) || !str_eq(d->ecosystem, rule->of->ecosystem) ||
			d->requirement.n == 0)
			continue;
		rule->requirement = d->requirement;
		return 0;
	}
	diag_fail(r->d, -ERR_MANIFEST,
		"the override of %.*s refers to $%.*s, but there is no direct dependency %.*s with a "
		"version", STR_ARG(rule->name), STR_ARG(name), STR_ARG(name));
	return place(r, rule->of->place);
}

static int rule_init(struct resolver *r, struct override_rule *rule,
	const struct manifest_override *of)
{
	rule->of = of;
	rule->e = ecosystem_find(of->ecosystem);
	if (!rule->e) {
		diag_fail(r->d, -ERR_MANIFEST, "there is no ecosystem '%.*s'",
			STR_ARG(of->ecosystem));
		return place(r, of->place);
	}
	rule->parents = arena_newn(&r->arena, struct str, of->nparents);
	rule->parent_ranges = arena_newn(&r->arena, struct str, of->nparents);
	if (!rule->parents || !rule->parent_ranges)
		return -ENOMEM;
	if (of->nparents > UINT8_MAX) {
		diag_fail(r->d, -ERR_LIMIT, "an override is nested more than %d deep", UINT8_MAX);
		return place(r, of->place);
	}
	for (size_t i = 0; i < of->nparents; i++)
		split_target(of->parents[i], &rule->parents[i], &rule->parent_ranges[i]);
	split_target(of->target, &rule->name, &rule->range);
	rule->requirement = of->requirement;
	if (of->nparents)
		rule->place = r->ncontext++;
	return rule->requirement.n && rule->requirement.p[0] == '$' ? follow_reference(r, rule) : 0;
}

int overrides_init(struct resolver *r)
{
	int k = 0;

	r->nrules = r->m->noverrides;
	r->rules = arena_newn(&r->arena, struct override_rule, r->nrules);
	if (!r->rules)
		return -ENOMEM;
	for (size_t i = 0; i < r->nrules && k == 0; i++)
		k = rule_init(r, &r->rules[i], &r->m->overrides[i]);
	return k;
}

bool version_in(const struct ecosystem *e, struct str range, const struct release *release)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct requirement *q;

	if (range.n == 0 || !release->parsed)
		return true;
	return e->versions->requirement(&a, range, VERSION_LOOSE, &q) == 0 &&
		e->versions->matches(q, release->parsed);
}

struct str override_enter(struct resolver *r, struct str context, const struct pkg *pkg,
	const struct release *release)
{
	char *below = NULL;

	if (r->ncontext == 0)
		return (struct str){ 0 };
	if (context.n == 0)
		return str_of(arena_alloc(&r->arena, r->ncontext), r->ncontext);
	for (size_t i = 0; i < r->nrules; i++) {
		const struct override_rule *rule = &r->rules[i];
		size_t passed = rule->of->nparents ? (uint8_t)context.p[rule->place] : 0;

		if (passed >= rule->of->nparents || rule->e != pkg->e ||
			!str_eq(rule->parents[passed], pkg->name) ||
			!version_in(pkg->e, rule->parent_ranges[passed], release))
			continue;
		if (!below) {
			below = arena_alloc(&r->arena, r->ncontext);
			if (!below)
				return (struct str){ 0 };
			memcpy(below, context.p, context.n);
		}
		below[rule->place] = (char)(passed + 1);
	}
	return below ? str_of(below, r->ncontext) : context;
}

/* Whether a version exists that both ranges take. A tag meets every range. */
static int ranges_meet(struct resolver *r, const struct override_rule *rule,
	const struct dependency *dep, bool *ret)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct pkg *pkg = pkg_get(r, rule->e, dep->name);
	struct need *need = pkg ? need_get(r, pkg, dep->requirement) : NULL;
	struct requirement *q;
	int k;

	*ret = true;
	if (!need)
		return -ENOMEM;
	if (rule->range.n == 0 || need->any || !need->requirement)
		return 0;
	*ret = false;
	k = rule->e->versions->requirement(&a, rule->range, VERSION_LOOSE, &q);
	if (k < 0) {
		diag_fail(r->d, -ERR_MANIFEST, "'%.*s' is not a version requirement",
			STR_ARG(rule->range));
		return place(r, rule->of->place);
	}
	k = pkg_load(r, pkg);
	for (size_t i = 0; k == 0 && pkg->meta && i < pkg->meta->nreleases && !*ret; i++)
		*ret = need_matches(need, &pkg->meta->releases[i]) &&
			rule->e->versions->matches(q, pkg->meta->releases[i].parsed);
	return k;
}

static int find_rule(struct resolver *r, struct str context, const struct ecosystem *e,
	const struct dependency *dep, const struct override_rule **ret)
{
	const struct override_rule *best = NULL;
	bool meet;

	for (size_t i = 0; i < r->nrules; i++) {
		const struct override_rule *rule = &r->rules[i];
		int k;

		if (rule->e != e || !str_eq(rule->name, dep->alias) ||
			(rule->of->nparents &&
				(uint8_t)context.p[rule->place] < rule->of->nparents) ||
			(best && rule->of->nparents <= best->of->nparents))
			continue;
		k = ranges_meet(r, rule, dep, &meet);
		if (k < 0)
			return k;
		if (meet)
			best = rule;
	}
	*ret = best;
	return 0;
}

int override_apply(struct resolver *r, struct str context, const struct ecosystem *e,
	const struct dependency *dep, struct dependency *ret, const struct override_rule **ret_rule)
{
	const struct override_rule *rule = NULL;
	int k = r->nrules ? find_rule(r, context, e, dep, &rule) : 0;

	if (k < 0)
		return k;
	*ret = *dep;
	if (rule) {
		k = e->requirement_parse(dep->alias, rule->requirement, &r->arena, ret, r->d);
		if (k < 0)
			return place(r, rule->of->place);
		ret->alias = dep->alias;
		ret->kind = dep->kind;
	}
	if (ret_rule)
		*ret_rule = rule;
	return 0;
}
