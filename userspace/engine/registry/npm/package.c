// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An npm archive into the store. Besides unpacking, what npm does to a package on disk is done here,
 * once, so that its tree can be immutable: commands get their mode bit, and a carriage return after
 * a command's "#!" line goes (the kernel would take it for a part of the interpreter's name).
 */
#include "engine/registry/npm/package.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "engine/unpack/unpack.h"
#include "prim/err.h"

#include <errno.h>

#define PACKAGE_JSON_MAX ((size_t)16 << 20)

struct package_unpack {
	const struct lock_package *expected;
	struct arena arena;
	struct map bins;		/* path in the package → itself */
	struct str bin_dir;		/* directories.bin, with '/' at its end, or empty */
};

/* "./bin/x.js" and "bin//x.js" are "bin/x.js". NULL .p for a path that leaves. */
static struct str clean(struct arena *a, struct str path)
{
	char *out = arena_alloc(a, path.n + 1);
	struct str rest = path;
	size_t n = 0;

	if (!out)
		return (struct str){ NULL, 0 };
	while (rest.p) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, ".."))
			return (struct str){ NULL, 0 };
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	return str_of(out, n);
}

static int add_bin(struct package_unpack *u, struct str path)
{
	struct str at = path.p ? clean(&u->arena, path) : path;

	return at.p && at.n ? map_put(&u->bins, at, (void *)at.p) : 0;
}

/* "bin": one path, or an object of paths; else every file in directories.bin
 * (https://docs.npmjs.com/cli/configuring-npm/package-json#bin). */
static int read_bins(struct package_unpack *u, struct json package)
{
	struct json bin = json_get(package, "bin");
	struct str dir = json_str(json_get(json_get(package, "directories"), "bin"));
	int r = 0;

	if (json_kind(bin) == JSON_STRING)
		return add_bin(u, json_str(bin));
	if (json_kind(bin) == JSON_OBJECT) {
		json_foreach(i, bin)
			if (r == 0)
				r = add_bin(u, json_str(i.value));
		return r;
	}
	if (dir.p) {
		struct str at = clean(&u->arena, dir);

		if (at.p && at.n)
			u->bin_dir = arena_fmt(&u->arena, "%.*s/", STR_ARG(at));
	}
	return 0;
}

/* "v1.0.0" and "=1.0.0" were published as 1.0.0, build metadata never counts. */
static struct str bare_version(struct str v)
{
	v = str_trim(v);
	while (v.n && (v.p[0] == 'v' || v.p[0] == '=' || v.p[0] == ' '))
		v = str_slice(v, 1, v.n);
	return str_slice(v, 0, str_find(v, '+', 0));
}

/* The registry's metadata and the archive are two documents: one that says another name or version
 * than the other was swapped, or was never what it claims. */
static int check_identity(const struct lock_package *p, struct json package, struct diag *d)
{
	struct str name = json_str(json_get(package, "name"));
	struct str version = json_str(json_get(package, "version"));

	if (lock_is_tarball(p))
		return 0;
	if (!name.p || !str_eq(name, p->name))
		return diag_fail(d, -ERR_ARCHIVE,
			"the archive holds a package named '%.*s'", STR_ARG(name));
	if (!version.p || !str_eq(bare_version(version), bare_version(p->version)))
		return diag_fail(d, -ERR_ARCHIVE,
			"the archive holds version '%.*s'", STR_ARG(version));
	return 0;
}

static int first(void *data, const struct unpack_view *view, struct diag *d)
{
	struct package_unpack *u = data;
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	struct str text = unpack_find(view, STR("package.json"));
	_cleanup_diag_ struct diag why = DIAG_INIT;
	int r;

	if (!text.p)
		return diag_fail(d, -ERR_ARCHIVE, "the archive has no package.json");
	if (text.n > PACKAGE_JSON_MAX)
		return diag_fail(d, -ERR_ARCHIVE, "the archive's package.json is too large");
	/* Some published files begin with a byte order mark, which npm drops too. */
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.n);
	r = json_parse(&doc, text, "package.json", &why);
	if (r < 0)
		return diag_fail(d, r == -ENOMEM ? r : -ERR_ARCHIVE,
			"the archive's package.json is %s", buf_text(&why.what));
	r = check_identity(u->expected, json_root(doc), d);
	return r < 0 ? r : read_bins(u, json_root(doc));
}

/* A file with CR LF line ends throughout, as npm's own fix does it: all become LF. */
static int fix_first_line(const struct unpack_file *f, struct buf *changed)
{
	struct str contents = f->contents;
	size_t line = str_find(contents, '\n', 0);
	int r = 0;

	if (!str_starts(contents, STR("#!")) ||
			(line < contents.n && contents.p[line - 1] != '\r'))
		return 0;
	if (f->size > contents.n)
		return UNPACK_WHOLE;
	if (line == contents.n)
		return 0;
	for (size_t i = 0; i < contents.n && r == 0; i++) {
		if (contents.p[i] == '\r' && i + 1 < contents.n && contents.p[i + 1] == '\n')
			continue;
		r = buf_addc(changed, contents.p[i]);
	}
	return r;
}

static int each(void *data, const struct unpack_file *f, struct buf *changed, bool *executable,
	struct diag *d)
{
	struct package_unpack *u = data;
	bool in_dir = u->bin_dir.n && str_starts(f->path, u->bin_dir) &&
		      str_find(f->path, '/', u->bin_dir.n) == f->path.n;

	if (!in_dir && !map_get(&u->bins, f->path))
		return 0;
	*executable = true;
	return fix_first_line(f, changed);
}

int npm_unpack(struct cas_writer *w, struct str archive, const struct lock_package *p,
	struct str source, struct digest *ret_tree, struct diag *d)
{
	struct package_unpack u = { .expected = p };
	struct unpack_options o = {
		.strip = 1,
		.links = UNPACK_LINKS_SKIP,
		.first = first,
		.each = each,
		.data = &u,
	};
	int r = unpack_tar(w, archive, &o, source, ret_tree, d);

	map_done(&u.bins);
	arena_done(&u.arena);
	if (r < 0)
		diag_where(d, "%.*s", STR_ARG(p->source));
	return r;
}
