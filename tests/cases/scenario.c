// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include <errno.h>

#include "prim/err.h"

enum section { NO_SECTION, REGISTRY, MANIFEST, EXPECT };

struct reader {
	struct scenario_file *f;
	struct scenario *s;
	struct step *step;
	enum section section;
	unsigned line;
	const char *name;
	struct diag *d;
};

static int bad(struct reader *r, const char *what)
{
	diag_fail(r->d, -ERR_SYNTAX, "%s", what);
	return diag_where(r->d, "%s:%u", r->name, r->line);
}

static struct str word(struct str *rest)
{
	struct str w = str_cut(rest, ' ');

	*rest = rest->p ? str_trim(*rest) : (struct str){ "", 0 };
	return w;
}

/* "2024-01-31" to milliseconds; days from the civil date by Howard Hinnant's formula
 * (https://howardhinnant.github.io/date_algorithms.html). */
static int64_t date_ms(struct str s)
{
	uint64_t y = 0, m = 0, d = 0;
	int64_t era, doy, doe, year;

	if (str_u64(str_slice(s, 0, 4), &y) < 0 || str_u64(str_slice(s, 5, 7), &m) < 0 ||
		str_u64(str_slice(s, 8, 10), &d) < 0)
		return -1;
	year = (int64_t)y - (m <= 2);
	era = year / 400;
	doy = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;
	doe = (year - era * 400) * 365 + (year - era * 400) / 4 - (year - era * 400) / 100 + doy;
	return (era * 146097 + doe - 719468) * 86400000;
}

static int read_words(struct reader *r, struct str rest, struct str **ret, size_t *ret_n)
{
	*ret = arena_newn(&r->f->arena, struct str, rest.n + 1);
	if (!*ret)
		return -ENOMEM;
	while (rest.n)
		(*ret)[(*ret_n)++] = word(&rest);
	return 0;
}

static struct dependency make_dependency(struct str alias, struct str said,
	enum dependency_kind kind)
{
	struct dependency d = { .alias = alias, .name = alias, .requirement = said, .kind = kind };

	if (str_starts(said, STR("npm:"))) {
		size_t at = str_find(said, '@', 5);

		d.name = str_slice(said, 4, at);
		d.requirement = str_slice(said, at + 1, SIZE_MAX);
	}
	return d;
}

static int release_line(struct reader *r, struct str line)
{
	struct scenario_release *x = &r->s->releases.v[r->s->releases.n - 1];
	struct str first = word(&line);
	enum dependency_kind kind = DEPENDENCY_NORMAL;

	if (str_is(first, "os"))
		return read_words(r, line, &x->release.platform.os, &x->release.platform.nos);
	if (str_is(first, "cpu"))
		return read_words(r, line, &x->release.platform.cpu, &x->release.platform.ncpu);
	if (str_is(first, "libc"))
		return read_words(r, line, &x->release.platform.libc, &x->release.platform.nlibc);
	if (str_is(first, "bundles"))
		return read_words(r, line, &x->release.bundled, &x->release.nbundled);
	if (str_is(first, "node"))
		x->release.engines = line;
	else if (str_is(first, "deprecated"))
		x->release.deprecated = line;
	else if (str_is(first, "published"))
		x->release.published = date_ms(line);
	else if (str_is(first, "scripts"))
		x->release.scripts = true;
	else {
		if (str_is(first, "optional"))
			kind = DEPENDENCY_OPTIONAL;
		else if (str_is(first, "peer"))
			kind = DEPENDENCY_PEER;
		else if (str_is(first, "peer?"))
			kind = DEPENDENCY_PEER_OPTIONAL;
		if (kind != DEPENDENCY_NORMAL)
			first = word(&line);
		return vec_push(&x->dependencies, make_dependency(first, line, kind));
	}
	return 0;
}

struct str scenario_integrity(struct arena *a, struct str name, struct str version)
{
	struct str text = arena_fmt(a, "%.*s@%.*s", STR_ARG(name), STR_ARG(version));
	struct digest d = hash_bytes(text.p, text.n);
	char hex[DIGEST_HEX];

	return arena_fmt(a, "sha512-%s%.21sA==", digest_hex(&d, hex), hex);
}

