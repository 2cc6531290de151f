// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev: the harmless devices of the host, terminals of the container's own, shared memory. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
	"/dev/urandom", "/dev/tty" };

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

/* Read-only, so that a container of root's cannot change a device's mode on the host; writing to the
 * device itself is not concerned. */
static int bind_device(struct plan *p, const char *path)
{
	_cleanup_fd_ int fd = -1, place = -1;

	p->at = path;
	fd = mount_copy(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
	if (fd < 0)
		return fd;
	place = openat(p->dev, path + strlen("/dev/"), O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (place < 0 || move_mount(fd, "", place, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* Of some 3,000 that all containers have together. */
#define TERMINALS_MAX "256"

static int mount_pts(struct plan *p)
{
	_cleanup_fd_ int fs = fsopen("devpts", FSOPEN_CLOEXEC), mount = -1;

	p->at = "/dev/pts";
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "newinstance", NULL, 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0620", 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "max", TERMINALS_MAX, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mount < 0 || mkdirat(p->dev, "pts", 0755) < 0 ||
		move_mount(mount, "", p->dev, "pts", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* In the tmpfs of the root, which becomes read-only as a whole, or a mount over a foreign root's. */
static int make_dev(struct plan *p)
{
	p->at = "/dev";
	if (p->layer >= 0)
		p->dev = scratch_at(p, "/dev", 0755, MOUNT_ATTR_NOEXEC);
	else
		p->dev = place_open(p, "/dev", true);
	return MIN(p->dev, 0);
}

/* Before the binds, so that one of a file below /dev is seen. */
int dev_enter(struct plan *p)
{
	int r = make_dev(p);

	for (size_t i = 0; i < ARRAY_SIZE(devices) && r == 0; i++)
		r = bind_device(p, devices[i]);
	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
		p->at = links[i].name;
		if (symlinkat(links[i].target, p->dev, links[i].name) < 0)
			r = -errno;
	}
	if (r == 0)
		r = mount_pts(p);
	if (r == 0)
		p->at = NULL;
	return r;
}
