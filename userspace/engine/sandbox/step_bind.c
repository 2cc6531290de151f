// SPDX-License-Identifier: GPL-2.0-or-later
/* What a container sees of the host: each bind of the plan, in its order. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TMPFS_DEFAULT (64u << 20)

/* What step_dev.c gives as well: null, zero, full, random, urandom. */
static bool is_harmless(const struct stat *st)
{
	unsigned n = minor(st->st_rdev);

	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 && (n == 3 || n == 5 || (n >= 7 && n <= 9));
}

/* A file is often hidden by putting /dev/null there, which has to be one then. Its mode stays the host's. */
static int let_device(int fd)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = MOUNT_ATTR_NODEV };

	return mount_setattr(fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0 ? -errno : 0;
}

static int bind_path(struct plan *p, const struct sandbox_bind *b)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		(b->kind == SANDBOX_BIND_RW ? 0 : MOUNT_ATTR_RDONLY) |
		(b->no_exec ? MOUNT_ATTR_NOEXEC : 0) };
	bool whole = strcmp(b->source, "/") == 0;
	_cleanup_fd_ int fd = whole ? TAKE_FD(p->host) : mount_copy(b->source, a.attr_set, b->no_links);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return whole ? -EBUSY : fd == -ENOENT && b->optional ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (whole && mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
		return -errno;
	if (is_harmless(&st))
		r = let_device(fd);
	p->at = b->target;
	return r < 0 ? r : mount_attach(p, fd, b->target, S_ISDIR(st.st_mode));
}

static int bind_overlay(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int lower = -1, upper = -1, work = -1, mount = -1;

	p->at = b->source;
	lower = open_source(b->source, false);
	if (lower < 0)
		return lower;
	p->at = b->upper;
	upper = b->upper ? open_source(b->upper, b->no_links) : layer_dir_new(p);
	if (upper < 0)
		return upper;
	p->at = b->work;
	work = b->upper ? open_source(b->work, b->no_links) : layer_dir_new(p);
	if (work < 0)
		return work;
	p->at = b->target;
	mount = overlay_make(lower, -1, upper, work);
	return mount < 0 ? mount : mount_attach(p, mount, b->target, true);
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
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		(b->no_exec ? MOUNT_ATTR_NOEXEC : 0));
	return mount < 0 ? -errno : mount_attach(p, mount, b->target, true);
}

static int bind_mqueue(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int fs = fsopen("mqueue", FSOPEN_CLOEXEC), mount = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return mount < 0 ? -errno : mount_attach(p, mount, b->target, true);
}

/* The root itself will be read-only; a mount of one directory in it stays writable. */
static int bind_scratch(struct plan *p, const struct sandbox_bind *b)
{
	_cleanup_fd_ int fd = scratch_at(p, b->target, b->mode & 01777,
		p->s->root.read_only ? MOUNT_ATTR_RDONLY : 0);

	return fd < 0 ? fd : 0;
}

static int mask_with(struct plan *p, bool dir)
{
	_cleanup_fd_ int fs = -1;
	int fd;

	if (!dir)
		return mount_copy("/dev/null",
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

static int change_place(struct plan *p, const struct sandbox_bind *b)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_fd_ int place = open_inside(p->root, b->target, O_PATH), mount = -1;
	struct stat st;

	if (place == -ENOENT || place == -ENOTDIR)
		return 0;
	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		return -errno;
	if (b->kind == SANDBOX_BIND_MASK) {
		mount = mask_with(p, S_ISDIR(st.st_mode));
		return mount < 0 ? mount : mount_onto(mount, place);
	}
	mount = open_tree(place, "",
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	if (mount < 0 || mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
		return -errno;
	return mount_onto(mount, place);
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
	_cleanup_fd_ int fd = open_inside(p->root, b->target, O_WRONLY | O_CREAT | O_EXCL);
	int r;

	if (fd == -ENOENT) {
		r = make_parents(p, b->target);
		if (r < 0)
			return r;
		fd = open_inside(p->root, b->target, O_WRONLY | O_CREAT | O_EXCL);
	}
	if (fd >= 0 && b->mode && fchmod(fd, b->mode) < 0)
		return -errno;
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
		return p->layer < 0 ? make_file(p, b) : file_at(p, b->target, b->source, b->mode);
	case SANDBOX_BIND_MQUEUE:
		return bind_mqueue(p, b);
	case SANDBOX_BIND_MASK:
	case SANDBOX_BIND_SEAL:
		return change_place(p, b);
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
