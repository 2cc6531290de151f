// SPDX-License-Identifier: GPL-2.0-or-later
/* What went wrong, in sentences: who needs what, what there is instead, and what to do. */
#include "engine/resolve/resolve-priv.h"

#define CHAIN_MAX 64

int place(struct resolver *r, struct toml_place at)
{
	if (r->m->doc && at.line)
		toml_where(r->m->doc, at, r->d);
	return r->d ? r->d->code : -ERR_MANIFEST;
}

_printf_(3, 0)
static void tell(struct resolver *r, enum telling how, const char *format, va_list ap)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_diag_ struct diag safe = DIAG_INIT;
	struct str lasting;

	/* What a registry says must not drive a terminal: a diagnostic sees to that. */
	if (buf_vaddf(&text, format, ap) < 0 || diag_fail(&safe, -1, "%s", buf_text(&text)) != -1 ||
		map_get(&r->warnings->texts, buf_str(&safe.what)))
		return;
	lasting = arena_str(&r->warnings->arena, buf_str(&safe.what));
	if (lasting.p)
		(void)map_put(&r->warnings->texts, lasting, (void *)(uintptr_t)how);
}

void warn(struct resolver *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(r, TELL_WARNING, format, ap);
	va_end(ap);
}

void detail(struct resolver *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(r, TELL_DETAIL, format, ap);
	va_end(ap);
}

void explain_node(struct buf *b, const struct resolver *r, const struct node *n)
{
	if (n && n->pkg)
		(void)buf_addf(b, "%.*s %.*s", STR_ARG(n->pkg->name), STR_ARG(n->release->version));
	else if (r->m->name.n)
		(void)buf_addstr(b, r->m->name);
	else
		(void)buf_adds(b, "the project");
}

static void explain_need(struct buf *b, const struct edge *e)
{
	bool aliased = !str_eq(e->alias, e->need->pkg->name);

	(void)buf_adds(b, e->kind == DEPENDENCY_PEER ? " has the peer " : " needs ");
	if (aliased)
		(void)buf_addf(b, "%.*s, which is ", STR_ARG(e->alias));
	(void)buf_addstr(b, e->need->pkg->name);
	if (e->need->text.n)
		(void)buf_addf(b, " %.*s", STR_ARG(e->need->text));
}

void explain_chain(struct buf *b, const struct resolver *r, const struct node *n,
	const struct edge *e)
{
	const struct node *way[CHAIN_MAX];
	const struct node *x = n;
	size_t depth = 0;

	for (; x && depth < CHAIN_MAX; x = x->parent)
		way[depth++] = x;
	if (x)
		(void)buf_adds(b, "…");
	while (depth-- > 0) {
		const struct edge *step = depth ? way[depth - 1]->by : e;

		if (!step)
			break;
		if (b->len)
			(void)buf_adds(b, ", ");
		explain_node(b, r, way[depth]);
		explain_need(b, step);
	}
}

/* "1.0.0, 1.1.0, 1.2.0 … 3.1.0" */
static void list_versions(struct buf *b, const struct package *p)
{
	size_t n = p->nreleases;

	for (size_t i = 0; i < n; i++) {
		if (n > 5 && i == 3) {
			(void)buf_adds(b, " … ");
			i = n - 1;
		} else if (i) {
			(void)buf_adds(b, ", ");
		}
		(void)buf_addstr(b, p->releases[i].version);
	}
}

/* The first version that a requirement's text names, "2" and "2.1" among them, or NULL. */
static struct version *first_named(const struct need *need, struct arena *a)
{
	static const char *const rest[] = { "", ".0", ".0.0" };
	struct str t = need->text;
	struct version *v;

	for (size_t from = 0, to; from < t.n; from = to + 1) {
		to = from;
		while (to < t.n && !memchr(" <>=|,~^xX*", t.p[to], 11))
			to++;
		for (size_t i = 0; i < ARRAY_SIZE(rest) && to > from; i++)
			if (need->pkg->e->versions->parse(a, arena_fmt(a, "%.*s%s", (int)(to - from),
				    t.p + from, rest[i]), VERSION_LOOSE, &v) == 0)
				return v;
	}
	return NULL;
}

/* The highest version below what was asked for, else the lowest above. */
static const struct release *nearest(const struct need *need)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const struct version_scheme *s = need->pkg->e->versions;
	const struct package *p = need->pkg->meta;
	const struct version *want = first_named(need, &a);
	const struct release *best = release_tagged(p, STR("latest"));
	bool pre;

	if (!want)
		return best;
	pre = s->is_prerelease(want);
	best = NULL;
	for (const struct release *x = p->releases; x < p->releases + p->nreleases; x++) {
		if (s->is_prerelease(x->parsed) && !pre)
			continue;
		if (s->compare(x->parsed, want) > 0)
			return best ? best : x;
		best = x;
	}
	return best;
}

static void nearer(struct str name, struct str other, size_t *best, struct str *ret)
{
	size_t d = str_distance(name, other);

	if (d > 0 && d < *best) {
		*best = d;
		*ret = other;
	}
}

