/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An environment as ordinary files, for where FUSE cannot be had or an editor wants them: the
 * directory is made to be what the tree says, by writing what differs and removing what is not in it.
 * Files carry a fixed time, so that one that was changed since is told by its own.
 */
#ifndef CRATONS_ENGINE_ENV_MATERIALIZE_H
#define CRATONS_ENGINE_ENV_MATERIALIZE_H

#include "cas/cas.h"

enum materialize_how {
	MATERIALIZE_AUTO,	/* reflink where the file system can, else copy */
	MATERIALIZE_REFLINK,	/* refused where it cannot */
	MATERIALIZE_HARDLINK,	/* large files share the store's; small ones, which are packed, are copied */
	MATERIALIZE_COPY,
};

struct materialize_result {
	uint64_t files, written, removed, bytes;
	uint64_t shared;	/* by reflink or hard link */
};

/*
 * Makes dirfd/name what the tree is. A directory that is there and was not made by this (no record in
 * dirfd/.cratons) is refused, not overwritten. What was read is verified; the written files are not
 * synced to disk.
 */
int materialize(struct cas *c, int dirfd, const char *name, const struct digest *tree,
	enum materialize_how how, struct materialize_result *ret, struct diag *d);

#endif
