// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking ahead: the resolver proper goes by level and name, and so waits for one package while the
 * answers for others lie there. Here the requirements known for each answer that comes are followed
 * at once, as if nothing were locked or chosen, and what they lead to is hinted. A wrong guess costs
 * a request; it never shows in the result.
 */
#include "engine/resolve/resolve-priv.h"

static void tell_likely(const struct resolver *r, const struct pkg *pkg, const struct release *release)
{
	const struct resolve_options *o = r->o;

	if (o->likely && lock_platform_allows(&release->platform, &o->host))
		o->likely(o->likely_data, pkg->e, pkg->meta, release);
}

static void follow_release(struct resolver *r, const struct pkg *pkg, const struct release *release)
{
	/* Names without end must not be asked for without end. The nodes have a limit too. */
	if (r->needs.n > RESOLVE_NODES_MAX || release_load(pkg->meta, release, NULL) < 0)
		return;
	tell_likely(r, pkg, release);
	for (size_t i = 0; i < release->ndependencies; i++) {
		const struct dependency *dep = &release->dependencies[i];
		struct pkg *to;
		struct need *need;

		if (dep->kind == DEPENDENCY_PEER_OPTIONAL)
			continue;
		to = pkg_get(r, pkg->e, dep->name);
		need = to ? need_get(r, to, dep->requirement) : NULL;
		if (!need)
			return;
		need_hint(r, need);
		if (to->arrived && !need->looked)
			(void)vec_push(&r->ahead, need);
	}
}

/* The release by which the lockfile answers, else the fresh one. */
static const struct release *guess(const struct resolver *r, struct need *need)
{
	vec_foreach(p, &need->pkg->locked) {
		const struct release *x = release_find(need->pkg->meta, (*p)->version);

		if (x && need_matches(need, x))
			return x;
	}
	return need_fresh(r, need);
}

static void follow(struct resolver *r, struct need *need)
{
	struct pkg *pkg = need->pkg;
	const struct release *release;

	if (need->looked)
		return;
	need->looked = true;
	/* It has arrived: this does not wait. A failure is told when the package's turn comes. */
	if (!pkg->meta &&
		r->source->get(r->source->data, pkg->e, pkg->name, &pkg->meta, NULL) < 0)
		return;
	release = guess(r, need);
	if (release)
		follow_release(r, pkg, release);
}

void ahead_until(struct resolver *r, struct pkg *pkg)
{
	const struct ecosystem *e;
	struct str name;

	if (!pkg->hinted && r->source->hint)
		r->source->hint(r->source->data, pkg->e, pkg->name);
	pkg->hinted = true;
	while (r->source->next && !pkg->arrived && r->source->next(r->source->data, &e, &name)) {
		struct pkg *come = pkg_get(r, e, name);

		if (!come)
			return;
		come->arrived = true;
		vec_foreach(need, &come->needs)
			(void)vec_push(&r->ahead, *need);
		while (r->ahead.n)
			follow(r, r->ahead.v[--r->ahead.n]);
	}
}
