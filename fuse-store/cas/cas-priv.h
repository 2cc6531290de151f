/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the read side and the write side of the store share. */
#ifndef CRATONS_CAS_CAS_PRIV_H
#define CRATONS_CAS_CAS_PRIV_H

#include "cas/cas.h"
#include "cas/index.h"

#include "base/map.h"
#include "prim/vec.h"

#define STORE_VERSION "1\n"
#define INDEX_PATH    "index"

/* A pack (by its id) or a large object that is open. */
struct open_file {
	struct digest key;
	int fd;
};

struct open_tree {
	struct digest key;
	struct tree *tree;
};

/*
 * Everything handed out lives as long as the handle: files, trees and indexes that were replaced
 * (after a repair) are kept aside, not closed.
 */
struct cas {
	int store_fd;
	pthread_rwlock_t lock;		/* of all below */
	struct index *index;
	VEC(struct index *) old_indexes;
	struct map files;		/* digest → struct open_file */
	struct map trees;		/* digest → struct open_tree */
	VEC(int) old_files;
};

/* "packs/ab/abcd…": relative to the store. */
#define CAS_PATH_MAX 96
const char *cas_path(char buf[CAS_PATH_MAX], const char *kind, const struct digest *d);

/* The index at this moment (kept until cas_free). */
struct index *cas_index(struct cas *c);
/* Takes up an index that was made anew: 1 if there is another one now, 0 if not. */
int cas_refresh(struct cas *c, struct diag *d);

/* 0; -ERR_STORE_MISSING; -ERR_STORE if it cannot be read; -ERR_STORE_VERSION for another one. */
int cas_check_version(int store_fd, struct diag *d);

/* `home` has been opened and the store exists: no check of the index is made. */
int cas_new(struct cas **ret, int store_fd, struct diag *d);

/* Where an object is: 0, -ERR_STORE_MISSING; `pack` is filled for packed ones. */
int cas_find(struct cas *c, const struct digest *object, struct index_object *ret,
	struct index_pack *pack);

/* As cas_tree, but the caller's own. */
int cas_load_tree(struct cas *c, const struct digest *digest, struct tree **ret, struct diag *d);

/* Forgets a file that is open if there is another one under its name now: true if so. */
bool cas_reopen(struct cas *c, const struct digest *key, const char *kind);

static inline struct str digest_key(const struct digest *d)
{
	return str_of(d->b, sizeof(d->b));
}

#endif
