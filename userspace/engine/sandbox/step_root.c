// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount namespace and what becomes the root in it: a tmpfs that holds what is bound into it and
 * nothing else, or a directory or a tree of the store's.
 *
 * All is attached on top of "/" and filled through descriptors. Until the pivot, absolute paths
 * still lead to the host's files, because a process's own root is below what is mounted over it.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "engine/sandbox/rootfs.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SCRATCH_DEFAULT ((uint64_t)1 << 30)
#define INODE_BYTES	4096
#define INODES_MIN	4096
#define INODES_MAX	((uint64_t)256 << 10)

static bool is_known(const struct sandbox_root *r)
{
	if (r->kind == SANDBOX_ROOT_HOST)
		return !r->path && r->layer <= SANDBOX_LAYER_SCRATCH;
	if (!r->path || r->path[0] != '/')
		return false;
	if (r->layer == SANDBOX_LAYER_KEPT)
		return r->layer_dir != NULL;
	return r->layer != SANDBOX_LAYER_DIRECT || r->kind == SANDBOX_ROOT_DIR;
}

int root_prepare(struct plan *p, struct diag *d)
{
	uint64_t size = p->s->limits.scratch ? p->s->limits.scratch : SCRATCH_DEFAULT;
	const struct sandbox_root *root = &p->s->root;

	snprintf(p->tmpfs_size, sizeof(p->tmpfs_size), "%llu", (unsigned long long)size);
	snprintf(p->tmpfs_inodes, sizeof(p->tmpfs_inodes), "%llu",
		(unsigned long long)MAX(MIN(size / INODE_BYTES, INODES_MAX), INODES_MIN));
	if (!is_known(root))
		return diag_fail(d, -ERR_CONTAINER, "such a root with such a layer cannot be made");
	if (root->layer == SANDBOX_LAYER_KEPT)
		return rootfs_layer(&p->arena, root->layer_dir, &p->upper, &p->work, d);
	return 0;
}

static int attach(int mount)
{
	return move_mount(mount, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* The inodes are bounded as well, in proportion: a flood of empty files costs kernel memory that size=
 * misses. */
static int make_tmpfs(struct plan *p, int *ret)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", p->tmpfs_size, 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", p->tmpfs_inodes, 0) < 0 ||
		fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	*ret = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return *ret < 0 ? -errno : attach(*ret);
}

static int over(struct plan *p, int lower, int skeleton)
{
	_cleanup_fd_ int upper = -1, work = -1;
	bool kept = p->s->root.layer == SANDBOX_LAYER_KEPT;

	upper = kept ? open_source(p->upper, true) : layer_dir_new(p);
	if (upper < 0)
		return upper;
	work = kept ? open_source(p->work, true) : layer_dir_new(p);
	if (work < 0)
		return work;
	return overlay_make(lower, skeleton, upper, work);
}

/* Nothing is written below a foreign root: for a place that it lacks there is an overlay. */
static int foreign_root(struct plan *p)
{
	const struct sandbox_root *root = &p->s->root;
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	bool no_links = root->kind == SANDBOX_ROOT_DIR;
	_cleanup_fd_ int dir = -1, skeleton = -1;
	int r;

	p->at = root->path;
	dir = open_source(root->path, no_links);
	if (dir < 0)
		return dir;
	if (root->layer == SANDBOX_LAYER_DIRECT)
		return mount_copy(root->path, attributes, no_links);
	r = skeleton_make(p, dir, &skeleton);
	if (r < 0)
		return r;
	p->at = root->path;
	if (root->layer == SANDBOX_LAYER_NONE && skeleton < 0)
		return mount_copy(root->path, attributes | MOUNT_ATTR_RDONLY, no_links);
	return over(p, dir, skeleton);
}

static int own_root(struct plan *p)
{
	_cleanup_fd_ int dir = layer_dir_new(p);
	int mount;

	if (dir < 0)
		return dir;
	mount = open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return mount < 0 ? -errno : mount;
}

static bool needs_layer(const struct plan *p)
{
	vec_foreach(b, &p->binds)
		if (b->kind == SANDBOX_BIND_OVERLAY && !b->upper)
			return true;
	return p->s->root.layer != SANDBOX_LAYER_NONE;
}

/* Later a copy of "/" would have what lies on top of it by then. */
static int copy_host(struct plan *p)
{
	vec_foreach(b, &p->binds)
		if (b->kind <= SANDBOX_BIND_RW && strcmp(b->source, "/") == 0 && p->host < 0) {
			p->at = b->source;
			p->host = mount_copy("/", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, false);
			if (p->host < 0)
				return p->host;
		}
	p->at = NULL;
	return 0;
}

int root_enter(struct plan *p)
{
	const struct sandbox_root *root = &p->s->root;
	int r = copy_host(p);

	if (r < 0)
		return r;
	if (root->kind == SANDBOX_ROOT_HOST && !needs_layer(p))
		return make_tmpfs(p, &p->root);
	r = make_tmpfs(p, &p->layer);
	if (r < 0)
		return r;
	p->root = root->kind == SANDBOX_ROOT_HOST ? own_root(p) : foreign_root(p);
	r = p->root < 0 ? p->root : attach(p->root);
	if (r == 0)
		p->at = NULL;
	return r;
}

static int close_writing(struct plan *p)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (p->layer >= 0 &&
		mount_setattr(p->dev, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return -errno;
	if (p->s->root.layer == SANDBOX_LAYER_NONE &&
		mount_setattr(p->root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return -errno;
	return 0;
}

/* A mount that was left on top of the root is not seen by names from there, but ".." leads into it. */
static int check_alone(void)
{
	struct statx root, above;

	if (statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &root) < 0 ||
		statx(AT_FDCWD, "/..", 0, STATX_INO | STATX_MNT_ID, &above) < 0)
		return -errno;
	return root.stx_mnt_id == above.stx_mnt_id && root.stx_ino == above.stx_ino &&
		root.stx_dev_major == above.stx_dev_major && root.stx_dev_minor == above.stx_dev_minor ?
		0 : -ENOTUNIQ;
}

/*
 * With both names ".", the old root ends up on top of the new one, whence it is detached
 * (pivot_root(2), "pivot_root(".", ".")"). On top of the old one is the tmpfs of the layer, if there is
 * one: the topmost goes first.
 */
int pivot_enter(struct plan *p)
{
	int r = close_writing(p);

	if (r < 0)
		return r;
	if (fchdir(p->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		(p->layer >= 0 && umount2(".", MNT_DETACH) < 0) || umount2(".", MNT_DETACH) < 0 ||
		chdir("/") < 0)
		return -errno;
	r = check_alone();
	if (r < 0)
		return r;
	p->at = p->s->cwd;
	r = p->s->cwd ? enter_directory(p->root, p->s->cwd) : 0;
	if (r == 0)
		p->at = NULL;
	return r;
}
