// SPDX-License-Identifier: GPL-2.0-or-later
/* Order and invariants, for lockfiles that were parsed and for those that the resolver made. */
#include "base/integrity.h"
#include "engine/lock/lockfile-priv.h"
#include "engine/manifest/names.h"
#include "prim/err.h"

#include <errno.h>

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static bool ecosystem_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'a' || s.p[i] > 'z')
			return false;
	return s.n > 0 && s.n <= 16;
}

bool lock_id_split(struct str id, struct lock_package *p)
{
	size_t colon = str_find(id, ':', 0), at = str_find(id, '@', colon + 2), end = id.n;

	if (end > PEERS_HASH_LEN + 1 && id.p[end - PEERS_HASH_LEN - 1] == '+' &&
			is_hex(str_slice(id, end - PEERS_HASH_LEN, end)))
		end -= PEERS_HASH_LEN + 1;
	p->ecosystem = str_slice(id, 0, colon);
	p->name = str_slice(id, colon + 1, at);
	p->version = str_slice(id, at + 1, end);
	p->peers_hash = str_slice(id, end + 1, id.n);
	return ecosystem_valid(p->ecosystem) && name_is_package(p->name) &&
	       name_is_version(p->version);
}

static int by_id(const void *a, const void *b)
{
	struct lock_package *const *x = a, *const *y = b;

	return str_cmp((*x)->id, (*y)->id);
}

static int by_str(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

/* Edges, bins and root edges begin with their name, and are sorted by it. */
_Static_assert(offsetof(struct lock_edge, name) == 0, "by_str");
_Static_assert(offsetof(struct lock_bin, name) == 0, "by_str");
_Static_assert(offsetof(struct lock_root_edge, name) == 0, "by_str");

/* Sorts what is not sorted yet: what was printed here is. */
static void sort(void *list, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (compare((char *)list + (i - 1) * size, (char *)list + i * size) > 0) {
			qsort(list, n, size, compare);
			return;
		}
}

#define SORT(list, n) sort(list, n, sizeof(*(list)), by_str)

static const struct lock_edge *edge_of(const struct lock_package *p, struct str name)
{
	return bsearch(&name, p->dependencies, p->ndependencies, sizeof(*p->dependencies), by_str);
}

static int fail(struct toml_reader *r, const struct lock_package *p, const char *what, struct str which)
{
	return toml_read_fail(r, p->place, "%.*s: %s '%.*s'", STR_ARG(p->id), what, STR_ARG(which));
}

static int check_id(struct toml_reader *r, const struct lock_package *p)
{
	struct lock_package parts;

	if (!lock_id_split(p->id, &parts))
		return fail(r, p, "malformed id", p->id);
	if (!str_eq(parts.ecosystem, p->ecosystem) || !str_eq(parts.name, p->name) ||
			!str_eq(parts.version, p->version) ||
			!str_eq(parts.peers_hash, p->peers_hash))
		return fail(r, p, "the id does not say what the package is:", p->name);
	return 0;
}

static int check_source(struct toml_reader *r, const struct lock_package *p)
{
	bool path = str_starts(p->source, STR("path:"));

	if (path) {
		if (!name_is_inner_path(str_slice(p->source, 5, p->source.n)))
			return fail(r, p, "a linked directory that is not inside the project:", p->source);
		return 0;
	}
	if (!name_is_url(p->source))
		return fail(r, p, "the source is neither an http(s) URL nor a path:", p->source);
	if (p->integrity.n) {
		if (integrity_strength(p->integrity) == INTEGRITY_NONE || p->integrity.n > 1024)
			return fail(r, p, "malformed integrity", p->integrity);
		return 0;
	}
	/* One that was resolved just now gets its tree when its archive was unpacked, if that is allowed. */
	if (digest_is_zero(&p->tree) && p->place.line)
		return toml_read_fail(r, p->place, "%.*s: neither an integrity nor a tree to check it by",
			STR_ARG(p->id));
	return 0;
}

/* A sorted list of names: each valid, none twice, each a dependency or (bundled) none. */
static int check_names(struct toml_reader *r, const struct lock_package *p, const struct str *list,
	size_t n, const char *label, bool edges)
{
	for (size_t i = 0; i < n; i++) {
		if (!name_is_package(list[i]))
			return toml_read_fail(r, p->place, "%.*s: '%.*s' in '%s' is not a name",
				STR_ARG(p->id), STR_ARG(list[i]), label);
		if (i > 0 && str_eq(list[i - 1], list[i]))
			return toml_read_fail(r, p->place, "%.*s: '%.*s' is twice in '%s'",
				STR_ARG(p->id), STR_ARG(list[i]), label);
		if ((edge_of(p, list[i]) != NULL) != edges)
			return toml_read_fail(r, p->place, "%.*s: '%.*s' in '%s' is %s", STR_ARG(p->id),
				STR_ARG(list[i]), label,
				edges ? "not among the dependencies" : "a dependency too");
	}
	return 0;
}

/* Indices were given to those in the list just now; what another package's says is not trusted. */
static bool is_listed(const struct lockfile *l, const struct lock_package *p)
{
	return p && p->index < l->npackages && l->packages[p->index] == p;
}

static int check_edges(struct toml_reader *r, const struct lockfile *l, const struct lock_package *p)
{
	if (p->ndependencies > LOCK_LIST_MAX)
		return toml_read_fail(r, p->place, "%.*s: too many dependencies", STR_ARG(p->id));
	for (size_t i = 0; i < p->ndependencies; i++) {
		const struct lock_edge *e = &p->dependencies[i];

		if (!name_is_package(e->name))
			return fail(r, p, "not a name for a dependency:", e->name);
		if (i > 0 && str_eq(e[-1].name, e->name))
			return fail(r, p, "two dependencies are called", e->name);
		if (!is_listed(l, e->package))
			return fail(r, p, "a dependency leads out of the lockfile:", e->name);
	}
	return 0;
}

static int check_bins(struct toml_reader *r, const struct lock_package *p)
{
	for (size_t i = 0; i < p->nbins; i++) {
		const struct lock_bin *b = &p->bins[i];

		if (!name_is_command(b->name))
			return fail(r, p, "not a name for a command:", b->name);
		if (!name_is_inner_path(b->path))
			return fail(r, p, "a command's path leaves the package:", b->path);
		if (i > 0 && str_eq(b[-1].name, b->name))
			return fail(r, p, "two commands are called", b->name);
	}
	return 0;
}

static bool platform_list_valid(const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!name_is_line(list[i], 64))
			return false;
	return true;
}

