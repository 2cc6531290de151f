// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tar archive: what passes the judge can be put into a tree, has only contents of the archive, and
 * names nothing outside it. The first byte chooses the options.
 */
#include "engine/unpack/unpack-priv.h"
#include "prim/err.h"
#include "tree/tree.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct str path)
{
	struct str rest = path;

	if (path.n == 0 || path.n > TREE_PATH_MAX || path.p[0] == '/')
		abort();
	while (rest.p) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || part.n > TREE_NAME_MAX || str_is(part, ".") || str_is(part, ".."))
			abort();
	}
}

static int put(struct tree_builder *b, const struct unpack_item *i)
{
	struct digest digest = hash_bytes(i->contents.p, i->contents.n);

	if (i->kind == TAR_DIR)
		return tree_builder_dir(b, i->path);
	if (i->kind == TAR_SYMLINK)
		return tree_builder_symlink(b, i->path, i->target);
	if (i->contents.n > TREE_CHUNK)
		return 0;	/* would need its chunks */
	return tree_builder_file(b, i->path, i->executable, i->contents.n, &digest, NULL, 0);
}

static void check_view(const struct unpack_view *v, struct str archive)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;

	if (tree_builder_new(&b) < 0)
		return;
	vec_foreach(i, &v->items) {
		int r;

		check_path(i->path);
		if (i->contents.n && (i->contents.p < archive.p ||
				i->contents.p + i->contents.n > archive.p + archive.n))
			abort();
		if (i->kind == TAR_HARDLINK)
			abort();
		if (i->kind == TAR_SYMLINK && (i->target.n == 0 || i->target.p[0] == '/'))
			abort();
		r = put(b, i);
		if (r < 0 && r != -EEXIST && r != -ENOMEM)
			abort();
	}
}

static int fill(void *data, void *to, size_t n, size_t *ret_n, struct diag *d)
{
	struct str *rest = data;

	*ret_n = MIN(n, rest->n);
	if (*ret_n)
		memcpy(to, rest->p, *ret_n);
	*rest = str_slice(*rest, *ret_n, rest->n);
	return 0;
}

/* Read as a stream, what was refused is refused as well, and nothing is read beyond the window. Without
 * contents that come later: these need a store. */
static void as_stream(const struct unpack_options *o, struct str archive, bool may)
{
	struct tar_reader t;
	struct tar_entry e;
	struct unpack_view v = { 0 };
	struct str rest = archive;
	bool later = false;
	int r;

	tar_init_stream(&t, fill, &rest, archive.n);
	while ((r = tar_next(&t, &e, NULL)) > 0)
		later |= e.later;
	if (r == 0 && tar_drain(&t, NULL) == 0 && rest.n)
		abort();
	tar_done(&t);
	if (later)
		return;
	rest = archive;
	r = unpack_view_stream(&v, o, fill, &rest, archive.n, NULL, NULL);
	if (r == 0 && !may)
		abort();
	unpack_view_done(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct unpack_options o = { .max_entries = 10000 };
	struct unpack_view v = { 0 };
	struct str archive;
	int r;

	if (size == 0)
		return 0;
	o.strip = data[0] & 1;
	o.links = data[0] & 2 ? UNPACK_LINKS_INSIDE : UNPACK_LINKS_SKIP;
	archive = str_of(data + 1, size - 1);
	r = unpack_view_read(&v, &o, archive, data[0] & 4, &d);
	if (r == 0)
		check_view(&v, archive);
	else if (d.code == 0 && r != -ENOMEM)
		abort();
	unpack_view_done(&v);
	as_stream(&o, archive, r == 0 || (data[0] & 4) || archive.n > TREE_CHUNK);
	return 0;
}
