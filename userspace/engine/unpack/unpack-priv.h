/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_UNPACK_PRIV_H
#define CRATONS_ENGINE_UNPACK_PRIV_H

#include "base/arena.h"
#include "base/map.h"
#include "engine/unpack/tar.h"
#include "engine/unpack/unpack.h"
#include "prim/vec.h"

struct unpack_item {
	enum tar_kind kind;
	bool executable;
	struct str path;
	struct str target;	/* hard links: the path of what they are another name of */
	struct str contents;
	bool put;		/* it was large and is in staging: contents are only the beginning */
	struct cas_file file;
};

/* All entries, judged and with final paths, before anything is put; hard links have become files.
 * Contents are borrowed from the archive. Of a stream, small ones are copied, large ones are put as
 * they come by: a put that is given up leaves nothing. */
struct unpack_view {
	struct arena arena;
	VEC(struct unpack_item) items;
	struct map by_path;	/* path → index + 1 */
	uint64_t bytes;
	bool stream;
	struct cas_put *put;	/* of a stream: for what comes later */
	bool lacking;		/* something was looked for that is not in memory */
};

int unpack_view_read(struct unpack_view *v, const struct unpack_options *o, struct str tar,
	bool need_end, struct diag *d);
int unpack_view_stream(struct unpack_view *v, const struct unpack_options *o, tar_fill_fn fill,
	void *data, uint64_t max, struct cas_put *put, struct diag *d);
void unpack_view_done(struct unpack_view *v);

#endif