static int check_rest(struct toml_reader *r, const struct lock_package *p)
{
	const struct lock_platform *f = &p->platform;

	if (!platform_list_valid(f->os, f->nos) || !platform_list_valid(f->cpu, f->ncpu) ||
			!platform_list_valid(f->libc, f->nlibc))
		return toml_read_fail(r, p->place, "%.*s: malformed platform", STR_ARG(p->id));
	if (p->deprecated.n > LOCK_TEXT_MAX)
		return toml_read_fail(r, p->place, "%.*s: the deprecation is too long", STR_ARG(p->id));
	return 0;
}

static int check_package(struct toml_reader *r, const struct lockfile *l, const struct lock_package *p)
{
	int e = check_id(r, p);

	e = e < 0 ? e : check_source(r, p);
	e = e < 0 ? e : check_edges(r, l, p);
	e = e < 0 ? e : check_names(r, p, p->optional, p->noptional, "optional", true);
	e = e < 0 ? e : check_names(r, p, p->peers, p->npeers, "peers", true);
	e = e < 0 ? e : check_names(r, p, p->bundled, p->nbundled, "bundled", false);
	e = e < 0 ? e : check_bins(r, p);
	return e < 0 ? e : check_rest(r, p);
}

static int check_root(struct toml_reader *r, const struct lockfile *l, const struct lock_root *root)
{
	struct toml_place nowhere = { 0 };

	if (root->name.n && !name_is_package(root->name))
		return toml_read_fail(r, nowhere, "a root's name '%.*s' is not a name",
			STR_ARG(root->name));
	if (root->path.n && !name_is_inner_path(root->path))
		return toml_read_fail(r, nowhere, "a root's path '%.*s' is not inside the project",
			STR_ARG(root->path));
	for (size_t i = 0; i < root->ndependencies; i++) {
		const struct lock_root_edge *e = &root->dependencies[i];

		if (!name_is_package(e->name))
			return toml_read_fail(r, nowhere, "'%.*s' is not a name for a dependency",
				STR_ARG(e->name));
		if (i > 0 && str_eq(e[-1].name, e->name))
			return toml_read_fail(r, nowhere, "two dependencies are called '%.*s'",
				STR_ARG(e->name));
		if (e->requirement.n && !name_is_line(e->requirement, LOCK_REQUIREMENT_MAX))
			return toml_read_fail(r, nowhere, "malformed requirement of '%.*s'",
				STR_ARG(e->name));
		if (!is_listed(l, e->package) || !lock_kind_name(e->kind))
			return toml_read_fail(r, nowhere, "'%.*s' leads out of the lockfile",
				STR_ARG(e->name));
	}
	return 0;
}

