// SPDX-License-Identifier: GPL-2.0-or-later
/* An archive's entries, judged: what is in a view can be put into a tree as it stands. */
#include "engine/unpack/unpack-priv.h"

#include "prim/err.h"

#include <errno.h>

void unpack_view_done(struct unpack_view *v)
{
	vec_done(&v->items);
	map_done(&v->by_path);
	arena_done(&v->arena);
}

static struct unpack_item *view_get(const struct unpack_view *v, struct str path)
{
	size_t i = (size_t)map_get(&v->by_path, path);

	return i ? &v->items.v[i - 1] : NULL;
}

struct str unpack_find(const struct unpack_view *view, struct str path)
{
	const struct unpack_item *i = view_get(view, path);

	if (!i || i->kind != TAR_FILE)
		return (struct str){ NULL, 0 };
	if (!i->put)
		return i->contents;
	((struct unpack_view *)(uintptr_t)view)->lacking = true;
	return (struct str){ NULL, 0 };
}

/* Drops "." and empty parts and the first `strip` ones. An absolute path, "..", or a name that no
 * tree can have is an error; what has no part left after stripping gives an empty path. */
static int clean_path(struct arena *a, struct str name, unsigned strip, struct str *ret,
	struct diag *d)
{
	struct str rest = name, part;
	unsigned depth = 0;
	char *out;
	size_t n = 0;

	if (name.n && name.p[0] == '/')
		return tar_refuse(d, name, "has an absolute path");
	if (name.n > TREE_PATH_MAX)
		return tar_refuse(d, name, "has too long a path");
	if (!str_utf8(name) || memchr(name.p, '\0', name.n))
		return tar_refuse(d, name, "has a name that is not UTF-8 text");
	out = arena_alloc(a, name.n + 1);
	if (!out)
		return -ENOMEM;
	while (rest.p) {
		part = str_cut(&rest, '/');
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, ".."))
			return tar_refuse(d, name, "leaves the archive by '..'");
		if (part.n > TREE_NAME_MAX)
			return tar_refuse(d, name, "has too long a name");
		if (strip > 0) {
			strip--;
			continue;
		}
		if (++depth > TREE_DEPTH_MAX)
			return tar_refuse(d, name, "lies too deep");
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	*ret = str_of(out, n);
	return 0;
}

/*
 * A link's target must stay inside whatever the other links are: no absolute path, no ".." after a
 * name (which could be a link), and no more leading ".." than the link is deep.
 */
static bool link_stays_inside(struct str path, struct str target)
{
	struct str rest = target, part;
	size_t depth = 0;
	bool named = false;

	for (size_t i = 0; i < path.n; i++)
		depth += path.p[i] == '/';
	if (target.n == 0 || target.n > TREE_PATH_MAX || target.p[0] == '/')
		return false;
	while (rest.p) {
		part = str_cut(&rest, '/');
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (!str_is(part, "..")) {
			named = true;
			continue;
		}
		if (named || depth == 0)
			return false;
		depth--;
	}
	return true;
}

static bool same_file(const struct unpack_item *a, const struct unpack_item *b)
{
	return a->kind == b->kind && a->kind != TAR_HARDLINK && str_eq(a->contents, b->contents) &&
	       a->put == b->put && digest_eq(&a->file.digest, &b->file.digest) &&
	       str_eq(a->target, b->target) && a->executable == b->executable;
}

/* Two entries of one name are a way to show one file to a scanner and install another. */
static int add_item(struct unpack_view *v, const struct unpack_item *item, struct diag *d)
{
	struct unpack_item *there = view_get(v, item->path);
	int r;

	if (there) {
		if (there->kind == TAR_DIR && item->kind == TAR_DIR)
			return 0;
		return same_file(there, item) ? 0 :
			tar_refuse(d, item->path, "is there twice with different contents");
	}
	r = vec_push(&v->items, *item);
	return r < 0 ? r : map_put(&v->by_path, item->path, (void *)v->items.n);
}

struct later {
	struct tar_reader *t;
	struct diag *d;
	char beginning[UNPACK_BEGINNING];
	bool begun;
};

