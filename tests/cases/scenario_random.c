// SPDX-License-Identifier: GPL-2.0-or-later
/* Registries that nobody would think of: few names, so that everything gets in everything's way. */
#include "scenario.h"

#include <errno.h>

#define NAMES 10

static unsigned draw(uint64_t *seed, unsigned n)
{
	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z ^ z >> 31) % n);
}

static struct str any_name(struct arena *a, uint64_t *seed)
{
	return arena_fmt(a, "p%u", draw(seed, NAMES));
}

/* Every major has its x.0.0; only other exact versions may be missing. */
static struct str any_requirement(struct arena *a, uint64_t *seed, bool met)
{
	unsigned major = 1 + draw(seed, 3), minor = draw(seed, 3);

	switch (draw(seed, 8)) {
	case 0:
	case 1:
		return STR("*");
	case 2:
		return arena_fmt(a, "~%u.0.0", major);
	case 3:
		return arena_fmt(a, "%u.%u.0", major, met || draw(seed, 6) ? 0 : minor);
	case 4:
		return arena_fmt(a, ">=%u", major);
	default:
		return arena_fmt(a, "^%u", major);
	}
}

static int add_dependencies(struct arena *a, struct scenario_release *x, uint64_t *seed, bool met)
{
	static const enum dependency_kind kinds[] = { DEPENDENCY_NORMAL, DEPENDENCY_NORMAL,
		DEPENDENCY_NORMAL, DEPENDENCY_OPTIONAL, DEPENDENCY_PEER, DEPENDENCY_PEER,
		DEPENDENCY_PEER_OPTIONAL };
	unsigned n = draw(seed, 4);

	for (unsigned i = 0; i < n; i++) {
		struct dependency d = { .alias = any_name(a, seed),
			.requirement = any_requirement(a, seed, met),
			.kind = kinds[draw(seed, ARRAY_SIZE(kinds))] };
		bool twice = false;

		d.name = draw(seed, 12) ? d.alias : any_name(a, seed);
		vec_foreach(other, &x->dependencies)
			twice |= str_eq(other->alias, d.alias);
		if (!twice && vec_push(&x->dependencies, d) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_package(struct arena *a, struct scenario *s, unsigned name, uint64_t *seed,
	bool met)
{
	for (unsigned major = 1; major <= 3; major++)
		for (unsigned minor = 0; minor < 3; minor++) {
			struct scenario_release x = { .release.published = -1 };

			if (minor && draw(seed, 3))
				continue;
			x.name = arena_fmt(a, "p%u", name);
			x.release.version = arena_fmt(a, "%u.%u.0", major, minor);
			x.release.url = arena_fmt(a, "https://registry.example/p%u-%u.%u.0.tgz", name,
				major, minor);
			x.release.integrity = scenario_integrity(a, x.name, x.release.version);
			if (add_dependencies(a, &x, seed, met) < 0 || vec_push(&s->releases, x) < 0)
				return -ENOMEM;
		}
	return 0;
}

static int add_step(struct arena *a, struct scenario *s, uint64_t *seed)
{
	struct step st = { .manifest.name = STR("app") };
	unsigned n = 1 + draw(seed, 4);

	for (unsigned i = 0; i < n; i++) {
		struct manifest_dependency d = { .ecosystem = STR("npm"),
			.name = arena_fmt(a, "p%u", i * 3 % NAMES),
			.requirement = any_requirement(a, seed, false) };

		if (vec_push(&st.dependencies, d) < 0)
			return -ENOMEM;
	}
	if (draw(seed, 4) == 0) {
		struct manifest_override o = { .ecosystem = STR("npm"), .target = any_name(a, seed),
			.requirement = any_requirement(a, seed, true) };

		o.parents = arena_newn(a, struct str, 2);
		if (!o.parents)
			return -ENOMEM;
		o.nparents = 1 + draw(seed, 2);
		o.parents[0] = any_name(a, seed);
		o.parents[1] = any_name(a, seed);
		if (vec_push(&st.overrides, o) < 0)
			return -ENOMEM;
	}
	if (vec_push(&st.update, any_name(a, seed)) < 0)
		return -ENOMEM;
	/* The first step knows only a part of the registry: the second finds new versions. */
	st.nreleases = s->releases.n;
	while (s->steps.n == 0 &&
		!str_ends(s->releases.v[st.nreleases - 1].release.version, STR(".0.0")))
		st.nreleases--;
	return vec_push(&s->steps, st);
}

int scenario_random(struct scenario_file *f, uint64_t seed, bool met)
{
	struct scenario *s;
	int k = vec_push(&f->scenarios, (struct scenario){ 0 });

	if (k < 0)
		return k;
	s = &f->scenarios.v[f->scenarios.n - 1];
	s->title = arena_fmt(&f->arena, "made from %ju", (uintmax_t)seed);
	for (unsigned i = 0; i < NAMES && k == 0; i++)
		k = add_package(&f->arena, s, i, &seed, met);
	for (unsigned i = 0; i < 2 && k == 0; i++)
		k = add_step(&f->arena, s, &seed);
	vec_foreach(st, &s->steps) {
		st->manifest.dependencies = st->dependencies.v;
		st->manifest.ndependencies = st->dependencies.n;
		st->manifest.overrides = st->overrides.v;
		st->manifest.noverrides = st->overrides.n;
	}
	return k;
}

static void print_dependency(const struct dependency *d, struct buf *ret)
{
	static const char *const kinds[] = { [DEPENDENCY_NORMAL] = "",
		[DEPENDENCY_OPTIONAL] = "optional ", [DEPENDENCY_PEER] = "peer ",
		[DEPENDENCY_PEER_OPTIONAL] = "peer? " };

	(void)buf_addf(ret, "    %s%.*s ", kinds[d->kind], STR_ARG(d->alias));
	if (!str_eq(d->alias, d->name))
		(void)buf_addf(ret, "npm:%.*s@", STR_ARG(d->name));
	(void)buf_addf(ret, "%.*s\n", STR_ARG(d->requirement));
}

static void print_manifest(const struct step *st, struct buf *ret)
{
	(void)buf_adds(ret, "manifest\n");
	vec_foreach(d, &st->dependencies)
		(void)buf_addf(ret, "  %.*s %.*s\n", STR_ARG(d->name), STR_ARG(d->requirement));
	vec_foreach(o, &st->overrides) {
		(void)buf_adds(ret, "  override ");
		for (size_t i = 0; i < o->nparents; i++)
			(void)buf_addf(ret, "%.*s > ", STR_ARG(o->parents[i]));
		(void)buf_addf(ret, "%.*s = %.*s\n", STR_ARG(o->target), STR_ARG(o->requirement));
	}
	vec_foreach(u, &st->update)
		(void)buf_addf(ret, "update %.*s\n", STR_ARG(*u));
}

void scenario_write(const struct scenario *s, struct buf *ret)
{
	size_t at = 0;

	vec_foreach(st, &s->steps) {
		(void)buf_adds(ret, st == s->steps.v ? "registry\n" : "then\nregistry\n");
		for (; at < st->nreleases; at++) {
			const struct scenario_release *x = &s->releases.v[at];

			(void)buf_addf(ret, "  %.*s %.*s\n", STR_ARG(x->name),
				STR_ARG(x->release.version));
			vec_foreach(d, &x->dependencies)
				print_dependency(d, ret);
		}
		print_manifest(st, ret);
	}
}