struct walk {
	struct lock_package **stack;
	size_t n;
	bool *seen;
};

static void visit(struct walk *w, struct lock_package *p)
{
	if (w->seen[p->index])
		return;
	w->seen[p->index] = true;
	w->stack[w->n++] = p;
}

/* What no root leads to would be fetched for nobody, or wait for somebody's import. */
static int check_reach(struct toml_reader *r, const struct lockfile *l)
{
	_cleanup_free_ struct lock_package **stack = calloc(l->npackages + 1, sizeof(*stack));
	_cleanup_free_ bool *seen = calloc(l->npackages + 1, sizeof(*seen));
	struct walk w = { stack, 0, seen };

	if (!stack || !seen)
		return -ENOMEM;
	for (size_t i = 0; i < l->nroots; i++)
		for (size_t j = 0; j < l->roots[i].ndependencies; j++)
			visit(&w, l->roots[i].dependencies[j].package);
	while (w.n > 0) {
		const struct lock_package *p = stack[--w.n];

		for (size_t i = 0; i < p->ndependencies; i++)
			visit(&w, p->dependencies[i].package);
	}
	for (size_t i = 0; i < l->npackages; i++)
		if (!seen[i])
			return toml_read_fail(r, l->packages[i]->place,
				"extra package: nothing depends on '%.*s'", STR_ARG(l->packages[i]->id));
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct lock_root *x = a, *y = b;
	int c = str_cmp(x->path, y->path);

	return c ? c : str_cmp(x->name, y->name);
}

static void sort_all(struct lockfile *l)
{
	sort(l->packages, l->npackages, sizeof(*l->packages), by_id);
	for (size_t i = 0; i < l->npackages; i++) {
		struct lock_package *p = l->packages[i];

		p->index = i;
		SORT(p->dependencies, p->ndependencies);
		SORT(p->optional, p->noptional);
		SORT(p->peers, p->npeers);
		SORT(p->bundled, p->nbundled);
		SORT(p->bins, p->nbins);
	}
	sort(l->roots, l->nroots, sizeof(*l->roots), by_path);
	for (size_t i = 0; i < l->nroots; i++)
		SORT(l->roots[i].dependencies, l->roots[i].ndependencies);
}

static int index_ids(struct toml_reader *r, struct lockfile *l)
{
	if (l->npackages > LOCKFILE_PACKAGES_MAX)
		return toml_read_fail(r, (struct toml_place){ 0 }, "%zu packages are too many",
			l->npackages);
	/* The parser has done it, as edges are found by id. */
	if (r->doc)
		return 0;
	for (size_t i = 0; i < l->npackages; i++) {
		struct lock_package *p = l->packages[i];
		struct map_entry *e = map_entry(&l->by_id, p->id);

		if (!e)
			return -ENOMEM;
		if (e->value && e->value != p)
			return fail(r, p, "two packages have the id", p->id);
		e->value = p;
	}
	return 0;
}

int lockfile_settle_in(struct toml_reader *r, struct lockfile *l)
{
	int e = index_ids(r, l);

	if (e < 0)
		return e;
	sort_all(l);
	for (size_t i = 0; i < l->npackages; i++) {
		e = check_package(r, l, l->packages[i]);
		if (e < 0)
			return e;
	}
	for (size_t i = 0; i < l->nroots; i++) {
		e = check_root(r, l, &l->roots[i]);
		if (e < 0)
			return e;
		if (i > 0 && str_eq(l->roots[i - 1].path, l->roots[i].path))
			return toml_read_fail(r, (struct toml_place){ 0 }, "two roots have the path '%.*s'",
				STR_ARG(l->roots[i].path));
	}
	return check_reach(r, l);
}

int lockfile_settle(struct lockfile *l, struct diag *d)
{
	struct toml_reader r = { NULL, d, -ERR_LOCKFILE };

	return lockfile_settle_in(&r, l);
}
