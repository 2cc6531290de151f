// SPDX-License-Identifier: GPL-2.0-or-later
/* From text to packages and edges. What the parts must be by themselves and to each other is checked
 * when the lockfile is settled, so that one made in memory passes the same gate. */
#include "engine/lock/lockfile-priv.h"
#include "engine/manifest/names.h"
#include "prim/err.h"

#include <errno.h>

struct lock_reader {
	struct toml_reader base;	/* first: a toml_reader is one of these */
	struct lockfile *l;
};

static struct arena *arena_of(struct toml_reader *r)
{
	return &container_of(r, struct lock_reader, base)->l->arena;
}

static int read_digest(struct toml_reader *r, const struct toml_node *v, struct digest *ret)
{
	struct str s = toml_str(v);

	if (str_starts(s, STR("blake3:")) && digest_parse(ret, str_slice(s, 7, s.n)) == 0)
		return 0;
	return toml_read_fail(r, toml_place(v), "a digest is \"blake3:\" and 64 hexadecimal digits");
}

/* A list of strings, sorted or as it stands; what they must look like is checked later. */
static int read_list(struct toml_reader *r, const struct toml_node *v, struct str **ret, size_t *ret_n)
{
	size_t n = toml_count(v);
	struct str *list = arena_newn(arena_of(r), struct str, n);

	if (!list && n)
		return -ENOMEM;
	if (n > LOCK_LIST_MAX)
		return toml_read_fail(r, toml_place(v), "a list of %zu entries is too long", n);
	for (size_t i = 0; i < n; i++) {
		int e = toml_read_kind(r, toml_at(v, i), TOML_STRING, "an entry of the list");

		if (e < 0)
			return e;
		list[i] = toml_str(toml_at(v, i));
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

static int read_id(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	p->id = toml_str(v);
	if (lock_id_split(p->id, p))
		return 0;
	return toml_read_fail(r, toml_place(v), "'%.*s' is not \"ecosystem:name@version\"",
		STR_ARG(p->id));
}

static int read_source(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct lock_package *)into)->source = toml_str(v);
	return 0;
}

static int read_integrity(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct lock_package *)into)->integrity = toml_str(v);
	return 0;
}

static int read_tree(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return read_digest(r, v, &((struct lock_package *)into)->tree);
}

static int read_optional(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	return read_list(r, v, &p->optional, &p->noptional);
}

static int read_bundled(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	return read_list(r, v, &p->bundled, &p->nbundled);
}

static int read_os(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	return read_list(r, v, &p->platform.os, &p->platform.nos);
}

static int read_cpu(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	return read_list(r, v, &p->platform.cpu, &p->platform.ncpu);
}

static int read_libc(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	return read_list(r, v, &p->platform.libc, &p->platform.nlibc);
}

static int read_platform(struct toml_reader *r, const struct toml_node *v, void *into)
{
	static const struct toml_key keys[] = {
		{ "os", TOML_ARRAY, read_os },
		{ "cpu", TOML_ARRAY, read_cpu },
		{ "libc", TOML_ARRAY, read_libc },
	};

	return toml_read_table(r, v, "'platform'", keys, ARRAY_SIZE(keys), into);
}

static int read_bin(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct lock_package *p = into;

	p->nbins = toml_count(v);
	p->bins = arena_newn(arena_of(r), struct lock_bin, p->nbins);
	if (!p->bins && p->nbins)
		return -ENOMEM;
	for (size_t i = 0; i < p->nbins; i++) {
		int e = toml_read_kind(r, toml_at(v, i), TOML_STRING, "a command's path");

		if (e < 0)
			return e;
		p->bins[i] = (struct lock_bin){ toml_key_at(v, i), toml_str(toml_at(v, i)) };
	}
	return 0;
}

static int read_scripts(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return toml_bool(v, &((struct lock_package *)into)->scripts);
}

static int read_deprecated(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct lock_package *)into)->deprecated = toml_str(v);
	return 0;
}

/* Edges need all packages: they are read in a second pass. */
static int read_later(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return 0;
}

static int read_package(struct toml_reader *r, const struct toml_node *t, struct lock_package *p)
{
	static const struct toml_key keys[] = {
		{ "id", TOML_STRING, read_id },
		{ "source", TOML_STRING, read_source },
		{ "integrity", TOML_STRING, read_integrity },
		{ "tree", TOML_STRING, read_tree },
		{ "dependencies", TOML_TABLE, read_later },
		{ "optional", TOML_ARRAY, read_optional },
		{ "peers", TOML_TABLE, read_later },
		{ "bundled", TOML_ARRAY, read_bundled },
		{ "bin", TOML_TABLE, read_bin },
		{ "platform", TOML_TABLE, read_platform },
		{ "scripts", TOML_BOOL, read_scripts },
		{ "deprecated", TOML_STRING, read_deprecated },
	};
	int e = toml_read_kind(r, t, TOML_TABLE, "a package");

	p->place = toml_place(t);
	if (e == 0)
		e = toml_read_table(r, t, "a package", keys, ARRAY_SIZE(keys), p);
	if (e == 0 && !p->id.p)
		return toml_read_fail(r, p->place, "a package has no 'id'");
	return e;
}

