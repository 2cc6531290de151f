// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc of the container's own pid namespace, read-only as a whole. That takes from a container of
 * root's (whose uid the kernel takes for the host's root when it looks at the mode of a sysctl) every
 * switch in /proc/sys, sysrq-trigger and irq, and from all of them writing through /proc/self/mem.
 * What tells of the host's kernel, of keys or of when keys are pressed is covered; and for a container of
 * root's what the kernel shows to the host's root by the mode of a file alone.
 *
 * Not subset=pid: runtimes ask /proc for memory and processors (docs/sandbox.md).
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const char *const files[] = { "kcore", "keys", "timer_list", "kallsyms", "cmdline", "interrupts",
	"iomem", "ioports", "sched_debug", "latency_stats", "timer_stats" };
static const char *const of_root[] = { "kmsg", "kpagecount", "kpageflags", "kpagecgroup", "slabinfo",
	"vmallocinfo", "pagetypeinfo", "zoneinfo", "allocinfo" };
/* Of the host's hardware and file systems. */
static const char *const directories[] = { "acpi", "asound", "bus", "fs", "scsi" };

#define EMPTY ".empty"

/* With copies of what is called `with` in /dev. */
static int cover(struct plan *p, int proc, const char *const *names, size_t n, const char *with)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC };

	for (size_t i = 0; i < n; i++) {
		_cleanup_fd_ int fd = -1;

		p->at = names[i];
		if (faccessat(proc, names[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		fd = open_tree(p->dev, with, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0 ||
			move_mount(fd, "", proc, names[i], MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

/* A directory that was removed since is empty, and nothing can be made in it. */
static int cover_directories(struct plan *p, int proc)
{
	int r;

	if (mkdirat(p->dev, EMPTY, 0555) < 0)
		return -errno;
	r = cover(p, proc, directories, ARRAY_SIZE(directories), EMPTY);
	if (r == 0 && unlinkat(p->dev, EMPTY, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
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
	r = cover(p, mount, files, ARRAY_SIZE(files), "null");
	if (r == 0 && p->of_root)
		r = cover(p, mount, of_root, ARRAY_SIZE(of_root), "null");
	if (r == 0)
		r = cover_directories(p, mount);
	if (r == 0)
		p->at = NULL;
	return r;
}
