// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/unpack/unpack-priv.h"

#include "engine/unpack/inflate.h"
#include "prim/err.h"

#include <errno.h>

/* Deflate ends at 1032. What is published stays below 100 when it is large; all of it is held in
 * memory while it is unpacked. */
#define RATIO_MAX 250

static int put_file(struct cas_put *put, struct tree_builder *b, const struct unpack_options *o,
	const struct unpack_item *i, struct diag *d)
{
	_cleanup_buf_ struct buf changed = BUF_INIT;
	struct str contents = i->contents;
	bool executable = i->executable;
	struct cas_file f;
	int r = 0;

	if (o->each)
		r = o->each(o->data, i->path, contents, &changed, &executable, d);
	if (r < 0)
		return r;
	if (changed.data)
		contents = buf_str(&changed);
	r = cas_put_file(put, contents.p, contents.n, &f, d);
	if (r < 0)
		return r;
	return tree_builder_file(b, i->path, executable, f.size, &f.digest, f.chunks, f.nchunks);
}

static int put_all(struct cas_put *put, struct tree_builder *b, const struct unpack_options *o,
	const struct unpack_view *v, struct diag *d)
{
	vec_foreach(i, &v->items) {
		int r;

		if (i->kind == TAR_DIR)
			r = tree_builder_dir(b, i->path);
		else if (i->kind == TAR_SYMLINK)
			r = tree_builder_symlink(b, i->path, i->target);
		else
			r = put_file(put, b, o, i, d);
		if (r == -EEXIST)
			return tar_refuse(d, i->path, "lies below something that is not a directory");
		if (r == -EINVAL)
			return tar_refuse(d, i->path, "has a name that cannot be kept");
		if (r < 0)
			return r;
	}
	return 0;
}

static int store_view(struct cas_writer *w, const struct unpack_options *o,
	const struct unpack_view *v, struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(cas_put_free_p) struct cas_put *put = NULL;
	int r = tree_builder_new(&b);

	if (r == 0)
		r = cas_put_new(&put, w);
	if (r == 0 && o->first)
		r = o->first(o->data, v, d);
	if (r == 0)
		r = put_all(put, b, o, v, d);
	if (r == 0 && o->last)
		r = o->last(o->data, b, d);
	if (r == 0)
		r = cas_put_commit(put, b, source, ret_tree, d);
	return r;
}

int unpack_tar(struct cas_writer *w, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_buf_ struct buf plain = BUF_INIT;
	_cleanup_(unpack_view_done) struct unpack_view view = { 0 };
	bool packed = inflate_is_gzip(archive);
	int r = 0;

	if (packed) {
		r = inflate_gzip(archive, o->max_bytes ? o->max_bytes : (uint64_t)4 << 30,
			o->max_ratio ? o->max_ratio : RATIO_MAX, &plain, d);
		archive = buf_str(&plain);
	}
	/* In gzip the checksum tells a cut archive, and some writers leave out the end mark. */
	if (r == 0)
		r = unpack_view_read(&view, o, archive, !packed, d);
	if (r == 0)
		r = store_view(w, o, &view, source, ret_tree, d);
	if (r < 0 && d && d->code != r)
		diag_errno(d, r, "unpacking an archive");
	return r;
}
