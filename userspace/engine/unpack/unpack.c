// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/unpack/unpack-priv.h"

#include "engine/unpack/inflate.h"
#include "prim/err.h"

#include <errno.h>

/* Deflate ends at 1032. What is published stays below 100 when it is large. */
#define RATIO_MAX 250
#define BYTES_MAX ((uint64_t)4 << 30)
#define WHOLE_MAX ((uint64_t)8 << 20)

static int put_file(struct cas_put *put, struct tree_builder *b, const struct unpack_options *o,
	const struct unpack_item *i, struct diag *d)
{
	struct unpack_file file = { i->path, i->contents, i->put ? i->file.size : i->contents.n };
	_cleanup_buf_ struct buf changed = BUF_INIT;
	struct str contents = i->contents;
	bool executable = i->executable;
	struct cas_file f = i->file;
	int r = 0;

	if (o->each)
		r = o->each(o->data, &file, &changed, &executable, d);
	if (r)
		return r;
	if (changed.data)
		contents = buf_str(&changed);
	if (changed.data || !i->put)
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
		if (r)
			return r;
	}
	return 0;
}

/* UNPACK_WHOLE: what is not in memory was asked for. */
static int store_view(struct cas_put *put, const struct unpack_options *o,
	const struct unpack_view *v, struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	int r = tree_builder_new(&b);

	if (r == 0 && o->first)
		r = o->first(o->data, v, d);
	if (v->lacking)
		return UNPACK_WHOLE;
	if (r == 0)
		r = put_all(put, b, o, v, d);
	if (r == 0 && o->last)
		r = o->last(o->data, b, d);
	if (r == 0)
		r = cas_put_commit(put, b, source, ret_tree, d);
	return r;
}

static int unpack_whole(struct cas_put *put, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_buf_ struct buf plain = BUF_INIT;
	_cleanup_(unpack_view_done) struct unpack_view view = { 0 };
	bool packed = inflate_is_gzip(archive);
	int r = 0;

	if (packed) {
		r = inflate_gzip(archive, o->max_bytes ? o->max_bytes : BYTES_MAX,
			o->max_ratio ? o->max_ratio : RATIO_MAX, &plain, d);
		archive = buf_str(&plain);
	}
	/* In gzip the checksum tells a cut archive, and some writers leave out the end mark. */
	if (r == 0)
		r = unpack_view_read(&view, o, archive, !packed, d);
	return r < 0 ? r : store_view(put, o, &view, source, ret_tree, d);
}

static int fill(void *data, void *to, size_t n, size_t *ret_n, struct diag *d)
{
	return inflater_read(data, to, n, ret_n, d);
}

static int unpack_stream(struct cas_put *put, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_(unpack_view_done) struct unpack_view view = { 0 };
	_cleanup_(inflater_free_p) struct inflater *z = NULL;
	int r = inflater_new(&z, archive, o->max_bytes ? o->max_bytes : BYTES_MAX,
		o->max_ratio ? o->max_ratio : RATIO_MAX);

	if (r == 0)
		r = unpack_view_stream(&view, o, fill, z, inflater_limit(z), put, d);
	return r < 0 ? r : store_view(put, o, &view, source, ret_tree, d);
}

typedef int (*unpack_fn)(struct cas_put *put, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d);

static int unpack_by(unpack_fn fn, struct cas_writer *w, struct str archive,
	const struct unpack_options *o, struct str source, struct digest *ret_tree, struct diag *d)
{
	_cleanup_(cas_put_free_p) struct cas_put *put = NULL;
	int r = cas_put_new(&put, w);

	return r < 0 ? r : fn(put, archive, o, source, ret_tree, d);
}

int unpack_tar(struct cas_writer *w, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d)
{
	int r = UNPACK_WHOLE;

	if (inflate_is_gzip(archive) && archive.n <= UINT32_MAX &&
			inflate_guess(archive) > (o->max_whole ? o->max_whole : WHOLE_MAX))
		r = unpack_by(unpack_stream, w, archive, o, source, ret_tree, d);
	if (r == UNPACK_WHOLE) {
		if (d)
			diag_reset(d);
		r = unpack_by(unpack_whole, w, archive, o, source, ret_tree, d);
	}
	if (r < 0 && d && d->code != r)
		diag_errno(d, r, "unpacking an archive");
	return r;
}