static int registry_line(struct reader *r, struct str line)
{
	struct scenario_release x = { .release.published = -1 };
	struct str first = word(&line);

	if (str_is(first, "tag")) {
		struct str name = word(&line), tag = word(&line);

		return vec_push(&r->s->tags, (struct scenario_tag){ name, { tag, line } });
	}
	x.name = first;
	x.release.version = line;
	x.release.url = arena_fmt(&r->f->arena, "https://registry.example/%.*s-%.*s.tgz",
		STR_ARG(first), STR_ARG(line));
	x.release.integrity = scenario_integrity(&r->f->arena, first, line);
	return vec_push(&r->s->releases, x);
}

/* "a > b@1 = 2.0.0" */
static int override_line(struct reader *r, struct str line)
{
	struct manifest_override o = { .ecosystem = STR("npm") };
	size_t eq = str_find(line, '=', 0);
	struct str left = str_slice(line, 0, eq);

	while (eq + 1 < line.n && line.p[eq - 1] != ' ')
		eq = str_find(line, '=', eq + 1);
	left = str_slice(line, 0, eq);
	o.requirement = str_trim(str_slice(line, eq + 1, SIZE_MAX));
	o.parents = arena_newn(&r->f->arena, struct str, line.n);
	if (!o.parents)
		return -ENOMEM;
	for (struct str part; left.p;) {
		part = str_trim(str_cut(&left, '>'));
		if (left.p)
			o.parents[o.nparents++] = part;
		else
			o.target = part;
	}
	return vec_push(&r->step->overrides, o);
}

/* "a@<2 peer? b ^1": each line adds one. */
static int extend_line(struct reader *r, struct str line)
{
	struct manifest_extension x = { .ecosystem = STR("npm"), .nadds = 1 };
	enum dependency_kind kind = DEPENDENCY_NORMAL;
	struct str name;

	x.target = word(&line);
	name = word(&line);
	if (str_starts(name, STR("peer"))) {
		kind = str_is(name, "peer") ? DEPENDENCY_PEER : DEPENDENCY_PEER_OPTIONAL;
		name = word(&line);
	}
	x.adds = arena_new(&r->f->arena, struct manifest_dependency);
	if (!x.adds)
		return -ENOMEM;
	*x.adds = (struct manifest_dependency){ .ecosystem = x.ecosystem, .name = name,
		.requirement = line, .kind = kind };
	return vec_push(&r->step->extensions, x);
}

static int manifest_line(struct reader *r, struct str line)
{
	struct manifest_dependency d = { .ecosystem = STR("npm"), .kind = DEPENDENCY_NORMAL };
	struct manifest *m = &r->step->manifest;
	struct str first = word(&line);
	uint64_t days;

	if (str_is(first, "name"))
		return m->name = line, 0;
	if (str_is(first, "node"))
		return m->node = line, 0;
	if (str_is(first, "allow-missing-time"))
		return m->allow_missing_time = true, 0;
	if (str_is(first, "minimum-age")) {
		if (str_u64(line, &days) < 0)
			return bad(r, "days expected");
		m->minimum_age = (int64_t)days * 86400;
		return 0;
	}
	if (str_is(first, "override"))
		return override_line(r, line);
	if (str_is(first, "extend"))
		return extend_line(r, line);
	if (str_is(first, "dev") || str_is(first, "optional")) {
		d.kind = str_is(first, "dev") ? DEPENDENCY_DEV : DEPENDENCY_OPTIONAL;
		first = word(&line);
	}
	d.name = first;
	if (str_starts(line, STR("path ")))
		d.path = str_slice(line, 5, SIZE_MAX);
	else if (str_starts(line, STR("url ")))
		d.url = str_slice(line, 4, SIZE_MAX);
	else
		d.requirement = line;
	if (d.url.n)
		d.integrity = scenario_integrity(&r->f->arena, d.name, d.url);
	return vec_push(&r->step->dependencies, d);
}