/* What the name may be a slip for, of all that is known here. */
static int hint_name(struct resolver *r, struct str name)
{
	const struct lockfile *l = r->o->locked;
	size_t best = name.n < 5 ? 2 : 3;
	struct str close = { 0 };

	for (size_t i = 0; i < r->m->ndependencies; i++)
		nearer(name, r->m->dependencies[i].name, &best, &close);
	for (size_t i = 0; l && i < l->npackages; i++)
		nearer(name, l->packages[i]->name, &best, &close);
	vec_foreach(p, &r->nodes)
		if ((*p)->pkg)
			nearer(name, (*p)->pkg->name, &best, &close);
	if (close.n)
		return diag_hint(r->d, "is %.*s meant?", STR_ARG(close));
	return diag_hint(r->d, "check the spelling%s", name.p[0] == '@' ?
		", and that [registries] names the registry of this scope" : "");
}

static int fail_missing(struct resolver *r, const struct need *need, const char *way)
{
	_cleanup_diag_ struct diag asked = DIAG_INIT;
	const struct package *p;

	diag_fail(r->d, -ERR_NO_PACKAGE, "%s, but the registry has no package %.*s", way,
		STR_ARG(need->pkg->name));
	/* Where it was looked for, which is what is wrong when a scope's registry is not set. */
	if (r->source->get(r->source->data, need->pkg->e, need->pkg->name, &p, &asked) < 0 &&
			asked.where.len)
		(void)diag_where(r->d, "%s", buf_text(&asked.where));
	(void)hint_name(r, need->pkg->name);
	return -ERR_NO_PACKAGE;
}

static int fail_unsatisfied(struct resolver *r, const struct need *need, const char *way)
{
	_cleanup_buf_ struct buf have = BUF_INIT;
	const struct package *p = need->pkg->meta;
	const struct release *near, *latest = release_tagged(p, STR("latest"));

	if (p->nreleases == 0) {
		diag_fail(r->d, -ERR_UNSATISFIABLE, "%s, but %.*s has no versions", way,
			STR_ARG(need->pkg->name));
		(void)hint_name(r, need->pkg->name);
		return -ERR_UNSATISFIABLE;
	}
	list_versions(&have, p);
	diag_fail(r->d, -ERR_UNSATISFIABLE, "%s, but %.*s has %s", way, STR_ARG(need->pkg->name),
		buf_text(&have));
	near = nearest(need);
	if (near && near != latest && latest)
		return diag_hint(r->d, "the nearest version is %.*s, the latest %.*s",
			STR_ARG(near->version), STR_ARG(latest->version));
	if (near)
		return diag_hint(r->d, "the nearest version is %.*s", STR_ARG(near->version));
	return -ERR_UNSATISFIABLE;
}

/* The ecosystem says what it is instead. */
static int fail_elsewhere(struct resolver *r, const struct edge *e, const char *way)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_diag_ struct diag why = DIAG_INIT;
	struct dependency dep;

	(void)e->need->pkg->e->requirement_parse(e->alias, e->need->text, &a, &dep, &why);
	diag_fail(r->d, -ERR_REQUIREMENT, "%s, but %s", way, buf_text(&why.what));
	return diag_hint(r->d, "an override can put a version that the registry has in its place");
}

static int fail_tag(struct resolver *r, const struct need *need, const char *way)
{
	_cleanup_buf_ struct buf tags = BUF_INIT;
	const struct package *p = need->pkg->meta;

	for (size_t i = 0; i < p->ntags && i < 10; i++)
		(void)buf_addf(&tags, "%s%.*s", i ? ", " : "", STR_ARG(p->tags[i].name));
	diag_fail(r->d, -ERR_UNSATISFIABLE, "%s, but %.*s has no tag '%.*s'", way,
		STR_ARG(need->pkg->name), STR_ARG(need->text));
	return tags.len ? diag_hint(r->d, "its tags: %s", buf_text(&tags)) : -ERR_UNSATISFIABLE;
}

static void add_age(struct buf *b, int64_t ms)
{
	int64_t minutes = ms / 60000;

	if (minutes >= 2 * 24 * 60)
		(void)buf_addf(b, "%jd days", (intmax_t)(minutes / (24 * 60)));
	else if (minutes >= 2 * 60)
		(void)buf_addf(b, "%jd hours", (intmax_t)(minutes / 60));
	else
		(void)buf_addf(b, "%jd minutes", (intmax_t)minutes);
}

static const struct release *highest_match(const struct need *need)
{
	const struct package *p = need->pkg->meta;

	for (const struct release *x = p->releases + p->nreleases; x-- > p->releases;)
		if (need_matches(need, x))
			return x;
	return NULL;
}

/* The version published last of those that are old enough. */
static const struct release *youngest_old_enough(const struct resolver *r, const struct pkg *pkg)
{
	const struct package *p = pkg->meta;
	const struct release *best = NULL;

	for (const struct release *x = p->releases; x < p->releases + p->nreleases; x++)
		if (release_old_enough(r, pkg, x) && (!best || x->published >= best->published))
			best = x;
	return best;
}

