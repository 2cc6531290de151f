// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd.h"

#include "base/fd.h"
#include "base/progress.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>

#define MANIFEST "cratons.toml"

void cmd_open(struct cmd *c)
{
	*c = (struct cmd){ .project_fd = -1, .home_fd = -1 };
	json_out_start(&c->json, &c->json_text, false);
}

void cmd_close(struct cmd *c)
{
	progress_free(c->progress);
	fd_closep(&c->project_fd);
	fd_closep(&c->home_fd);
	free(c->project);
	free(c->home);
	buf_done(&c->json_text);
	diag_done(&c->diag);
}

/* Whether a manifest above the working directory may be believed (see cmd_project). */
static int check_owner(struct cmd *c, const struct stat *st, const char *dir)
{
	if (st->st_uid == geteuid() || st->st_uid == 0)
		return 0;
	diag_fail(&c->diag, -ERR_CONFIG, "%s/%s belongs to another user (uid %u)", dir, MANIFEST,
		st->st_uid);
	return diag_hint(&c->diag, "if that project is meant, say so: cratons -C %s", dir);
}

static int no_manifest(struct cmd *c)
{
	diag_fail(&c->diag, -ERR_NO_MANIFEST, "there is no %s here or in a directory above",
		MANIFEST);
	return diag_hint(&c->diag, "cratons init makes one; -C DIR works in another directory");
}

/* Cuts the last part off an absolute path; false when it was "/". */
static bool to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path && !path[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

static int find_project(struct cmd *c, char *path)
{
	_cleanup_fd_ int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool above = false;
	struct stat st;
	int up, r;

	if (fd < 0)
		return diag_errno(&c->diag, -errno, "cannot open the working directory");
	while (fstatat(fd, MANIFEST, &st, 0) < 0 || !S_ISREG(st.st_mode)) {
		if (!to_parent(path))
			return no_manifest(c);
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return no_manifest(c);
		close(fd);
		fd = up;
		above = true;
	}
	r = above ? check_owner(c, &st, path) : 0;
	if (r < 0)
		return r;
	c->project_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c->project_fd >= 0 ? 0 : diag_errno(&c->diag, -errno, "cannot open %s", path);
}

int cmd_project(struct cmd *c)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (c->project_fd >= 0)
		return c->project_fd;
	path = realpath(".", NULL);
	if (!path)
		return diag_errno(&c->diag, -errno, "the working directory is gone");
	r = find_project(c, path);
	if (r < 0)
		return r;
	c->project = TAKE_PTR(path);
	cmd_detail(c, "project: %s", c->project);
	return c->project_fd;
}

const char *cmd_project_path(struct cmd *c)
{
	return c->project;
}

/* Services of the system are started without HOME. */
static const char *user_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *p = home && *home ? NULL : getpwuid(geteuid());

	return p ? p->pw_dir : home;
}

const char *cmd_home_path(struct cmd *c)
{
	const char *given = getenv("CRATONS_HOME"), *user = user_home();
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (c->home)
		return c->home;
	if (given && *given)
		r = buf_adds(&b, given);
	else
		r = user && *user ? buf_addf(&b, "%s/.cratons", user) : -ENOENT;
	if (r < 0) {
		diag_fail(&c->diag, -ERR_CONFIG, "there is no home for the store");
		diag_hint(&c->diag, "set CRATONS_HOME to a directory");
		return NULL;
	}
	if (b.data[0] != '/') {
		diag_fail(&c->diag, -ERR_CONFIG, "%s is not an absolute path: %s",
			given && *given ? "CRATONS_HOME" : "HOME", b.data);
		return NULL;
	}
	return c->home = buf_take(&b);
}

int cmd_home(struct cmd *c)
{
	const char *path = cmd_home_path(c);
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	if (c->home_fd >= 0)
		return c->home_fd;
	if (!path)
		return -ERR_CONFIG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		r = dir_make_all(AT_FDCWD, path, 0700);
		if (r < 0)
			return diag_fail(&c->diag, -ERR_CONFIG, "cannot make %s: %s", path,
				err_sentence(r));
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return diag_fail(&c->diag, -ERR_CONFIG, "cannot open %s: %s", path,
			err_sentence(-errno));
	/* Whoever owns the store decides what runs; and root's files would lock its owner out. */
	if (st.st_uid != geteuid()) {
		diag_fail(&c->diag, -ERR_CONFIG, "%s belongs to another user (uid %u)", path,
			st.st_uid);
		return diag_hint(&c->diag, "set CRATONS_HOME to a directory of your own");
	}
	if (st.st_mode & S_IWOTH) {
		diag_fail(&c->diag, -ERR_CONFIG, "everybody may write to %s", path);
		return diag_hint(&c->diag, "whoever puts a store there decides what runs: chmod o-w '%s'", path);
	}
	cmd_detail(c, "home: %s", path);
	return c->home_fd = TAKE_FD(fd);
}