/* A new step starts as a copy of the one before, but for what it says and expects. */
static int new_step(struct reader *r)
{
	struct step next = { .line = r->line };

	if (r->s->steps.n) {
		const struct step *before = &r->s->steps.v[r->s->steps.n - 1];

		next.now = before->now;
		next.manifest = before->manifest;
		vec_foreach(p, &before->dependencies)
			if (vec_push(&next.dependencies, *p) < 0)
				return -ENOMEM;
		vec_foreach(p, &before->overrides)
			if (vec_push(&next.overrides, *p) < 0)
				return -ENOMEM;
		vec_foreach(p, &before->extensions)
			if (vec_push(&next.extensions, *p) < 0)
				return -ENOMEM;
	}
	if (vec_push(&r->s->steps, next) < 0)
		return -ENOMEM;
	r->step = &r->s->steps.v[r->s->steps.n - 1];
	return 0;
}

static int outer_line(struct reader *r, struct str line)
{
	struct str first = word(&line);

	r->section = NO_SECTION;
	if (str_is(first, "registry"))
		return r->section = REGISTRY, 0;
	if (str_is(first, "manifest")) {
		r->section = MANIFEST;
		r->step->dependencies.n = r->step->overrides.n = r->step->extensions.n = 0;
		r->step->manifest = (struct manifest){ .name = STR("app") };
		return 0;
	}
	if (str_is(first, "expect"))
		return r->section = EXPECT, 0;
	if (str_is(first, "then"))
		return new_step(r);
	if (str_is(first, "now"))
		return r->step->now = date_ms(line), 0;
	if (str_is(first, "error"))
		return r->step->error = line, 0;
	if (str_is(first, "hint"))
		return r->step->hint = line, 0;
	if (str_is(first, "warning"))
		return vec_push(&r->step->warnings, line);
	if (!str_is(first, "update"))
		return bad(r, "unknown word");
	r->step->update_all = str_is(line, "all");
	while (line.n)
		if (vec_push(&r->step->update, word(&line)) < 0)
			return -ENOMEM;
	return 0;
}

static int read_line(struct reader *r, struct str line)
{
	size_t indent = 0;
	struct str text = str_trim(line);
	int k;

	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	if (text.n == 0 || text.p[0] == '#')
		return 0;
	if (str_starts(line, STR("== "))) {
		if (vec_push(&r->f->scenarios, (struct scenario){
				.title = str_slice(line, 3, SIZE_MAX) }) < 0)
			return -ENOMEM;
		r->s = &r->f->scenarios.v[r->f->scenarios.n - 1];
		r->section = NO_SECTION;
		return new_step(r);
	}
	if (!r->s)
		return bad(r, "a scenario starts with '== title'");
	if (indent == 0)
		return outer_line(r, text);
	if (r->section == REGISTRY) {
		k = indent > 2 && r->s->releases.n ? release_line(r, text) : registry_line(r, text);
		r->step->nreleases = r->s->releases.n;
		r->step->ntags = r->s->tags.n;
		return k;
	}
	if (r->section == MANIFEST)
		return manifest_line(r, text);
	return r->section == EXPECT ? vec_push(&r->step->expect, text) : bad(r, "not in a section");
}

int scenario_read(struct scenario_file *f, struct str text, const char *name, struct diag *d)
{
	struct reader r = { .f = f, .name = name, .d = d };
	int k = 0;

	while (text.p && k == 0) {
		struct str line = str_cut(&text, '\n');

		r.line++;
		k = read_line(&r, line);
	}
	vec_foreach(s, &f->scenarios)
		for (size_t i = 0; i < s->steps.n; i++) {
			struct step *st = &s->steps.v[i];

			if (st->nreleases == 0 && i) {
				st->nreleases = s->steps.v[i - 1].nreleases;
				st->ntags = s->steps.v[i - 1].ntags;
			}
			st->manifest.dependencies = st->dependencies.v;
			st->manifest.ndependencies = st->dependencies.n;
			st->manifest.overrides = st->overrides.v;
			st->manifest.noverrides = st->overrides.n;
			st->manifest.extensions = st->extensions.v;
			st->manifest.nextensions = st->extensions.n;
		}
	return k;
}

void scenario_done(struct scenario_file *f)
{
	vec_foreach(s, &f->scenarios) {
		vec_foreach(x, &s->releases)
			vec_done(&x->dependencies);
		vec_foreach(st, &s->steps) {
			vec_done(&st->dependencies);
			vec_done(&st->overrides);
			vec_done(&st->extensions);
			vec_done(&st->update);
			vec_done(&st->expect);
			vec_done(&st->warnings);
		}
		vec_done(&s->releases);
		vec_done(&s->tags);
		vec_done(&s->steps);
	}
	vec_done(&f->scenarios);
	arena_done(&f->arena);
}