static int fail_too_new(struct resolver *r, const struct need *need, const struct release *match,
	const char *way)
{
	const struct release *old = youngest_old_enough(r, need->pkg);
	_cleanup_buf_ struct buf age = BUF_INIT, limit = BUF_INIT, left = BUF_INIT;

	if (match->published < 0) {
		diag_fail(r->d, -ERR_TOO_NEW, "%s, but the registry does not say when %.*s %.*s was "
			"published, and minimum-age wants to know", way, STR_ARG(need->pkg->name),
			STR_ARG(match->version));
		return diag_hint(r->d, "set allow-missing-time = true in [install] to let such "
				       "versions pass");
	}
	add_age(&age, r->o->now - match->published);
	add_age(&limit, r->m->minimum_age * 1000);
	add_age(&left, match->published + r->m->minimum_age * 1000 - r->o->now);
	diag_fail(r->d, -ERR_TOO_NEW, "%s, but %.*s %.*s is %s old, and minimum-age is %s", way,
		STR_ARG(need->pkg->name), STR_ARG(match->version), buf_text(&age), buf_text(&limit));
	if (old)
		return diag_hint(r->d, "the youngest version that is old enough is %.*s: ask for "
			"that, lower minimum-age in [install], or wait %s",
			STR_ARG(old->version), buf_text(&left));
	return diag_hint(r->d, "no version is old enough: lower minimum-age in [install], or wait %s",
		buf_text(&left));
}

int explain_edge(struct resolver *r, const struct node *from, const struct edge *e)
{
	_cleanup_buf_ struct buf way = BUF_INIT;
	const struct need *need = e->need;
	const struct release *match;

	explain_chain(&way, r, from, e);
	if (need->elsewhere)
		return fail_elsewhere(r, e, buf_text(&way));
	if (need->pkg->missing)
		return fail_missing(r, need, buf_text(&way));
	match = highest_match(need);
	if (match)
		return fail_too_new(r, need, match, buf_text(&way));
	if (!need->requirement && !need->any)
		return fail_tag(r, need, buf_text(&way));
	return fail_unsatisfied(r, need, buf_text(&way));
}

static void peer_sentence(struct resolver *r, struct buf *b, const struct copy *c,
	const struct peer *p)
{
	explain_node(b, r, c->node);
	(void)buf_addf(b, " has the peer %.*s %.*s, but ", STR_ARG(p->alias),
		STR_ARG(p->need->text));
}

/* The highest version of the package whose peer takes what is there. */
static const struct release *that_accepts(struct resolver *r, const struct copy *c,
	const struct peer *p, const struct release *there)
{
	const struct package *meta = c->node->pkg->meta;

	for (const struct release *x = meta->releases + meta->nreleases; x-- > meta->releases;) {
		const struct version_scheme *v = c->node->pkg->e->versions;

		if (v->is_prerelease(x->parsed) || x->deprecated.n)
			continue;
		if (release_load(meta, x, NULL) < 0)
			continue;
		for (size_t i = 0; i < x->ndependencies; i++) {
			const struct dependency *dep = &x->dependencies[i];
			_cleanup_arena_ struct arena a = ARENA_INIT;
			struct requirement *q;

			if (dep->kind == DEPENDENCY_PEER && str_eq(dep->alias, p->alias) &&
				v->requirement(&a, dep->requirement, VERSION_LOOSE, &q) == 0 &&
				v->matches(q, there->parsed))
				return x;
		}
	}
	return NULL;
}

int explain_peer_conflict(struct resolver *r, const struct copy *c, const struct peer *p,
	const struct copy *provider)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const struct release *there = provider->node->release, *other;

	peer_sentence(r, &text, c, p);
	explain_node(&text, r, r->root);
	diag_fail(r->d, -ERR_UNSATISFIABLE, "%s itself depends on %.*s %.*s", buf_text(&text),
		STR_ARG(p->alias), STR_ARG(there->version));
	other = that_accepts(r, c, p, there);
	if (other)
		return diag_hint(r->d, "%.*s %.*s takes %.*s %.*s; or write { %.*s = \"$%.*s\" } for "
			"%.*s in [overrides.%s] to go on as it is", STR_ARG(c->node->pkg->name),
			STR_ARG(other->version), STR_ARG(p->alias), STR_ARG(there->version),
			STR_ARG(p->alias), STR_ARG(p->alias), STR_ARG(c->node->pkg->name),
			c->node->pkg->e->name);
	return diag_hint(r->d, "change one of the two, or write { %.*s = \"$%.*s\" } for %.*s in "
		"[overrides.%s] to go on as it is", STR_ARG(p->alias), STR_ARG(p->alias),
		STR_ARG(c->node->pkg->name), c->node->pkg->e->name);
}

void explain_peer_mismatch(struct resolver *r, const struct copy *c, const struct peer *p,
	const struct copy *provider)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	peer_sentence(r, &text, c, p);
	warn(r, "%s%.*s %.*s is what it gets", buf_text(&text), STR_ARG(p->alias),
		STR_ARG(provider->node->release->version));
}
