/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading tar from memory: ustar (POSIX.1-1988), pax (POSIX.1-2001), GNU long names and base-256
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
	struct str contents;	/* files; points into the archive */
	bool executable;
};

struct tar_reader {
	struct str bytes;
	size_t at;
	bool need_end;		/* the end-of-archive mark must be there: nothing else tells a cut */
	struct buf name, target;	/* from pax and GNU headers, for the entry that follows */
	bool has_name, has_target, has_size;
	uint64_t size;
	uint64_t extended;	/* bytes of headers before the entry that follows */
	struct buf short_name;
};

void tar_init(struct tar_reader *t, struct str bytes, bool need_end);
void tar_done(struct tar_reader *t);

/* 1 and an entry, 0 at the end, or -ERR_ARCHIVE with the entry named. */
int tar_next(struct tar_reader *t, struct tar_entry *ret, struct diag *d);

/* -ERR_ARCHIVE, with as much of the entry's name as helps to find it. */
int tar_refuse(struct diag *d, struct str name, const char *why);

#endif
