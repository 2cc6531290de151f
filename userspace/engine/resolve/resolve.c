// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/resolve/resolve-priv.h"

#define REPEATS_MAX 4

static int index_locked(struct resolver *r)
{
	const struct lockfile *l = r->o->locked;

	for (size_t i = 0; l && i < l->npackages; i++) {
		struct lock_package *p = l->packages[i];
		struct str key = arena_fmt(&r->arena, "%.*s:%.*s", STR_ARG(p->ecosystem),
			STR_ARG(p->name));
		struct map_entry *entry = key.p ? map_entry(&r->locked_names, key) : NULL;

		if (!entry)
			return -ENOMEM;
		if (!entry->value)
			entry->value = p;
	}
	return 0;
}

/* What engines are compared with: the pinned version, or of a plain range ("20", "^20.1", "20.x") the
 * last that it could be. Of other ranges nothing is known. */
static void find_node_version(struct resolver *r)
{
	const struct ecosystem *e = ecosystem_find(STR("npm"));
	struct str said = str_trim(r->m->node);
	size_t n = 0, from;

	if (!e || said.n == 0 ||
		e->versions->parse(&r->arena, said, VERSION_LOOSE, &r->node_version) == 0)
		return;
	r->node_version = NULL;
	while (n < said.n && memchr("^>=v", said.p[n], 4))
		n++;
	from = n;
	while (n < said.n && said.p[n] >= '0' && said.p[n] <= '9')
		n++;
	for (size_t i = n; i < said.n; i++)
		if (!memchr("0123456789.xX*", said.p[i], 14))
			return;
	if (n > from)
		(void)e->versions->parse(&r->arena, arena_fmt(&r->arena, "%.*s.999.999",
			(int)(n - from), said.p + from), VERSION_LOOSE, &r->node_version);
}

/* Metadata, choices, and peers, until no peer is missing. */
static int settle(struct resolver *r)
{
	bool more = true;
	int k = root_start(r);

	for (int round = 0; more && k == 0; round++) {
		if (round == RESOLVE_ROUNDS_MAX)
			return diag_fail(r->d, -ERR_LIMIT,
				"peers bring further peers without end (%d rounds)", round);
		k = graph_expand(r);
		if (k == 0)
			k = graph_prune(r);
		if (k == 0)
			k = dedupe(r);
		if (k == 0)
			k = peers_resolve(r, &more);
	}
	return k;
}

static void resolver_done(struct resolver *r)
{
	map_foreach(entry, &r->pkgs) {
		struct pkg *pkg = entry->value;

		if (!pkg)
			continue;
		vec_done(&pkg->needs);
		vec_done(&pkg->nodes);
		vec_done(&pkg->before);
		vec_done(&pkg->locked);
	}
	map_foreach(entry, &r->peer_names) {
		struct added *a = entry->value;

		vec_done(&a->asks);
		vec_done(&a->asked);
		vec_done(&a->edges);
	}
	extensions_done(&r->extensions);
	map_done(&r->pkgs);
	map_done(&r->needs);
	map_done(&r->locked_names);
	map_done(&r->peer_names);
	map_done(&r->copies_by_key);
	buf_done(&r->key);
	vec_done(&r->nodes);
	vec_done(&r->queue);
	vec_done(&r->left_out);
	vec_done(&r->ahead);
	vec_done(&r->copies);
	arena_done(&r->round);
	arena_done(&r->arena);
}

static int nothing_fits(const struct pkg *pkg, const struct dependency *dep, struct diag *d)
{
	const struct release *latest = release_tagged(pkg->meta, STR("latest"));

	diag_fail(d, -ERR_UNSATISFIABLE, "no version of %.*s satisfies \"%.*s\"",
		STR_ARG(pkg->name), STR_ARG(dep->requirement));
	return latest ? diag_hint(d, "its latest is %.*s", STR_ARG(latest->version)) :
			-ERR_UNSATISFIABLE;
}

int resolve_best(const struct manifest *m, const struct resolve_source *source, int64_t now,
	const struct ecosystem *e, const struct dependency *dep, const struct release **ret,
	struct diag *d)
{
	struct resolve_options o = { .now = now };
	_cleanup_(resolver_done) struct resolver r = {
		.m = m, .source = source, .o = &o, .d = d,
	};
	struct pkg *pkg = pkg_get(&r, e, dep->name);
	struct need *need = pkg ? need_get(&r, pkg, dep->requirement) : NULL;
	int k = need ? source->get(source->data, e, dep->name, &pkg->meta, d) : -ENOMEM;

	if (k < 0)
		return k == -ENOMEM ? diag_errno(d, k, "resolving") : k;
	*ret = need_fresh(&r, need);
	return *ret ? 0 : nothing_fits(pkg, dep, d);
}

static void warnings_done(struct warnings *w)
{
	map_done(&w->texts);
	arena_done(&w->arena);
}

/* *ret_unsure: the lockfile alone does not tell what was chosen where, since a name was added for some
 * and is provided to others, or overrides differ from place to place. */
static int resolve_once(const struct manifest *m, const struct resolve_source *source,
	const struct resolve_options *o, struct warnings *w, struct lockfile **ret,
	bool *ret_unsure, struct diag *d)
{
	_cleanup_(resolver_done) struct resolver r = {
		.m = m, .source = source, .o = o, .warnings = w, .d = d,
	};
	int k = index_locked(&r);

	warnings_done(w);
	if (k == 0)
		k = overrides_init(&r);
	if (k == 0)
		k = extensions_init(&r.extensions, m, d);
	if (k < 0)
		return k;
	find_node_version(&r);
	k = settle(&r);
	if (left_out_tell(&r) < 0)
		k = -ENOMEM;
	if (k == 0)
		k = emit(&r, ret, ret_unsure);
	if (k == -ENOMEM)
		diag_fail(d, k, "out of memory while resolving");
	return k;
}

static bool same_text(const struct lockfile *a, const struct lockfile *b)
{
	_cleanup_buf_ struct buf x = BUF_INIT, y = BUF_INIT;

	return lockfile_print(a, &x) == 0 && lockfile_print(b, &y) == 0 &&
		str_eq(buf_str(&x), buf_str(&y));
}

/* What is resolved resolves to itself: where that is not plain it is tried. */
int resolve(const struct manifest *m, const struct resolve_source *source,
	const struct resolve_options *o, struct lockfile **ret, struct diag *d)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL, *again = NULL;
	_cleanup_(warnings_done) struct warnings w = { 0 };
	_cleanup_diag_ struct diag own = DIAG_INIT;
	struct resolve_options stay = *o;
	bool unsure = false, same = false;
	int k;

	d = d ? d : &own;
	k = resolve_once(m, source, o, &w, &l, &unsure, d);
	stay.update_all = false;
	stay.nupdate = 0;
	for (unsigned i = 1; k == 0 && unsure && !same && i <= REPEATS_MAX; i++) {
		stay.locked = l;
		k = resolve_once(m, source, &stay, &w, &again, &unsure, d);
		if (k < 0)
			break;
		same = same_text(l, again);
		lockfile_free(l);
		l = TAKE_PTR(again);
	}
	map_foreach(text, &w.texts) {
		void (*told)(void *data, const char *text) =
			(uintptr_t)text->value == TELL_DETAIL ? o->detail : o->warn;

		if (told)
			told(o->data, text->key.p);
	}
	if (k == 0)
		*ret = TAKE_PTR(l);
	return k;
}
