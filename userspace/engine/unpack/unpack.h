/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives to trees, straight into the store: no temporary files, nothing outside the put. An archive
 * that is not acceptable is refused whole (-ERR_ARCHIVE) and the diagnostic names the entry.
 */
#ifndef CRATONS_ENGINE_UNPACK_H
#define CRATONS_ENGINE_UNPACK_H

#include "cas/cas-write.h"

/* The archive's files, before they are put. */
struct unpack_view;
/* The contents of a file, .p == NULL where there is none. */
struct str unpack_find(const struct unpack_view *view, struct str path);

enum unpack_links {
	UNPACK_LINKS_SKIP,	/* npm: links in packages are left out, as npm and pnpm do */
	UNPACK_LINKS_INSIDE,	/* kept when they stay inside the tree, otherwise refused */
};

struct unpack_options {
	unsigned strip;			/* leading path parts to drop: 1 for npm */
	enum unpack_links links;
	uint64_t max_bytes;		/* of all files unpacked; 0: 4 GiB */
	uint64_t max_entries;		/* 0: 1 million */
	unsigned max_ratio;		/* unpacked : packed, beyond 64 MiB; 0: 250 */
	/* All three may be NULL. Paths are after stripping.
	 * first: before any file is put; can look at any of them through unpack_find. */
	int (*first)(void *data, const struct unpack_view *view, struct diag *d);
	/* each: may give other contents (fill `changed`) and set the mode bit. */
	int (*each)(void *data, struct str path, struct str contents, struct buf *changed,
		bool *executable, struct diag *d);
	/* last: when all files were put, before the commit; may add to the tree. */
	int (*last)(void *data, struct tree_builder *b, struct diag *d);
	void *data;
};

/* A gzip-compressed (or plain) tar: ustar, pax, GNU long names. `source` becomes CAS_SOURCE's key. */
int unpack_tar(struct cas_writer *w, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d);

#endif
