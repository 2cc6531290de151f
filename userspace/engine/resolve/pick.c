// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which release: the one locked, else one that is chosen already, else what npm would take
 * (https://github.com/npm/npm-pick-manifest): the `latest` tag's where it satisfies and is not
 * deprecated, else the highest, with deprecated ones and those for other versions of node last.
 */
#include "engine/resolve/resolve-priv.h"

const struct release *release_find(const struct package *p, struct str version)
{
	for (size_t i = p->nreleases; i-- > 0;)
		if (str_eq(p->releases[i].version, version))
			return &p->releases[i];
	return NULL;
}

const struct release *release_tagged(const struct package *p, struct str tag)
{
	for (size_t i = 0; i < p->ntags; i++)
		if (str_eq(p->tags[i].name, tag))
			return release_find(p, p->tags[i].version);
	return NULL;
}

bool need_matches(const struct need *need, const struct release *release)
{
	if (need->any || !release->parsed)
		return true;
	if (need->requirement)
		return need->pkg->e->versions->matches(need->requirement, release->parsed);
	/* Only a peer that is there already can be asked this without the metadata. */
	if (need->elsewhere || !need->pkg->meta)
		return true;
	return release_tagged(need->pkg->meta, need->text) == release;
}

static bool is_locked(const struct pkg *pkg, struct str version)
{
	vec_foreach(p, &pkg->locked)
		if (str_eq((*p)->version, version))
			return true;
	return false;
}

bool release_old_enough(const struct resolver *r, const struct pkg *pkg,
	const struct release *release)
{
	if (r->m->minimum_age <= 0 || is_locked(pkg, release->version))
		return true;
	if (release->published < 0)
		return r->m->allow_missing_time;
	return release->published <= r->o->now - r->m->minimum_age * 1000;
}

bool release_fits_node(const struct resolver *r, const struct pkg *pkg,
	const struct release *release)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const struct version_scheme *v = pkg->e->versions;
	struct requirement *q;

	if (!r->node_version || !str_is(str_from(pkg->e->name), "npm") ||
		release_load(pkg->meta, release, NULL) < 0 || release->engines.n == 0)
		return true;
	return v->requirement(&a, release->engines, VERSION_LOOSE | VERSION_PRERELEASE, &q) < 0 ||
		v->matches(q, r->node_version);
}

/* Higher is better: all is well, only deprecated, for another node, both. */
static int merit(const struct resolver *r, const struct pkg *pkg, const struct release *release)
{
	return (release_fits_node(r, pkg, release) ? 2 : 0) + (release->deprecated.n ? 0 : 1);
}

static bool all_match(struct need *const *needs, size_t n, const struct release *release)
{
	for (size_t i = 0; i < n; i++)
		if (!need_matches(needs[i], release))
			return false;
	return true;
}

/* A tag means its version; while that is too new, the highest below it, as npm's --before. */
static const struct release *tagged_fresh(const struct resolver *r, const struct need *need)
{
	const struct package *p = need->pkg->meta;
	const struct release *tagged = release_tagged(p, need->text);
	const struct version_scheme *v = need->pkg->e->versions;

	if (!tagged || release_old_enough(r, need->pkg, tagged))
		return tagged;
	for (const struct release *x = tagged; x-- > p->releases;)
		if (release_old_enough(r, need->pkg, x) &&
			v->is_prerelease(x->parsed) <= v->is_prerelease(tagged->parsed))
			return x;
	return NULL;
}

static const struct release *fresh_for(const struct resolver *r, struct need *const *needs, size_t n)
{
	const struct pkg *pkg = needs[0]->pkg;
	const struct package *p = pkg->meta;
	const struct release *best = release_tagged(p, STR("latest"));
	int best_merit = 0, m;

	if (best && all_match(needs, n, best) && release_old_enough(r, pkg, best) &&
		merit(r, pkg, best) == 3)
		return best;
	best = NULL;
	for (const struct release *x = p->releases + p->nreleases; x-- > p->releases;) {
		if (!all_match(needs, n, x) || !release_old_enough(r, pkg, x))
			continue;
		m = merit(r, pkg, x);
		if (!best || m > best_merit) {
			best = x;
			best_merit = m;
		}
		if (m == 3)
			break;
	}
	return best;
}

const struct release *need_fresh(const struct resolver *r, struct need *need)
{
	if (!need->picked) {
		need->fresh = need->requirement || need->any ? fresh_for(r, &need, 1) :
							       tagged_fresh(r, need);
		need->picked = true;
	}
	return need->fresh;
}

/* The highest of those chosen already, or else of those locked, that all needs take. */
static const struct release *reuse(struct need *const *needs, size_t n)
{
	const struct pkg *pkg = needs[0]->pkg;
	const struct release *best = NULL, *x;

	vec_foreach(p, &pkg->nodes)
		if ((*p)->live && !(*p)->failed && (!best || (*p)->release > best) &&
			all_match(needs, n, (*p)->release))
			best = (*p)->release;
	if (best)
		return best;
	vec_foreach(p, &pkg->locked) {
		x = release_find(pkg->meta, (*p)->version);
		if (x && x > best && all_match(needs, n, x))
			best = x;
	}
	return best;
}

/* What the lockfile before says of this very edge. It may say what a tag no longer does. */
static const struct release *locked_target(const struct resolver *r, const struct node *from,
	const struct edge *e, const struct lock_package **ret)
{
	const struct pkg *pkg = e->need->pkg;
	const struct lock_package *to = NULL;
	const struct release *x;
	bool same = false;

	if (from == r->root) {
		const struct lockfile *l = r->o->locked;

		for (size_t i = 0; l && l->nroots && i < l->roots[0].ndependencies; i++) {
			const struct lock_root_edge *le = &l->roots[0].dependencies[i];

			if (!str_eq(le->name, e->alias))
				continue;
			to = le->package;
			same = str_eq(str_trim(le->requirement), e->need->text);
		}
	} else if (from->locked) {
		same = true;
		for (size_t i = 0; i < from->locked->ndependencies; i++)
			if (str_eq(from->locked->dependencies[i].name, e->alias))
				to = from->locked->dependencies[i].package;
	}
	if (!to || !is_locked(pkg, to->version) || !str_eq(to->name, pkg->name))
		return NULL;
	x = release_find(pkg->meta, to->version);
	if (!x || !(need_matches(e->need, x) || (same && !e->need->requirement)))
		return NULL;
	*ret = to;
	return x;
}

const struct release *pick_for_edge(const struct resolver *r, const struct node *from,
	struct edge *e)
{
	const struct release *x = locked_target(r, from, e, &e->locked);

	if (!x)
		x = reuse(&e->need, 1);
	return x ? x : need_fresh(r, e->need);
}

const struct release *pick_locked(const struct resolver *r, const struct pkg *pkg,
	struct str version, struct need *const *needs, size_t n, const struct release *best)
{
	const struct release *x = release_find(pkg->meta, version);

	return x && (!best || x > best) && is_locked(pkg, version) && all_match(needs, n, x) ? x : best;
}

const struct release *pick_for_all(const struct resolver *r, struct need *const *needs, size_t n)
{
	const struct release *x = reuse(needs, n);

	if (!x && n == 1)
		return need_fresh(r, needs[0]);
	return x ? x : fresh_for(r, needs, n);
}
