/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_SCRIPTS_INGEST_H
#define CRATONS_ENGINE_SCRIPTS_INGEST_H

#include "cas/cas-write.h"

/*
 * A directory on disk into the store, as a tree: files with their mode bit, links as they stand,
 * directories. Anything else (sockets, pipes, devices) is left out. `source` is as for
 * cas_put_commit. -ERR_LIMIT past a million entries or TREE_DEPTH_MAX levels.
 */
int ingest_directory(struct cas_writer *w, int dirfd, struct str source, struct digest *ret,
	struct diag *d);

#endif
