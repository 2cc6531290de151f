/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_LOCKFILE_PRIV_H
#define CRATONS_ENGINE_LOCKFILE_PRIV_H

#include "base/toml_read.h"
#include "engine/lock/lockfile.h"

#define LOCKFILE_SIZE_MAX  ((size_t)64 << 20)
#define LOCK_LIST_MAX	   20000	/* entries of one package's list */
#define LOCK_REQUIREMENT_MAX 2048
#define LOCK_TEXT_MAX	   65536	/* of a deprecation */
#define PEERS_HASH_LEN	   16

/* Sorts, indexes and checks; r->doc is NULL when the lockfile was made in memory. */
int lockfile_settle_in(struct toml_reader *r, struct lockfile *l);

/* Splits "npm:@a/b@1.0.0+0123456789abcdef" into the package's parts; false when it is malformed. */
bool lock_id_split(struct str id, struct lock_package *p);

/* How the lockfile writes a kind; NULL for kinds that a root cannot have. */
const char *lock_kind_name(enum dependency_kind kind);

#endif
