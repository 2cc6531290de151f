// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/rootfs.h"

#include "engine/sandbox/sandbox-priv.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#define USERS_MAX (4u << 20)

/* `path` itself, or above `other`. Both are absolute and without links. */
static bool holds(const char *path, const char *other)
{
	size_t n = strlen(path);

	if (n == 1)
		return true;
	return strncmp(path, other, n) == 0 && (other[n] == '\0' || other[n] == '/');
}

static int check_system(const char *path, struct diag *d)
{
	static const char *const system[] = { "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run",
		"/sbin", "/sys", "/usr", "/var/lib", "/var/log" };

	for (size_t i = 0; i < ARRAY_SIZE(system); i++)
		if (holds(path, system[i])) {
			diag_fail(d, -ERR_CONTAINER, "%s cannot be a container's root: it holds the "
				"host's %s", path, system[i]);
			return diag_hint(d, "without --rootfs a container has the host's /usr, read-only");
		}
	return 0;
}

static int check_apart(const char *path, const char *const *apart, struct diag *d)
{
	for (; apart && *apart; apart++) {
		_cleanup_free_ char *real = realpath(*apart, NULL);

		if (real && holds(path, real))
			return diag_fail(d, -ERR_CONTAINER, "%s cannot be a container's root: it holds %s",
				path, real);
	}
	return 0;
}

static int check_owner(const char *path, const struct stat *st, struct diag *d)
{
	if (st->st_uid != geteuid() && st->st_uid != 0) {
		diag_fail(d, -ERR_CONTAINER, "%s cannot be a container's root: it belongs to uid %u", path,
			st->st_uid);
		return diag_hint(d, "its owner could exchange what runs; make a copy of your own");
	}
	if (st->st_mode & S_IWOTH) {
		diag_fail(d, -ERR_CONTAINER, "%s cannot be a container's root: everybody may write it",
			path);
		return diag_hint(d, "chmod o-w '%s'", path);
	}
	return 0;
}

int rootfs_check(struct arena *a, const char *path, const char *const *apart, const char **ret_real,
	struct diag *d)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;
	int r;

	if (!real || stat(real, &st) < 0)
		return diag_fail(d, -ERR_CONTAINER, "the root %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_fail(d, -ERR_CONTAINER, "the root %s is not a directory", path);
	r = check_system(real, d);
	if (r == 0)
		r = check_apart(real, apart, d);
	if (r == 0)
		r = check_owner(real, &st, d);
	if (r < 0)
		return r;
	*ret_real = arena_str(a, str_from(real)).p;
	return *ret_real ? 0 : diag_fail(d, -ENOMEM, "out of memory");
}

int rootfs_check_shape(const char *path, struct diag *d)
{
	static const char *const parts[] = { "usr", "bin", "sbin", "etc", "lib" };
	_cleanup_fd_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && dir >= 0; i++)
		if (fstatat(dir, parts[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
			return 0;
	diag_fail(d, -ERR_CONTAINER, "%s does not look like a root file system: it has no usr, bin, sbin, "
		"etc or lib", path);
	return diag_hint(d, "unpack an image there first, for example: debootstrap, or tar -x of one");
}

/* A table of lines with colons: of the container's, so of any size and content. */
static int read_table(int root_fd, const char *path, struct buf *ret)
{
	_cleanup_fd_ int fd = open_inside(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_slurp(fd, ret, USERS_MAX);
}

struct line {
	struct str field[7];
};

static struct line split(struct str text)
{
	struct line l = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(l.field) && text.p; i++)
		l.field[i] = str_cut(&text, ':');
	return l;
}

static bool is_id(struct str s, uint32_t *ret)
{
	uint64_t v;

	/* The largest number stands for "no id" in the kernel's calls. */
	if (str_u64(s, &v) < 0 || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* The first line whose name, or whose number, is `key`. */
static bool find_line(struct str table, struct str key, bool number, struct line *ret)
{
	while (table.p) {
		struct line l = split(str_cut(&table, '\n'));

		if (l.field[2].n && str_eq(l.field[number ? 2 : 0], key)) {
			*ret = l;
			return true;
		}
	}
	return false;
}

static int no_such(struct diag *d, const char *what, struct str name, const char *file)
{
	diag_fail(d, -ERR_CONTAINER, "there is no %s '%.*s' in the root's %s", what, STR_ARG(name), file);
	return diag_hint(d, "a number needs no such line");
}

static int find_group(int root_fd, struct str group, gid_t *ret, struct diag *d)
{
	_cleanup_buf_ struct buf table = BUF_INIT;
	struct line l;
	int r;

	if (is_id(group, ret))
		return 0;
	r = read_table(root_fd, "/etc/group", &table);
	if (r < 0)
		return diag_errno(d, r, "cannot read the root's /etc/group");
	return find_line(buf_str(&table), group, false, &l) && is_id(l.field[2], ret) ? 0 :
		no_such(d, "group", group, "/etc/group");
}

int rootfs_find_user(int root_fd, struct arena *a, struct str who, struct rootfs_user *ret,
	struct diag *d)
{
	_cleanup_buf_ struct buf table = BUF_INIT;
	struct rootfs_user u = { .home = "/" };
	struct str user = str_cut(&who, ':');
	bool number = is_id(user, &u.uid), found;
	struct line l = { 0 };
	int r = read_table(root_fd, "/etc/passwd", &table);

	if (r < 0)
		return diag_errno(d, r, "cannot read the root's /etc/passwd");
	found = user.n && find_line(buf_str(&table), user, number, &l);
	if (!number && (!found || !is_id(l.field[2], &u.uid)))
		return no_such(d, "user", user, "/etc/passwd");
	u.gid = u.uid;
	if (found && !is_id(l.field[3], &u.gid))
		return diag_fail(d, -ERR_CONTAINER, "the root's /etc/passwd has no group for '%.*s'",
			STR_ARG(user));
	if (found) {
		u.name = arena_str(a, l.field[0]).p;
		if (l.field[5].n && l.field[5].p[0] == '/')
			u.home = arena_str(a, l.field[5]).p;
		if (!u.name || !u.home)
			return diag_fail(d, -ENOMEM, "out of memory");
	}
	r = who.p ? find_group(root_fd, who, &u.gid, d) : 0;
	if (r == 0)
		*ret = u;
	return r;
}

int rootfs_layer(struct arena *a, const char *dir, const char **ret_upper, const char **ret_work,
	struct diag *d)
{
	_cleanup_free_ char *real = NULL;
	_cleanup_fd_ int fd = -1, upper = -1, work = -1;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return diag_fail(d, -ERR_CONTAINER, "cannot make %s: %s", dir, strerror(errno));
	real = realpath(dir, NULL);
	fd = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return diag_fail(d, -ERR_CONTAINER, "cannot keep an overlay in %s: %s", dir,
			strerror(errno));
	upper = dir_open_below(fd, "upper", 0755);
	work = dir_open_below(fd, "work", 0700);
	if (upper < 0 || work < 0)
		return diag_fail(d, -ERR_CONTAINER, "cannot keep an overlay in %s: %s", dir,
			err_sentence(upper < 0 ? upper : work));
	*ret_upper = arena_fmt(a, "%s/upper", real).p;
	*ret_work = arena_fmt(a, "%s/work", real).p;
	return *ret_upper && *ret_work ? 0 : diag_fail(d, -ENOMEM, "out of memory");
}
