// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include "prim/err.h"

#include <errno.h>

static uint64_t draw(uint64_t *seed)
{
	/* xorshift64 (Marsaglia 2003): any order will do, if it is the same each time. */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int by_version(const void *x, const void *y)
{
	const struct release *a = x, *b = y;

	return ecosystem_find(STR("npm"))->versions->compare(a->parsed, b->parsed);
}

static int by_alias(const void *x, const void *y)
{
	const struct dependency *a = x, *b = y;

	return str_cmp(a->alias, b->alias);
}

static struct package *package_of(struct scenario_source *s, struct str name, size_t most)
{
	struct package *p = map_get(&s->packages, name);

	if (p)
		return p;
	p = arena_new(&s->arena, struct package);
	if (!p)
		return NULL;
	p->name = name;
	p->releases = arena_newn(&s->arena, struct release, most);
	p->tags = arena_newn(&s->arena, struct dist_tag, most + 1);
	if (!p->releases || !p->tags || map_put(&s->packages, name, p) < 0)
		return NULL;
	return p;
}

static int add_release(struct scenario_source *s, const struct scenario_release *x, size_t most)
{
	const struct version_scheme *v = ecosystem_find(STR("npm"))->versions;
	struct package *p = package_of(s, x->name, most);
	struct release *rel;
	int k;

	if (!p)
		return -ENOMEM;
	rel = &p->releases[p->nreleases++];
	*rel = x->release;
	rel->ndependencies = x->dependencies.n;
	rel->dependencies = arena_newn(&s->arena, struct dependency, x->dependencies.n);
	if (!rel->dependencies)
		return -ENOMEM;
	for (size_t i = 0; i < x->dependencies.n; i++)
		rel->dependencies[i] = x->dependencies.v[i];
	qsort(rel->dependencies, rel->ndependencies, sizeof(*rel->dependencies), by_alias);
	k = v->parse(&s->arena, rel->version, VERSION_LOOSE, &rel->parsed);
	return k;
}

static void add_tag(struct package *p, struct dist_tag tag)
{
	for (size_t i = 0; i < p->ntags; i++)
		if (str_eq(p->tags[i].name, tag.name)) {
			p->tags[i] = tag;
			return;
		}
	p->tags[p->ntags++] = tag;
}

int scenario_source_init(struct scenario_source *s, const struct scenario *sc,
	const struct step *step, uint64_t seed)
{
	const struct version_scheme *v = ecosystem_find(STR("npm"))->versions;
	size_t most = step->nreleases + step->ntags;
	int k = 0;

	*s = (struct scenario_source){ .seed = seed };
	for (size_t i = 0; i < step->nreleases && k == 0; i++)
		k = add_release(s, &sc->releases.v[i], most);
	map_foreach(e, &s->packages) {
		struct package *p = e->value;

		qsort(p->releases, p->nreleases, sizeof(*p->releases), by_version);
		for (size_t i = p->nreleases; i-- > 0;)
			if (p->ntags == 0 && (!v->is_prerelease(p->releases[i].parsed) || i == 0))
				add_tag(p, (struct dist_tag){ STR("latest"),
					p->releases[i].version });
	}
	for (size_t i = 0; i < step->ntags && k == 0; i++) {
		struct package *p = package_of(s, sc->tags.v[i].name, most);

		if (!p)
			return -ENOMEM;
		add_tag(p, sc->tags.v[i].tag);
	}
	return k;
}

void scenario_source_done(struct scenario_source *s)
{
	map_done(&s->packages);
	map_done(&s->asked);
	vec_done(&s->hinted);
	arena_done(&s->arena);
}

static void source_hint(void *data, const struct ecosystem *e, struct str name)
{
	struct scenario_source *s = data;

	(void)vec_push(&s->hinted, arena_str(&s->arena, name));
}

static int source_get(void *data, const struct ecosystem *e, struct str name,
	const struct package **ret, struct diag *d)
{
	struct scenario_source *s = data;
	const struct package *p = map_get(&s->packages, name);

	if (!p)
		return diag_fail(d, -ERR_NO_PACKAGE, "no package %.*s", STR_ARG(name));
	*ret = p;
	return 0;
}

static bool source_next(void *data, const struct ecosystem **ret_e, struct str *ret_name)
{
	struct scenario_source *s = data;
	size_t i;

	if (s->hinted.n == 0)
		return false;
	i = draw(&s->seed) % s->hinted.n;
	*ret_e = ecosystem_find(STR("npm"));
	*ret_name = s->hinted.v[i];
	s->hinted.v[i] = s->hinted.v[--s->hinted.n];
	return true;
}

struct resolve_source scenario_source_of(struct scenario_source *s)
{
	return (struct resolve_source){ .hint = source_hint, .get = source_get,
		.next = s->seed ? source_next : NULL, .data = s };
}
