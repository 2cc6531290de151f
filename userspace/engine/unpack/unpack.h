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
/* The contents of a file, .p == NULL where there is none (or they are not in memory: then what comes
 * of it does not count, and all is done again with the whole archive in memory). */
struct str unpack_find(const struct unpack_view *view, struct str path);

struct unpack_file {
	struct str path;
	struct str contents;	/* all of them, or the first UNPACK_BEGINNING bytes */
	uint64_t size;
};
#define UNPACK_BEGINNING 512
#define UNPACK_WHOLE	 1

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
	uint64_t max_whole;		/* archives beyond it are unpacked as a stream; 0: 8 MiB */
	/* All three may be NULL. Paths are after stripping.
	 * first: before any file is put; can look at any of them through unpack_find. */
	int (*first)(void *data, const struct unpack_view *view, struct diag *d);
	/* each: may give other contents (fill `changed`) and set the mode bit. UNPACK_WHOLE asks for
	 * the contents, where only their beginning is in memory. */
	int (*each)(void *data, const struct unpack_file *f, struct buf *changed, bool *executable,
		struct diag *d);
	/* last: when all files were put, before the commit; may add to the tree. */
	int (*last)(void *data, struct tree_builder *b, struct diag *d);
	void *data;
};

/* A gzip-compressed (or plain) tar: ustar, pax, GNU long names. `source` becomes CAS_SOURCE's key. */
int unpack_tar(struct cas_writer *w, struct str archive, const struct unpack_options *o,
	struct str source, struct digest *ret_tree, struct diag *d);

#endif
