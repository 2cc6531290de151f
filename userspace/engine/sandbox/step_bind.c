// SPDX-License-Identifier: GPL-2.0-or-later
/* What a container sees of the host: each bind of the plan, in its order. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TMPFS_DEFAULT (64u << 20)

static int open_inside(const struct plan *p, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0444 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, p->root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
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
	fd = open_inside(p, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return mkdirat(fd, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_parents(const struct plan *p, const char *path)
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
	fd = open_inside(p, target, O_PATH | (dir ? O_DIRECTORY : 0));
	if (fd != -ENOENT)
		return fd;
	r = make_parents(p, target);
	if (r == 0 && dir)
		r = make_dir(p, target);
	if (r < 0)
		return r;
	return open_inside(p, target, dir ? O_PATH | O_DIRECTORY : O_RDONLY | O_CREAT);
}

/* A directory of the host's, for a bind: see no_links. */
static int open_source(const char *path, bool no_links)
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
static int copy_source(const char *source, uint64_t attributes, bool no_links)
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

int mount_copy(const char *source, uint64_t attributes)
{
	return copy_source(source, attributes, false);
}

int mount_attach(struct plan *p, int mount, const char *target, bool dir)
{
	_cleanup_fd_ int place = place_open(p, target, dir);

	if (place < 0)
		return place;
	return move_mount(mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ?
		-errno : 0;
}

static int bind_path(struct plan *p, const struct sandbox_bind *b)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		(b->kind == SANDBOX_BIND_RW ? 0 : MOUNT_ATTR_RDONLY);
	_cleanup_fd_ int fd = copy_source(b->source, attributes, b->no_links);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT && b->optional ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	p->at = b->target;
	return mount_attach(p, fd, b->target, S_ISDIR(st.st_mode));
}

/* The layers are named by descriptor: no colon, comma or backslash of a path needs escaping, and no
 * path of the host's shows in mountinfo. */
static int set_layer(struct plan *p, int fs, const char *key, const char *path, bool no_links,
	int *ret_fd)
{
	char name[32];

	p->at = path;
	*ret_fd = open_source(path, no_links);
	if (*ret_fd < 0)
		return *ret_fd;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", *ret_fd);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, name, 0) < 0 ? -errno : 0;
}

static int bind_overlay(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	_cleanup_fd_ int lower = -1, upper = -1, work = -1, mount = -1;
	int r;

	if (fs < 0)
		return -errno;
	r = set_layer(p, fs, "lowerdir", b->source, false, &lower);
	if (r == 0)
		r = set_layer(p, fs, "upperdir", b->upper, b->no_links, &upper);
	if (r == 0)
		r = set_layer(p, fs, "workdir", b->work, b->no_links, &work);
	if (r < 0)
		return r;
	p->at = b->target;
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return mount < 0 ? -errno : mount_attach(p, mount, b->target, true);
}

static int bind_tmpfs(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1;
	char size[24], mode[8];

	snprintf(size, sizeof(size), "%llu", (unsigned long long)(b->size ? b->size : TMPFS_DEFAULT));
	snprintf(mode, sizeof(mode), "%o", b->mode ? b->mode & 01777 : 0755);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "64k", 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return mount < 0 ? -errno : mount_attach(p, mount, b->target, true);
}

/* The root itself will be read-only; a copy of the mount of one directory in it stays writable. */
static int bind_scratch(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int place = place_open(p, b->target, true), mount = -1;

	if (place < 0)
		return place;
	if (b->mode && fchmodat(place, ".", b->mode & 01777, 0) < 0)
		return -errno;
	mount = open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (mount < 0)
		return -errno;
	return move_mount(mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ?
		-errno : 0;
}

static int make_link(struct plan *p, const struct sandbox_bind *b)
{
	char parent[PATH_MAX];
	const char *name = strrchr(b->target, '/') + 1;
	_cleanup_fd_ int fd = -1;

	if (strlen(b->target) >= sizeof(parent))
		return -ENAMETOOLONG;
	snprintf(parent, sizeof(parent), "%.*s", (int)MAX(name - b->target - 1, 1), b->target);
	fd = place_open(p, parent, true);
	if (fd < 0)
		return fd;
	return symlinkat(b->source, fd, name) < 0 ? -errno : 0;
}

static int make_file(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int fd = open_inside(p, b->target, O_WRONLY | O_CREAT | O_EXCL);
	int r;

	if (fd == -ENOENT) {
		r = make_parents(p, b->target);
		if (r < 0)
			return r;
		fd = open_inside(p, b->target, O_WRONLY | O_CREAT | O_EXCL);
	}
	return fd < 0 ? fd : fd_write_all(fd, b->source, strlen(b->source));
}

static int bind_one(struct plan *p, const struct sandbox_bind *b)
{
	p->at = b->target;
	switch (b->kind) {
	case SANDBOX_BIND_RO:
	case SANDBOX_BIND_RW:
	case SANDBOX_BIND_TREE:
		p->at = b->source;
		return bind_path(p, b);
	case SANDBOX_BIND_OVERLAY:
		return bind_overlay(p, b);
	case SANDBOX_BIND_TMPFS:
		return bind_tmpfs(p, b);
	case SANDBOX_BIND_SYMLINK:
		return make_link(p, b);
	case SANDBOX_BIND_FILE:
		return make_file(p, b);
	case SANDBOX_BIND_SCRATCH:
		return bind_scratch(p, b);
	}
	return -EINVAL;
}

int binds_enter(struct plan *p)
{
	int r = 0;

	vec_foreach(b, &p->binds) {
		r = bind_one(p, b);
		if (r < 0)
			return r;
	}
	p->at = NULL;
	return 0;
}
