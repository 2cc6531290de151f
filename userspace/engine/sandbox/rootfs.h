/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory that is to be a container's root: whether it may be one, and who lives in it. What is
 * read of it is read as the container would see it: its links lead nowhere else.
 */
#ifndef CRATONS_ENGINE_SANDBOX_ROOTFS_H
#define CRATONS_ENGINE_SANDBOX_ROOTFS_H

#include "base/arena.h"
#include "prim/diag.h"

#include <sys/types.h>

/*
 * *ret_real (in the arena) is the path without links, for struct sandbox_root. -ERR_CONTAINER, with a
 * reason, for what is not a directory; is one of the system's own or holds one; holds one of `apart`
 * (the caller's home, the store; NULL-terminated, may be NULL); belongs to somebody else than the
 * caller or root; or can be written by everybody.
 */
int rootfs_check(struct arena *a, const char *path, const char *const *apart, const char **ret_real,
	struct diag *d);

/* -ERR_CONTAINER unless it has at least one of the directories that programs live in. */
int rootfs_check_shape(const char *path, struct diag *d);

struct rootfs_user {
	uid_t uid;
	gid_t gid;
	const char *name;	/* NULL: a number that /etc/passwd does not have */
	const char *home;	/* absolute; "/" where there is none */
};

/*
 * "UID", "NAME", either with ":GID" or ":GROUP" behind it, by the /etc/passwd and /etc/group below
 * `root_fd`. Without a group it is that of the user's line, else the uid's number. -ERR_CONTAINER for
 * a name that is not there. Texts are in the arena.
 */
int rootfs_find_user(int root_fd, struct arena *a, struct str who, struct rootfs_user *ret,
	struct diag *d);

/* Makes the two directories of an overlay that is kept, below `dir`, which is there or made. */
int rootfs_layer(struct arena *a, const char *dir, const char **ret_upper, const char **ret_work,
	struct diag *d);

#endif