static int read_packages(struct toml_reader *r, const struct toml_node *list, void *into)
{
	struct lockfile *l = into;
	size_t n = toml_count(list);
	struct lock_package *all;

	if (n > LOCKFILE_PACKAGES_MAX)
		return toml_read_fail(r, toml_place(list), "%zu packages are too many", n);
	all = arena_newn(&l->arena, struct lock_package, n);
	l->packages = arena_newn(&l->arena, struct lock_package *, n);
	if (n && (!all || !l->packages))
		return -ENOMEM;
	for (; l->npackages < n; l->npackages++) {
		struct lock_package *p = &all[l->npackages];
		struct map_entry *entry;
		int e = read_package(r, toml_at(list, l->npackages), p);

		if (e < 0)
			return e;
		entry = map_entry(&l->by_id, p->id);
		if (!entry)
			return -ENOMEM;
		if (entry->value)
			return toml_read_fail(r, p->place, "'%.*s' is there twice", STR_ARG(p->id));
		entry->value = l->packages[l->npackages] = p;
	}
	return 0;
}

static int target_of(struct toml_reader *r, const struct lockfile *l, const struct toml_node *v,
	struct lock_package **ret)
{
	int e = toml_read_kind(r, v, TOML_STRING, "a package's id");

	if (e < 0)
		return e;
	*ret = lockfile_find(l, toml_str(v));
	if (*ret)
		return 0;
	return toml_read_fail(r, toml_place(v), "there is no package '%.*s' in the lockfile",
		STR_ARG(toml_str(v)));
}

/* Dependencies and peers are one list in memory, and two tables in the text. */
static int read_edges(struct toml_reader *r, struct lockfile *l, const struct toml_node *t,
	struct lock_package *p)
{
	const struct toml_node *normal = toml_get(t, "dependencies"), *peers = toml_get(t, "peers");
	size_t n = toml_count(normal), total = n + toml_count(peers);

	p->npeers = toml_count(peers);
	p->dependencies = arena_newn(&l->arena, struct lock_edge, total);
	p->peers = arena_newn(&l->arena, struct str, p->npeers);
	if ((total && !p->dependencies) || (p->npeers && !p->peers))
		return -ENOMEM;
	for (size_t i = 0; i < total; i++) {
		const struct toml_node *table = i < n ? normal : peers;
		size_t at = i < n ? i : i - n;
		struct lock_edge *edge = &p->dependencies[i];
		int e = target_of(r, l, toml_at(table, at), &edge->package);

		if (e < 0)
			return e;
		edge->name = toml_key_at(table, at);
		if (i >= n)
			p->peers[at] = edge->name;
	}
	p->ndependencies = total;
	return 0;
}

struct root_edge_reader {
	struct lock_root_edge edge;
	const struct lockfile *l;
};

static int read_edge_id(struct toml_reader *r, const struct toml_node *v, void *into)
{
	struct root_edge_reader *er = into;

	return target_of(r, er->l, v, &er->edge.package);
}

static int read_edge_requirement(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct root_edge_reader *)into)->edge.requirement = toml_str(v);
	return 0;
}

static int read_edge_kind(struct toml_reader *r, const struct toml_node *v, void *into)
{
	static const enum dependency_kind kinds[] = { DEPENDENCY_NORMAL, DEPENDENCY_DEV,
		DEPENDENCY_OPTIONAL, DEPENDENCY_TOOL };
	const char *names[ARRAY_SIZE(kinds)];
	struct root_edge_reader *er = into;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		names[i] = lock_kind_name(kinds[i]);
		if (str_is(toml_str(v), names[i])) {
			er->edge.kind = kinds[i];
			return 0;
		}
	}
	return toml_read_unknown(r, toml_place(v), "kind", toml_str(v), "a root's dependency", names,
		ARRAY_SIZE(names));
}

