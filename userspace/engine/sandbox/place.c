// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places below the new root, and mounts to put there. A path inside is always resolved as the
 * container would (RESOLVE_IN_ROOT): what a bound directory or a foreign root has for links leads
 * nowhere on the host.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel says EAGAIN when anybody on this host renamed or mounted while it resolved a "..". */
#define TRIES 1000

int open_inside(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0444 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	errno = EAGAIN;
	for (int i = 0; i < TRIES && fd < 0 && errno == EAGAIN; i++)
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/*
 * Not chdir: the builder still has descriptors of directories of the host's, and a root or whoever ran in
 * the container before may have made a link to /proc/self/fd of what is to be the working directory.
 */
int enter_directory(int root, const char *path)
{
	_cleanup_fd_ int fd = open_inside(root, path, O_PATH | O_DIRECTORY);

	if (fd < 0)
		return fd;
	return fchdir(fd) < 0 ? -errno : 0;
}

/*
 * Makes the directory `path`, whose parent is there. The parent is opened first because mkdirat
 * would follow a link in it, through "/", to the host.
 */
static int make_dir(const struct plan *p, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char parent[PATH_MAX];
	_cleanup_fd_ int fd = -1;

	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	fd = open_inside(p->root, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return mkdirat(fd, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int make_parents(const struct plan *p, const char *path)
{
	char prefix[PATH_MAX];
	int r = 0;

	if (strlen(path) >= sizeof(prefix))
		return -ENAMETOOLONG;
	for (size_t i = 1; path[i] && r == 0; i++) {
		if (path[i] != '/')
			continue;
		memcpy(prefix, path, i);
		prefix[i] = '\0';
		r = make_dir(p, prefix);
	}
	return r;
}

int place_open(struct plan *p, const char *target, bool dir)
{
	int fd, r;

	if (target[0] != '/')
		return -EINVAL;
	fd = open_inside(p->root, target, O_PATH | (dir ? O_DIRECTORY : 0));
	if (fd != -ENOENT)
		return fd;
	r = make_parents(p, target);
	if (r == 0 && dir)
		r = make_dir(p, target);
	if (r < 0)
		return r;
	return open_inside(p->root, target, dir ? O_PATH | O_DIRECTORY : O_RDONLY | O_CREAT);
}

/* For a bind of a directory that a container could write before: see no_links. */
int open_source(const char *path, bool no_links)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = no_links ? RESOLVE_NO_SYMLINKS : 0,
	};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Private: nothing that the host mounts later appears inside. All that is mounted below comes along,
 * for the kernel refuses to uncover what a mount hides. */
int mount_copy(const char *source, uint64_t attributes, bool no_links)
{
	struct mount_attr a = { .attr_set = attributes, .propagation = MS_PRIVATE };
	_cleanup_fd_ int place = open_source(source, no_links), fd = -1;

	if (place < 0)
		return place;
	fd = open_tree(place, "",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int mount_onto(int mount, int place)
{
	if (place < 0)
		return place;
	return move_mount(mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ?
		-errno : 0;
}

int mount_attach(struct plan *p, int mount, const char *target, bool dir)
{
	_cleanup_fd_ int place = place_open(p, target, dir);

	return mount_onto(mount, place);
}

int layer_dir_new(struct plan *p)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%u", p->made++);
	if (mkdirat(p->layer, name, 0755) < 0)
		return -errno;
	fd = openat(p->layer, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory itself where the root is the tmpfs, as it is then made at once; else one beside it. */
static int scratch_open(struct plan *p, const char *target)
{
	return p->layer < 0 ? place_open(p, target, true) : layer_dir_new(p);
}

int scratch_at(struct plan *p, const char *target, mode_t mode, uint64_t attributes)
{
	struct mount_attr a = { .attr_set = attributes };
	_cleanup_fd_ int place = scratch_open(p, target), mount = -1;
	int r;

	if (place < 0)
		return place;
	if (mode && fchmodat(place, ".", mode, 0) < 0)
		return -errno;
	mount = open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0)
		return -errno;
	r = p->layer < 0 ? mount_onto(mount, place) : mount_attach(p, mount, target, true);
	return r < 0 ? r : TAKE_FD(mount);
}

/*
 * A link at the target is not followed but covered: an /etc/resolv.conf is one to a directory that
 * only its own host has.
 */
int file_at(struct plan *p, const char *target, const char *text, mode_t mode)
{
	_cleanup_fd_ int place = open_inside(p->root, target, O_PATH | O_NOFOLLOW), fd = -1, mount = -1;
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	char name[16];
	int r;

	if (place == -ENOENT)
		place = place_open(p, target, false);
	if (place < 0)
		return place;
	snprintf(name, sizeof(name), "%u", p->made++);
	fd = openat(p->layer, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode ? mode : 0444);
	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return r;
	mount = open_tree(p->layer, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0)
		return -errno;
	return mount_onto(mount, place);
}

/* The layers are named by descriptor: no colon, comma or backslash of a path needs escaping, and no
 * path of the host's shows in mountinfo. */
static int set_layer(int fs, const char *key, int fd, int below)
{
	char name[64];
	int n = snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

	if (below >= 0)
		snprintf(name + n, sizeof(name) - (size_t)n, ":/proc/self/fd/%d", below);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, name, 0);
}

int overlay_make(int lower, int above, int upper, int work)
{
	_cleanup_fd_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int r = fs < 0 ? -1 : above < 0 ? set_layer(fs, "lowerdir", lower, -1) :
		set_layer(fs, "lowerdir", above, lower);
	int mount;

	if (r < 0 || set_layer(fs, "upperdir", upper, -1) < 0 || set_layer(fs, "workdir", work, -1) < 0 ||
		fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return mount < 0 ? -errno : mount;
}
