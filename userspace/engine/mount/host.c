// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounts that the whole host sees: made, taken away, and cleaned up after a server that died. */
#include "mount-priv.h"

#include "base/fd.h"
#include "base/mountd.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define FS_TYPE	      "fuse.cratons"

/* A field of mountinfo in place: blanks and backslashes are written as \ooo (proc(5)). */
static struct str unescape(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\' && i + 3 < n) {
			p[to++] = (char)((p[i + 1] - '0') << 6 | (p[i + 2] - '0') << 3 | (p[i + 3] - '0'));
			i += 3;
		} else {
			p[to++] = p[i];
		}
	}
	return str_of(p, to);
}

/* A line is "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS … - TYPE SOURCE SUPER". */
bool mount_is_ours(struct str line, struct str *ret_device, struct str *ret_point)
{
	struct str device = { 0 }, point = { 0 }, word;

	for (int field = 0; line.p; field++) {
		word = str_cut(&line, ' ');
		if (field == 2)
			device = word;
		if (field == 4)
			point = word;
		if (field > 5 && str_is(word, "-"))
			break;
	}
	if (!line.p || !str_is(str_cut(&line, ' '), FS_TYPE))
		return false;
	*ret_device = device;
	*ret_point = unescape((char *)point.p, point.n);
	return true;
}

static bool at_or_below(struct str point, const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	return point.n >= n && memcmp(point.p, path, n) == 0 && (point.n == n || point.p[n] == '/');
}

typedef VEC(char *) points;

static void points_done(points *p)
{
	vec_foreach(v, p)
		free(*v);
	vec_done(p);
}

/* Our mounts at or below a path, the last made first. */
static int find_mounts(const char *path, points *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct str rest, line, device, point;
	int r = file_slurp(AT_FDCWD, "/proc/self/mountinfo", &text, MOUNTINFO_MAX);

	if (r < 0)
		return r;
	rest = buf_str(&text);
	while (r == 0 && rest.p) {
		line = str_cut(&rest, '\n');
		if (mount_is_ours(line, &device, &point) && at_or_below(point, path)) {
			char *copy = str_dup(point);

			r = copy ? vec_push(ret, copy) : -ENOMEM;
			if (r < 0)
				free(copy);
		}
	}
	for (size_t i = 0; i < ret->n / 2; i++) {
		char *swap = ret->v[i];

		ret->v[i] = ret->v[ret->n - 1 - i];
		ret->v[ret->n - 1 - i] = swap;
	}
	return r;
}

/* The host's own helper, where a person may not unmount. */
static int fusermount_detach(const char *path)
{
	char *const argv[] = { "fusermount3", "-u", "-z", "--", (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -EPERM;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int service_detach(const char *path, struct diag *d)
{
	_cleanup_fd_ int root = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return root < 0 ? -errno : mountd_ask(MOUNTD_UNMOUNT, root, d);
}

/* -EPERM: nobody may. Other failures are recorded. */
static int detach(const char *path, struct diag *d)
{
	int r;

	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno != EPERM)
		return diag_errno(d, -errno, "cannot unmount %s", path);
	r = service_detach(path, d);
	if (r == -ERR_MOUNT)
		return diag_context(d, "cannot unmount %s", path);
	return r < 0 ? fusermount_detach(path) : r;
}

static int may_not(const char *path, struct diag *d)
{
	diag_fail(d, -ERR_MOUNT, "cannot unmount %s: that takes root, or the administrator's cratons-mountd or the "
		"host's fusermount3 and the user who mounted it", path);
	return diag_hint(d, "sudo umount '%s'; systemctl enable --now cratons-mountd.socket; fusermount3 comes with "
		"fuse3", path);
}

static bool is_dead(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

int mount_heal(const char *path, struct diag *d)
{
	_cleanup_(points_done) points found = { 0 };
	int r = find_mounts(path, &found);

	if (r < 0)
		return diag_errno(d, r, "cannot read /proc/self/mountinfo");
	vec_foreach(point, &found) {
		r = is_dead(*point) ? detach(*point, d) : 0;
		if (r == -EPERM)
			return may_not(*point, d);
		if (r < 0)
			return r;
	}
	return 0;
}

int mount_root_name(const char *path, struct buf *ret)
{
	return buf_addf(ret, "%s/.", path);
}

bool mount_is_there(const char *path)
{
	_cleanup_(points_done) points found = { 0 };

	if (find_mounts(path, &found) < 0)
		return false;
	vec_foreach(point, &found)
		if (strcmp(*point, path) == 0)
			return true;
	return false;
}

/* What it holds would be out of sight until it is unmounted, and nobody would know why. */
static int must_be_empty(const char *path, struct diag *d)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool empty = true;

	if (!dir)
		return diag_errno(d, -errno, "cannot mount at %s", path);
	while (empty && (e = readdir(dir)))
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	closedir(dir);
	if (empty)
		return 0;
	diag_fail(d, -ENOTEMPTY, "cannot mount at %s: the directory is not empty", path);
	return diag_hint(d, "move away what is in it, or name another directory");
}

int mount_host(int home_fd, const char *home, const struct digest *tree, const char *path,
	struct diag *d)
{
	_cleanup_free_ char *at = realpath(path, NULL);
	_cleanup_fd_ int connection = -1;
	char program[4096], hex[DIGEST_HEX];
	struct fused_reply reply;
	struct fused_build build;
	int fds[FUSED_FDS] = { -1, -1 }, r;

	if (!at)
		return diag_errno(d, -errno, "cannot mount at %s", path);
	r = mount_heal(at, d);
	if (r < 0)
		return r;
	if (mount_is_there(at))
		return diag_fail(d, -EBUSY, "an environment is mounted at %s already", at);
	r = must_be_empty(at, d);
	if (r < 0)
		return r;
	r = fused_program(program, sizeof(program), &build, d);
	if (r < 0)
		return r;
	const char *const args[] = { "--home", home, "--tree", digest_hex(tree, hex), "--at", at, NULL };
	connection = fused_start(program, args, d);
	if (connection < 0)
		return connection;
	r = fused_ask(connection, &build, &reply, fds);
	for (size_t i = 0; i < FUSED_FDS; i++)
		fd_closep(&fds[i]);
	if (r < 0)
		return diag_errno(d, -ERR_MOUNT, "cratons-fused ended before it had mounted %s", at);
	return reply.status == FUSED_READY ? 0 : fused_failed(&reply, d);
}

int mount_host_remove(const char *path, struct diag *d)
{
	_cleanup_free_ char *at = realpath(path, NULL);
	int r;

	if (!at)
		return diag_errno(d, -errno, "cannot unmount %s", path);
	if (!mount_is_there(at))
		return diag_fail(d, -EINVAL, "no environment is mounted at %s", at);
	r = detach(at, d);
	return r == -EPERM ? may_not(at, d) : r;
}
