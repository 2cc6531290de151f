/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be known of the service's own mount namespace, read in one pass over
 * /proc/self/mountinfo (proc_pid_mountinfo(5)) of which nothing is kept. It is the one source that
 * asks no file system: a statfs() or stat() of a FUSE mount would wait for the user who serves it. And
 * a mount that is not in it is none of this namespace's, which the kernel does not check everywhere:
 * since Linux 6.15 it attaches mounts to detached trees as well, where their owner could take nosuid
 * and nodev away again.
 */
#ifndef CRATONS_MOUNTD_MOUNTINFO_H
#define CRATONS_MOUNTD_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mount_kind {
	MOUNT_OTHER,
	MOUNT_PLAIN,	/* of a file system that users' directories are on */
	MOUNT_CRATONS,	/* fuse.cratons */
};

struct mountinfo {
	/* Asked: one mount by its number (STATX_MNT_ID), and whose mounts to count. */
	uint64_t id;
	uint32_t uid;

	/* Told. */
	bool found;
	enum mount_kind kind;
	uint64_t parent;
	bool of_user;		/* it is of kind MOUNT_CRATONS and its user_id is uid */
	unsigned children;	/* mounts right in it */
	unsigned users, all;	/* mounts of kind MOUNT_CRATONS: of uid, and of everybody */

	/* The line that is being read, without what was read of it. A token longer than any that matters
	 * fills the array and so equals none. */
	struct {
		unsigned field;
		unsigned after;		/* fields since the lone "-" */
		size_t len;
		char token[40];
		bool bad;
		uint64_t id, parent;
		enum mount_kind kind;
		bool of_user;
	} line;
};

/* Takes the next bytes. What does not have the form of a line is passed over. */
void mountinfo_feed(struct mountinfo *m, const char *bytes, size_t n);

/* Reads all of it. 0 or -errno; whether the mount was there is m->found. */
int mountinfo_read(struct mountinfo *m);

#endif