/* "app: a 1.0.0, dev b 1.2.0": copies get their numbers in the order in which they are met. */
struct printer {
	const struct lockfile *l;
	unsigned *number;
	VEC(const struct lock_package *) queue;
};

static int meet(struct printer *p, const struct lock_package *to)
{
	unsigned most = 0;

	if (p->number[to->index])
		return 0;
	for (size_t i = 0; i < p->l->npackages; i++)
		if (str_eq(p->l->packages[i]->name, to->name) &&
			str_eq(p->l->packages[i]->version, to->version))
			most = MAX(most, p->number[i]);
	p->number[to->index] = most + 1;
	return vec_push(&p->queue, to);
}

static int number_all(struct printer *p)
{
	const struct lock_root *root = &p->l->roots[0];
	int k = 0;

	for (size_t i = 0; i < root->ndependencies && k == 0; i++)
		k = meet(p, root->dependencies[i].package);
	for (size_t i = 0; i < p->queue.n && k == 0; i++)
		for (size_t j = 0; j < p->queue.v[i]->ndependencies && k == 0; j++)
			k = meet(p, p->queue.v[i]->dependencies[j].package);
	return k;
}

static void print_package(const struct printer *p, const struct lock_package *x, struct buf *b)
{
	(void)buf_addf(b, "%.*s %.*s", STR_ARG(x->name), STR_ARG(x->version));
	if (x->peers_hash.n)
		(void)buf_addf(b, " #%u", p->number[x->index]);
}

static bool listed(const struct str *list, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], name))
			return true;
	return false;
}

static void print_edge(const struct printer *p, struct str alias, const struct lock_package *to,
	const char *kind, bool first, struct buf *b)
{
	(void)buf_adds(b, first ? ": " : ", ");
	(void)buf_adds(b, kind);
	if (!str_eq(alias, to->name))
		(void)buf_addf(b, "%.*s = ", STR_ARG(alias));
	print_package(p, to, b);
}

static int line_cmp(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int print_sorted(const struct printer *p, struct buf *ret)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct str *lines = arena_newn(&a, struct str, p->l->npackages);

	for (size_t i = 0; lines && i < p->l->npackages; i++) {
		const struct lock_package *x = p->l->packages[i];
		_cleanup_buf_ struct buf b = BUF_INIT;

		print_package(p, x, &b);
		for (size_t j = 0; j < x->ndependencies; j++) {
			struct str name = x->dependencies[j].name;

			print_edge(p, name, x->dependencies[j].package,
				listed(x->peers, x->npeers, name) ? "peer " :
				listed(x->optional, x->noptional, name) ? "optional " : "",
				j == 0, &b);
		}
		lines[i] = arena_str(&a, buf_str(&b));
	}
	if (!lines)
		return -ENOMEM;
	qsort(lines, p->l->npackages, sizeof(*lines), line_cmp);
	for (size_t i = 0; i < p->l->npackages; i++)
		if (buf_addf(ret, "%.*s\n", STR_ARG(lines[i])) < 0)
			return -ENOMEM;
	return 0;
}

int scenario_print(const struct lockfile *l, struct buf *ret)
{
	struct printer p = { .l = l, .number = calloc(l->npackages + 1, sizeof(unsigned)) };
	const struct lock_root *root = &l->roots[0];
	int k = p.number ? number_all(&p) : -ENOMEM;

	if (k == 0)
		k = buf_addstr(ret, root->name);
	for (size_t i = 0; i < root->ndependencies && k == 0; i++)
		print_edge(&p, root->dependencies[i].name, root->dependencies[i].package,
			root->dependencies[i].kind == DEPENDENCY_DEV ? "dev " :
			root->dependencies[i].kind == DEPENDENCY_OPTIONAL ? "optional " : "",
			i == 0, ret);
	if (k == 0)
		k = buf_addc(ret, '\n');
	if (k == 0)
		k = print_sorted(&p, ret);
	vec_done(&p.queue);
	free(p.number);
	return k;
}