static int read_later(void *data, void *to, size_t n)
{
	struct later *l = data;
	int r = tar_read(l->t, to, n, l->d);

	if (r == 0 && !l->begun)
		memcpy(l->beginning, to, sizeof(l->beginning));
	l->begun = true;
	return r;
}

static int take_contents(struct unpack_view *v, struct tar_reader *t, const struct tar_entry *e,
	struct unpack_item *item, struct diag *d)
{
	struct later l = { .t = t, .d = d };
	int r;

	item->contents = e->contents;
	if (e->kind != TAR_FILE || !v->stream)
		return 0;
	if (!e->later) {
		item->contents = arena_str(&v->arena, e->contents);
		return item->contents.p ? 0 : -ENOMEM;
	}
	r = cas_put_stream(v->put, read_later, &l, e->size, &item->file, d);
	if (r < 0)
		return r;
	item->put = true;
	item->contents = arena_str(&v->arena, str_of(l.beginning, sizeof(l.beginning)));
	return item->contents.p ? 0 : -ENOMEM;
}

static int judge(struct unpack_view *v, const struct unpack_options *o, struct tar_reader *t,
	const struct tar_entry *e, struct diag *d)
{
	struct unpack_item item = { .kind = e->kind, .executable = e->executable };
	bool is_link = e->kind == TAR_SYMLINK || e->kind == TAR_HARDLINK;
	int r = clean_path(&v->arena, e->name, o->strip, &item.path, d);

	if (r < 0)
		return r;
	if (is_link && o->links == UNPACK_LINKS_SKIP)
		return 0;
	if (item.path.n == 0)
		return e->kind == TAR_DIR || o->strip ? 0 : tar_refuse(d, e->name, "has no name");
	if (e->kind == TAR_SYMLINK) {
		if (!link_stays_inside(item.path, e->target))
			return tar_refuse(d, e->name, "is a link that leaves the archive");
		item.target = arena_str(&v->arena, e->target);
	}
	if (e->kind == TAR_HARDLINK) {
		r = clean_path(&v->arena, e->target, o->strip, &item.target, d);
		if (r < 0)
			return r;
	}
	r = take_contents(v, t, e, &item, d);
	v->bytes += e->size;
	return r < 0 ? r : add_item(v, &item, d);
}

/* A hard link becomes the file that it names, which must have come before it. */
static int settle_hardlinks(struct unpack_view *v, struct diag *d)
{
	for (size_t i = 0; i < v->items.n; i++) {
		struct unpack_item *link = &v->items.v[i], *file;

		if (link->kind != TAR_HARDLINK)
			continue;
		file = view_get(v, link->target);
		if (!file || file >= link || file->kind != TAR_FILE)
			return tar_refuse(d, link->path, "is a hard link to what is not in the archive");
		link->kind = TAR_FILE;
		link->contents = file->contents;
		link->put = file->put;
		link->file = file->file;
		link->executable = file->executable;
	}
	return 0;
}

static int read_all(struct unpack_view *v, const struct unpack_options *o, struct tar_reader *t,
	struct diag *d)
{
	uint64_t max = o->max_entries ? o->max_entries : 1000000, n = 0;
	struct tar_entry e;
	int r;

	while ((r = tar_next(t, &e, d)) > 0) {
		r = ++n > max ? diag_fail(d, -ERR_ARCHIVE, "the archive has more than %llu entries",
				(unsigned long long)max) : judge(v, o, t, &e, d);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = tar_drain(t, d);
	return r < 0 ? r : settle_hardlinks(v, d);
}

int unpack_view_read(struct unpack_view *v, const struct unpack_options *o, struct str tar,
	bool need_end, struct diag *d)
{
	struct tar_reader t;
	int r;

	tar_init(&t, tar, need_end);
	r = read_all(v, o, &t, d);
	tar_done(&t);
	return r;
}

int unpack_view_stream(struct unpack_view *v, const struct unpack_options *o, tar_fill_fn fill,
	void *data, uint64_t max, struct cas_put *put, struct diag *d)
{
	struct tar_reader t;
	int r;

	v->stream = true;
	v->put = put;
	tar_init_stream(&t, fill, data, max);
	r = read_all(v, o, &t, d);
	tar_done(&t);
	return r;
}
