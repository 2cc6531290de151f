// SPDX-License-Identifier: GPL-2.0-or-later
#include "server.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int write_proc(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd_write_all(fd, text, strlen(text));
}

/* One id is mapped, to itself, which needs no helper of the host's (user_namespaces(7)); setgroups
 * has to be given up for the group's. Root gets the same: its server has no more power over the
 * host than another user's. */
static int map_ids(const struct server *s)
{
	char map[64];
	int r;

	r = write_proc("/proc/self/setgroups", "deny");
	if (r < 0 && r != -ENOENT)
		return r;
	snprintf(map, sizeof(map), "%u %u 1\n", (unsigned)s->uid, (unsigned)s->uid);
	r = write_proc("/proc/self/uid_map", map);
	if (r < 0)
		return r;
	snprintf(map, sizeof(map), "%u %u 1\n", (unsigned)s->gid, (unsigned)s->gid);
	return write_proc("/proc/self/gid_map", map);
}

/* The new mount namespace belongs to the new user namespace, so the kernel makes its mounts slaves
 * of the host's: what the host mounts later appears, what it unmounts goes, nothing leaks back. */
int server_namespaces(struct server *s, struct diag *d)
{
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		diag_errno(d, -errno, "cannot make a user namespace for the store's mount");
		return diag_hint(d, "'cratons doctor' tells what this host allows");
	}
	r = map_ids(s);
	if (r < 0)
		return diag_errno(d, r, "cannot map the user's own id into a user namespace");
	s->user_ns = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	s->mount_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (s->user_ns < 0 || s->mount_ns < 0)
		return diag_errno(d, -errno, "cannot open the server's namespaces");
	return 0;
}

static int mount_point(struct server *s, struct diag *d)
{
	int n;

	if (s->at) {
		n = snprintf(s->mount, sizeof(s->mount), "%s", s->at);
	} else {
		if (mkdirat(s->run_fd, FUSED_MOUNT, 0700) < 0 && errno != EEXIST)
			return diag_errno(d, -errno, "cannot make %s/run/" FUSED_MOUNT, s->home);
		n = snprintf(s->mount, sizeof(s->mount), "%s/run/" FUSED_MOUNT, s->home);
	}
	if (n < 0 || (size_t)n >= sizeof(s->mount))
		return diag_fail(d, -ENAMETOOLONG, "the path of the mount is too long");
	return 0;
}

/* /dev/fuse must be opened in the user namespace that mounts it: the kernel compares the two. */
static int mount_here(struct server *s)
{
	char options[160];
	int r;

	s->device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (s->device < 0)
		return -errno;
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other,default_permissions", s->device,
		(unsigned)s->uid, (unsigned)s->gid);
	if (mount("cratons", s->mount, "fuse.cratons", MS_NOSUID | MS_NODEV | MS_RDONLY | MS_NOATIME,
		options) == 0)
		return 0;
	r = -errno;
	close(TAKE_FD(s->device));
	return r;
}

static int cannot_mount(const struct server *s, int r, struct diag *d)
{
	if (access("/dev/fuse", R_OK | W_OK) == 0)
		return diag_errno(d, r, "cannot mount the store at %s", s->mount);
	diag_errno(d, -errno, "cannot open /dev/fuse");
	return diag_hint(d, "it must exist (modprobe fuse) and let users write "
		"(mode 0666); --materialize does without it");
}

int server_mount(struct server *s, struct diag *d)
{
	int r = mount_point(s, d);

	if (r < 0)
		return r;
	r = mount_here(s);
	/* On the host an ordinary user may neither mount nor, on some machines, open the device. */
	if (s->at && (r == -EPERM || r == -EACCES)) {
		s->device = service_mount(s->mount, d);
		if (s->device == -ENXIO)
			s->device = fusermount_mount(s->mount, d);
		return MIN(s->device, 0);
	}
	return r < 0 ? cannot_mount(s, r, d) : 0;
}
