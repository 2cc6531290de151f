// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc of the container's own pid namespace, read-only as a whole. That takes from a container of
 * root's (whose uid the kernel takes for the host's root when it looks at the mode of a sysctl) every
 * switch in /proc/sys, sysrq-trigger and irq, and from all of them writing through /proc/self/mem.
 * What tells of the host's kernel or of keys is covered.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const char *const covered[] = { "kcore", "keys", "timer_list", "kallsyms", "cmdline" };

static int cover(struct plan *p, int proc, const char *name)
{
	_cleanup_fd_ int fd = -1;

	p->at = name;
	fd = mount_copy("/dev/null", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
	if (fd < 0)
		return fd;
	if (move_mount(fd, "", proc, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

int proc_enter(struct plan *p)
{
	_cleanup_fd_ int fs = fsopen("proc", FSOPEN_CLOEXEC), mount = -1;
	int r;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		MOUNT_ATTR_NOEXEC);
	if (mount < 0)
		return -errno;
	p->at = "/proc";
	r = mount_attach(p, mount, "/proc", true);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(covered); i++) {
		r = cover(p, mount, covered[i]);
		if (r < 0)
			return r;
	}
	p->at = NULL;
	return 0;
}
