// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount namespace: a tmpfs becomes the root, holding what is bound into it and nothing else.
 *
 * It is attached on top of "/" and filled through its descriptor. Until the pivot, absolute paths
 * still lead to the host's files, because a process's own root is below what is mounted over it.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define SCRATCH_DEFAULT ((uint64_t)1 << 30)

int root_prepare(struct plan *p, struct diag *d)
{
	uint64_t size = p->s->limits.scratch ? p->s->limits.scratch : SCRATCH_DEFAULT;

	snprintf(p->tmpfs_size, sizeof(p->tmpfs_size), "%llu", (unsigned long long)size);
	return 0;
}

/* The inodes are bounded as well: a flood of empty files costs kernel memory that size= misses. */
int root_enter(struct plan *p)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", p->tmpfs_size, 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "256k", 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	p->root = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (p->root < 0 ||
		move_mount(p->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* With both names ".", the old root ends up on top of the new one, whence it is detached
 * (pivot_root(2), "pivot_root(".", ".")"). */
int pivot_enter(struct plan *p)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(p->root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0 ||
		fchdir(p->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	p->at = p->s->cwd;
	if (p->s->cwd && chdir(p->s->cwd) < 0)
		return -errno;
	p->at = NULL;
	return 0;
}
