// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/lock/lockfile-priv.h"

/* Appends and keeps the first failure, so that the text below reads as the file does. */
struct printer {
	struct buf *to;
	int error;
};

static void put(struct printer *p, const char *text)
{
	if (p->error == 0)
		p->error = buf_adds(p->to, text);
}

static void put_key(struct printer *p, struct str key)
{
	if (p->error == 0)
		p->error = toml_put_key(p->to, key);
}

static void put_string(struct printer *p, struct str s)
{
	if (p->error == 0)
		p->error = toml_put_string(p->to, s);
}

static void put_field(struct printer *p, const char *key, struct str value)
{
	if (value.n == 0)
		return;
	put(p, key);
	put(p, " = ");
	put_string(p, value);
	put(p, "\n");
}

static void put_digest(struct printer *p, const char *key, const struct digest *d)
{
	char hex[DIGEST_HEX];

	put(p, key);
	put(p, " = \"blake3:");
	put(p, digest_hex(d, hex));
	put(p, "\"\n");
}

static void put_list(struct printer *p, const char *key, const struct str *list, size_t n)
{
	put(p, key);
	put(p, " = [");
	for (size_t i = 0; i < n; i++) {
		put(p, i ? ", " : "");
		put_string(p, list[i]);
	}
	put(p, "]");
}

static void put_list_line(struct printer *p, const char *key, const struct str *list, size_t n)
{
	if (n == 0)
		return;
	put_list(p, key, list, n);
	put(p, "\n");
}

static bool among(const struct str *sorted, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(sorted[i], name))
			return true;
	return false;
}

/* The edges that are peers, or those that are not. */
static void put_edges(struct printer *out, const char *key, const struct lock_package *p, bool peers)
{
	bool any = false;

	for (size_t i = 0; i < p->ndependencies; i++) {
		const struct lock_edge *e = &p->dependencies[i];

		if (among(p->peers, p->npeers, e->name) != peers)
			continue;
		if (!any)
			put(out, key);
		put(out, any ? ", " : " = { ");
		put_key(out, e->name);
		put(out, " = ");
		put_string(out, e->package->id);
		any = true;
	}
	put(out, any ? " }\n" : "");
}

static void put_bins(struct printer *p, const struct lock_bin *bins, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(p, i ? ", " : "bin = { ");
		put_key(p, bins[i].name);
		put(p, " = ");
		put_string(p, bins[i].path);
	}
	put(p, n ? " }\n" : "");
}

static void put_platform(struct printer *p, const struct lock_platform *f)
{
	const struct {
		const char *key;
		const struct str *list;
		size_t n;
	} lists[] = {
		{ "os", f->os, f->nos },
		{ "cpu", f->cpu, f->ncpu },
		{ "libc", f->libc, f->nlibc },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i].n == 0)
			continue;
		put(p, any ? ", " : "platform = { ");
		put_list(p, lists[i].key, lists[i].list, lists[i].n);
		any = true;
	}
	put(p, any ? " }\n" : "");
}

static void put_package(struct printer *out, const struct lock_package *p)
{
	put(out, "\n[[package]]\n");
	put_field(out, "id", p->id);
	put_field(out, "source", p->source);
	put_field(out, "integrity", p->integrity);
	if (!digest_is_zero(&p->tree))
		put_digest(out, "tree", &p->tree);
	put_edges(out, "dependencies", p, false);
	put_list_line(out, "optional", p->optional, p->noptional);
	put_edges(out, "peers", p, true);
	put_list_line(out, "bundled", p->bundled, p->nbundled);
	put_bins(out, p->bins, p->nbins);
	put_platform(out, &p->platform);
	put(out, p->scripts ? "scripts = true\n" : "");
	put_field(out, "deprecated", p->deprecated);
}

/* One line a dependency: two people's changes meet on the same line only if they conflict. */
static void put_root(struct printer *out, const struct lock_root *root)
{
	put(out, "\n[[root]]\n");
	put_field(out, "name", root->name);
	put_field(out, "path", root->path);
	put(out, root->ndependencies ? "\n[root.dependencies]\n" : "");
	for (size_t i = 0; i < root->ndependencies; i++) {
		const struct lock_root_edge *e = &root->dependencies[i];

		put_key(out, e->name);
		put(out, " = { id = ");
		put_string(out, e->package->id);
		if (e->requirement.n) {
			put(out, ", requirement = ");
			put_string(out, e->requirement);
		}
		put(out, ", kind = ");
		put_string(out, str_from(lock_kind_name(e->kind)));
		put(out, " }\n");
	}
}

int lockfile_print(const struct lockfile *l, struct buf *ret)
{
	struct printer p = { ret, 0 };

	put(&p, "# Written by cratons from " MANIFEST_NAME "; see cratons.lock(5).\nversion = 1\n");
	put_digest(&p, "manifest", &l->manifest);
	for (size_t i = 0; i < l->npackages; i++)
		put_package(&p, l->packages[i]);
	for (size_t i = 0; i < l->nroots; i++)
		put_root(&p, &l->roots[i]);
	return p.error;
}
_Static_assert(LOCKFILE_VERSION == 1, "printed above");
