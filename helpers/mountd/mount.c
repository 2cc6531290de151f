// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mounts themselves. Everything is said of descriptors: what a path means can change between two
 * looks at it, which is what went wrong in set-uid mount helpers before (CVE-2010-3879, CVE-2011-0541);
 * and there are no options to pass on (CVE-2018-10906). No call here asks the directory's file system
 * before mountinfo has said that it is not one that a user serves.
 */
#include "mountd.h"
#include "mountinfo.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* <sys/mount.h> and <linux/mount.h> do not go together in all C libraries. */
int umount2(const char *path, int flags);
#define MNT_DETACH 2

struct place {
	struct statx st;
	struct mountinfo mounts;
};

/* Without asking the file system: the mount's number, and whether this is its root. The descriptor
 * holds the mount, so the number stays its own. */
static int locate(int fd, struct statx *ret)
{
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, ret) < 0)
		return -errno;
	return ret->stx_mask & STATX_MNT_ID ? 0 : -EOPNOTSUPP;
}

static struct answer look(const struct peer *p, int fd, struct place *ret)
{
	int r = locate(fd, &ret->st);

	ret->mounts = (struct mountinfo){ .id = ret->st.stx_mnt_id, .uid = p->uid };
	if (r == 0)
		r = mountinfo_read(&ret->mounts);
	if (r < 0)
		return (struct answer){ MOUNTD_FAILED, r };
	return ret->mounts.found ? ANSWER(DONE) : ANSWER(ELSEWHERE);
}

static bool is_mount_root(const struct statx *st)
{
	return st->stx_attributes & st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
}

/* May this peer cover this directory? */
static struct answer may_mount(const struct peer *p, int fd, const struct place *at)
{
	struct statx st;

	if (at->mounts.kind == MOUNT_CRATONS)
		return ANSWER(COVERED);
	if (at->mounts.kind != MOUNT_PLAIN)
		return ANSWER(FILE_SYSTEM);
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_UID, &st) < 0)
		return ANSWER_ERRNO;
	if ((st.stx_mask & (STATX_TYPE | STATX_UID)) != (STATX_TYPE | STATX_UID))
		return ANSWER(FILE_SYSTEM);
	if (!S_ISDIR(st.stx_mode))
		return ANSWER(NO_DIRECTORY);
	if (st.stx_uid != p->uid)
		return ANSWER(FOREIGN);
	if (is_mount_root(&at->st))
		return ANSWER(COVERED);
	if (at->mounts.users >= USER_MOUNTS_MAX || at->mounts.all >= MOUNTS_MAX)
		return ANSWER(TOO_MANY);
	return ANSWER(DONE);
}

static int set_string(int context, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

static int set_number(int context, const char *key, const char *format, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), *format == 'o' ? "%o" : "%u", value);
	return set_string(context, key, text);
}

static int set_flag(int context, const char *key)
{
	return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static int open_context(void)
{
	return (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);
}

static int open_device(void)
{
	return open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* A mount that is nowhere yet, or -errno. Without allow_other, so that it means nothing to anybody but
 * the peer: everyone else, root included, is refused by the kernel. */
static int new_mount(const struct peer *p, int device)
{
	_cleanup_fd_ int context = open_context();
	int mount;

	if (context < 0 || set_string(context, "source", "cratons") < 0 ||
		set_string(context, "subtype", "cratons") < 0 ||
		set_number(context, "fd", "u", (unsigned)device) < 0 ||
		set_number(context, "rootmode", "o", S_IFDIR) < 0 ||
		set_number(context, "user_id", "u", p->uid) < 0 ||
		set_number(context, "group_id", "u", p->gid) < 0 ||
		set_flag(context, "default_permissions") < 0 || set_flag(context, "ro") < 0 ||
		syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
	return mount < 0 ? -errno : mount;
}

/* The mount that a descriptor leads to, and none other: what is looked up is the link that the kernel
 * makes for the descriptor, so no name is, and there is nothing to follow. Only what is mounted on the
 * very root of it in this instant would go in its stead, and who could do that may unmount anyway. */
static int detach(int fd)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return umount2(link, MNT_DETACH) < 0 ? -errno : 0;
}

void mountd_undo(int mount)
{
	(void)detach(mount);
}

/* The kernel follows what is mounted on the directory by now up to its top, so a descriptor from
 * before somebody else's mount there would cover that one. Whether it did shows in the parent. */
static struct answer attach(const struct peer *p, int mount, int directory, const struct place *at)
{
	struct place made;
	struct answer a;

	if (syscall(SYS_move_mount, mount, "", directory, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return ANSWER_ERRNO;
	a = look(p, mount, &made);
	if (a.status == MOUNTD_DONE && made.mounts.parent != at->mounts.id)
		a = ANSWER(COVERED);
	if (a.status != MOUNTD_DONE)
		mountd_undo(mount);
	return a;
}

struct answer mountd_mount(const struct peer *p, int directory, struct made *ret)
{
	_cleanup_fd_ int device = -1, mount = -1;
	struct place at;
	struct answer a = look(p, directory, &at);

	if (a.status == MOUNTD_DONE)
		a = may_mount(p, directory, &at);
	if (a.status != MOUNTD_DONE)
		return a;
	device = open_device();
	if (device < 0)
		return ANSWER_ERRNO;
	mount = new_mount(p, device);
	if (mount < 0)
		return (struct answer){ MOUNTD_FAILED, mount };
	a = attach(p, mount, directory, &at);
	if (a.status == MOUNTD_DONE)
		*ret = (struct made){ TAKE_FD(device), TAKE_FD(mount) };
	return a;
}

struct answer mountd_unmount(const struct peer *p, int directory, struct made *ret)
{
	struct place at;
	struct answer a = look(p, directory, &at);
	int r;

	if (a.status != MOUNTD_DONE)
		return a;
	if (at.mounts.kind != MOUNT_CRATONS || !is_mount_root(&at.st))
		return ANSWER(NOT_OURS);
	if (!at.mounts.of_user)
		return ANSWER(FOREIGN);
	/* A lazy unmount would take them along, and they are somebody else's: an environment is read-only
	 * and the peer's mounts are not made in one. */
	if (at.mounts.children > 0)
		return ANSWER(IN_USE);
	r = detach(directory);
	return r < 0 ? (struct answer){ MOUNTD_FAILED, r } : ANSWER(DONE);
}

/* What a mount needs of the host. */
struct answer mountd_hello(const struct peer *p, int directory, struct made *ret)
{
	_cleanup_fd_ int device = open_device(), context = -1;

	if (device < 0)
		return ANSWER_ERRNO;
	context = open_context();
	return context < 0 ? ANSWER_ERRNO : ANSWER(DONE);
}
