// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The places to mount on that a foreign root lacks. Nothing is made in the root itself; and its directories
 * usually belong to another user than the one that is mapped, so an overlay's upper layer could not take
 * them either: the kernel asks the directory's owner, as it shows through. They are made in a directory of
 * our own tmpfs, which the overlay then has above the root: /etc of both is one directory, and ours.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct skeleton {
	struct plan *p;
	int root;	/* the foreign root's directory */
	int fd;		/* ours; -1 until something is missing */
};

/* How an open directory below the root is called there, without links: what follows the root's own name. */
static int name_inside(const struct skeleton *k, int fd, char ret[PATH_MAX])
{
	char link[32], root[PATH_MAX];
	ssize_t n, nroot;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", k->root);
	nroot = readlink(link, root, sizeof(root));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0 || nroot < 0)
		return -errno;
	if (n < nroot || memcmp(ret, root, (size_t)nroot) != 0 || (n > nroot && ret[nroot] != '/'))
		return -EXDEV;
	memmove(ret, ret + nroot, (size_t)(n - nroot));
	ret[n - nroot] = '\0';
	return 0;
}

/* Opens the nearest directory above `path` that the root has; *ret_rest is what it lacks. */
static int nearest(const struct skeleton *k, const char *path, const char **ret_rest)
{
	char prefix[PATH_MAX];
	int fd = -ENOENT;

	for (size_t n = strlen(path); fd == -ENOENT && n > 0; n--) {
		if (n > 1 && path[n - 1] != '/')
			continue;
		snprintf(prefix, sizeof(prefix), "%.*s", (int)n, path);
		fd = open_inside(k->root, prefix, O_PATH | O_DIRECTORY);
		*ret_rest = path + n;
	}
	return fd;
}

/* Goes on to the directory `name` of ours, making it; it looks as the root's own does, if that has one. */
static int step_into(int *ours, int *theirs, const char *name)
{
	int next = *theirs < 0 ? -1 : openat(*theirs, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	mode_t mode = 0755;
	struct stat st;

	if (next >= 0 && fstat(next, &st) == 0)
		mode = st.st_mode & 01777;
	close(*theirs);
	*theirs = next;
	if (mkdirat(*ours, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	next = openat(*ours, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return -errno;
	close(*ours);
	*ours = next;
	return fchmodat(next, ".", mode | 0700, 0) < 0 ? -errno : 0;
}

/* Makes the directories that `path` names from there on; the last part is not one if `file`. */
static int walk(int *ours, int *theirs, const char *path, bool file)
{
	char name[NAME_MAX + 1];
	int r = 0;

	while (r == 0) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			return 0;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		/* Of a target only: it is left to who mounts there to refuse it. */
		if (strcmp(name, "..") == 0)
			return 0;
		path += n;
		if (!file || path[strspn(path, "/")])
			r = step_into(ours, theirs, name);
		else
			return mknodat(*ours, name, S_IFREG | 0444, 0) < 0 && errno != EEXIST ? -errno : 0;
	}
	return r;
}

static int start(struct skeleton *k)
{
	struct stat st;

	if (k->fd >= 0)
		return 0;
	k->fd = layer_dir_new(k->p);
	if (k->fd < 0 || fstat(k->root, &st) < 0)
		return MIN(k->fd, -errno);
	return fchmodat(k->fd, ".", (st.st_mode & 01777) | 0700, 0) < 0 ? -errno : 0;
}

static int make_place(struct skeleton *k, const char *path, bool file, bool follow)
{
	_cleanup_fd_ int there = open_inside(k->root, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	_cleanup_fd_ int above = -1, ours = -1, theirs = -1;
	char inside[PATH_MAX];
	const char *rest = path;
	int r;

	if (there != -ENOENT)
		return MIN(there, 0);
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	k->p->at = path;
	r = start(k);
	above = r == 0 ? nearest(k, path, &rest) : -1;
	if (r == 0)
		r = above < 0 ? above : name_inside(k, above, inside);
	ours = r == 0 ? openat(k->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	theirs = r == 0 ? openat(k->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (r == 0 && (ours < 0 || theirs < 0))
		r = -errno;
	if (r == 0)
		r = walk(&ours, &theirs, inside, false);
	return r < 0 ? r : walk(&ours, &theirs, rest, file);
}

/* Of the kinds that have a source that decides: 1 a directory, 0 something else, -1 there is none. */
static int source_is_dir(const struct sandbox_bind *b)
{
	struct stat st;

	if (b->kind != SANDBOX_BIND_RO && b->kind != SANDBOX_BIND_RW && b->kind != SANDBOX_BIND_TREE)
		return b->kind != SANDBOX_BIND_FILE;
	return stat(b->source, &st) < 0 ? -1 : S_ISDIR(st.st_mode);
}

static int place_of(struct skeleton *k, const struct sandbox_bind *b)
{
	int dir;

	/* What lies below /dev gets its place on the container's own. */
	if (strncmp(b->target, "/dev/", 5) == 0 || b->kind == SANDBOX_BIND_MASK ||
		b->kind == SANDBOX_BIND_SEAL)
		return 0;
	if (b->kind == SANDBOX_BIND_SYMLINK)
		return start(k);
	dir = source_is_dir(b);
	return dir < 0 ? 0 : make_place(k, b->target, !dir, b->kind != SANDBOX_BIND_FILE);
}

int skeleton_make(struct plan *p, int root, int *ret)
{
	struct skeleton k = { .p = p, .root = root, .fd = -1 };
	int r = make_place(&k, "/proc", false, true);

	if (r == 0)
		r = make_place(&k, "/dev", false, true);
	vec_foreach(b, &p->binds)
		if (r == 0)
			r = place_of(&k, b);
	*ret = k.fd;
	return r;
}
