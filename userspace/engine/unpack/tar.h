/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading tar, from memory or as a stream: ustar (POSIX.1-1988), pax (POSIX.1-2001), GNU long names and base-256
 * numbers. Entries are given with their names as they stand; the caller judges them. Whatever is not
 * a file, a directory or a link, and whatever is inconsistent, is -ERR_ARCHIVE.
 */
#ifndef CRATONS_ENGINE_UNPACK_TAR_H
#define CRATONS_ENGINE_UNPACK_TAR_H

#include "prim/buf.h"
#include "prim/diag.h"

enum tar_kind { TAR_FILE, TAR_DIR, TAR_SYMLINK, TAR_HARDLINK };

struct tar_entry {
	enum tar_kind kind;
	struct str name;	/* borrowed until the next call */
	struct str target;	/* links; likewise */
	struct str contents;	/* files; points into the archive; of a stream: until the next call */
	uint64_t size;		/* files */
	bool later;		/* of a stream, more than TREE_CHUNK bytes: comes through tar_read */
	bool executable;
};

/* Gives n bytes, fewer only at the end. */
typedef int (*tar_fill_fn)(void *data, void *to, size_t n, size_t *ret_n, struct diag *d);

struct tar_reader {
	struct str bytes;
	size_t at;
	bool need_end;		/* the end-of-archive mark must be there: nothing else tells a cut */
	struct buf name, target;	/* from pax and GNU headers, for the entry that follows */
	bool has_name, has_target, has_size;
	uint64_t size;
	uint64_t extended;	/* bytes of headers before the entry that follows */
	struct buf short_name, short_target;

	/* A stream: `bytes` is then a window of it. */
	tar_fill_fn fill;
	void *fill_data;
	struct buf window;
	bool ended;
	uint64_t max;
	uint64_t pending, padding;	/* of the entry's contents: not read yet */
	struct str current;		/* its name */
};

void tar_init(struct tar_reader *t, struct str bytes, bool need_end);
/* `max`: what the whole can have at most, so that a size that lies is refused at once. */
void tar_init_stream(struct tar_reader *t, tar_fill_fn fill, void *data, uint64_t max);
void tar_done(struct tar_reader *t);

/* 1 and an entry, 0 at the end, or -ERR_ARCHIVE with the entry named. */
int tar_next(struct tar_reader *t, struct tar_entry *ret, struct diag *d);

/* The next n bytes of an entry that comes later; what is not read is passed over. */
int tar_read(struct tar_reader *t, void *to, size_t n, struct diag *d);
/* Reads what follows the last entry, so that `fill` has seen the end. */
int tar_drain(struct tar_reader *t, struct diag *d);

/* -ERR_ARCHIVE, with as much of the entry's name as helps to find it. */
int tar_refuse(struct diag *d, struct str name, const char *why);

#endif