static int read_root_edges(struct toml_reader *r, const struct toml_node *t, void *into)
{
	static const struct toml_key keys[] = {
		{ "id", TOML_STRING, read_edge_id },
		{ "requirement", TOML_STRING, read_edge_requirement },
		{ "kind", TOML_STRING, read_edge_kind },
	};
	struct lockfile *l = container_of(r, struct lock_reader, base)->l;
	struct lock_root *root = into;

	root->dependencies = arena_newn(&l->arena, struct lock_root_edge, toml_count(t));
	if (!root->dependencies && toml_count(t))
		return -ENOMEM;
	for (; root->ndependencies < toml_count(t); root->ndependencies++) {
		size_t i = root->ndependencies;
		struct root_edge_reader er = { { .name = toml_key_at(t, i) }, l };
		int e = toml_read_kind(r, toml_at(t, i), TOML_TABLE, "a root's dependency");

		if (e == 0)
			e = toml_read_table(r, toml_at(t, i), "a root's dependency", keys,
				ARRAY_SIZE(keys), &er);
		if (e == 0 && !er.edge.package)
			return toml_read_fail(r, toml_key_place_at(t, i), "'%.*s' has no 'id'",
				STR_ARG(er.edge.name));
		if (e < 0)
			return e;
		root->dependencies[i] = er.edge;
	}
	return 0;
}

static int read_root_name(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct lock_root *)into)->name = toml_str(v);
	return 0;
}

static int read_root_path(struct toml_reader *r, const struct toml_node *v, void *into)
{
	((struct lock_root *)into)->path = toml_str(v);
	return 0;
}

static int read_roots(struct toml_reader *r, const struct toml_node *list, struct lockfile *l)
{
	static const struct toml_key keys[] = {
		{ "name", TOML_STRING, read_root_name },
		{ "path", TOML_STRING, read_root_path },
		{ "dependencies", TOML_TABLE, read_root_edges },
	};

	l->roots = arena_newn(&l->arena, struct lock_root, toml_count(list));
	if (!l->roots && toml_count(list))
		return -ENOMEM;
	for (; l->nroots < toml_count(list); l->nroots++) {
		const struct toml_node *t = toml_at(list, l->nroots);
		int e = toml_read_kind(r, t, TOML_TABLE, "a root");

		if (e == 0)
			e = toml_read_table(r, t, "a root", keys, ARRAY_SIZE(keys),
				&l->roots[l->nroots]);
		if (e < 0)
			return e;
	}
	return 0;
}

static int read_manifest(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return read_digest(r, v, &((struct lockfile *)into)->manifest);
}

/* Before anything else: another version may have another meaning for every key. */
static int check_version(struct toml_reader *r, const struct toml_node *root)
{
	const struct toml_node *v = toml_get(root, "version");
	int64_t version;

	if (!v)
		return toml_read_fail(r, toml_place(NULL), "the lockfile has no 'version'");
	if (toml_int(v, &version) < 0 || version < 1)
		return toml_read_fail(r, toml_place(v), "'version' must be a whole number above zero");
	if (version <= LOCKFILE_VERSION)
		return 0;
	toml_read_fail(r, toml_place(v), "the lockfile was written by a newer cratons (version %lld, "
		"this one knows %d)", (long long)version, LOCKFILE_VERSION);
	return diag_hint(r->d, "update cratons"), r->code;
}

static int read_lockfile(struct toml_reader *r, struct lockfile *l)
{
	static const struct toml_key keys[] = {
		{ "version", TOML_INTEGER, read_later },
		{ "manifest", TOML_STRING, read_manifest },
		{ "package", TOML_ARRAY, read_packages },
		{ "root", TOML_ARRAY, read_later },
	};
	const struct toml_node *root = toml_root(l->doc), *list = toml_get(root, "package");
	int e = check_version(r, root);

	if (e == 0)
		e = toml_read_table(r, root, toml_name(l->doc), keys, ARRAY_SIZE(keys), l);
	if (e == 0 && !toml_get(root, "manifest"))
		return toml_read_fail(r, toml_place(NULL), "the lockfile has no 'manifest'");
	for (size_t i = 0; e == 0 && i < l->npackages; i++)
		e = read_edges(r, l, toml_at(list, i), l->packages[i]);
	return e < 0 ? e : read_roots(r, toml_get(root, "root"), l);
}

int lockfile_parse(struct lockfile **ret, struct str text, const char *name, struct diag *d)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	struct lock_reader r;
	int e = lockfile_new(&l);

	if (e < 0)
		return e;
	e = toml_parse(&l->doc, text, name, d);
	if (e == -ERR_SYNTAX || e == -ERR_LIMIT) {
		if (d)
			d->code = -ERR_LOCKFILE;
		return -ERR_LOCKFILE;
	}
	if (e < 0)
		return e;
	r = (struct lock_reader){ { l->doc, d, -ERR_LOCKFILE }, l };
	e = read_lockfile(&r.base, l);
	if (e == 0)
		e = lockfile_settle_in(&r.base, l);
	if (e < 0)
		return e;
	*ret = TAKE_PTR(l);
	return 0;
}
