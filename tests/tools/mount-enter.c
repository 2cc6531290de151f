// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mount-enter HOME [--bind TREE/PATH AT] -- COMMAND...
 * mount-enter HOME --host TREE AT | --unhost AT | --heal AT
 *
 * Joins the user's FUSE server as a run does: its namespaces, then a user and mount namespace nested
 * in them, and runs a command there. MNT and SERVER in the command's environment are the path of the
 * store's mount and the server's process id. With --bind, that directory is bound at AT. The second
 * form makes, takes away and heals mounts on the host.
 */
#include "engine/mount/mount.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/wait.h>

static void write_text(const char *path, const char *format, ...) _printf_(2, 3);
static void write_text(const char *path, const char *format, ...)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	(void)buf_vaddf(&text, format, ap);
	va_end(ap);
	if (fd < 0 || fd_write_all(fd, text.data, text.len) < 0)
		perror(path);
}

static int enter(const struct mount_server *s)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (setns(mount_server_user_ns(s), CLONE_NEWUSER) < 0 ||
		setns(mount_server_mount_ns(s), CLONE_NEWNS) < 0)
		return -errno;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "%u %u 1\n", uid, uid);
	write_text("/proc/self/gid_map", "%u %u 1\n", gid, gid);
	return 0;
}

static int run(const struct mount_server *s, const char *from, const char *at, char **argv)
{
	char text[8192];
	int r = enter(s);

	if (r < 0) {
		fprintf(stderr, "mount-enter: cannot enter the namespaces: %s\n", err_sentence(r));
		return EXIT_ERROR;
	}
	snprintf(text, sizeof(text), "%s/%s", mount_server_path(s), from ? from : "");
	if (from && mount(text, at, NULL, MS_BIND, NULL) < 0) {
		perror("mount-enter: bind");
		return EXIT_ERROR;
	}
	setenv("MNT", mount_server_path(s), 1);
	snprintf(text, sizeof(text), "%ld", (long)mount_server_pid(s));
	setenv("SERVER", text, 1);
	execvp(argv[0], argv);
	perror(argv[0]);
	return 127;
}

static int on_host(const char *home, int home_fd, int argc, char **argv, struct diag *d)
{
	struct digest tree;

	if (argc == 3 && strcmp(argv[0], "--host") == 0 && digest_parse(&tree, str_from(argv[1])) == 0)
		return mount_host(home_fd, home, &tree, argv[2], d);
	if (argc == 2 && strcmp(argv[0], "--unhost") == 0)
		return mount_host_remove(argv[1], d);
	if (argc == 2 && strcmp(argv[0], "--heal") == 0)
		return mount_heal(argv[1], d);
	return 1;
}

static int fail(const struct diag *d)
{
	fprintf(stderr, "mount-enter: %s\n%s\n", buf_text(&d->what), buf_text(&d->hint));
	return err_exit_status(d->code);
}

int main(int argc, char **argv)
{
	_cleanup_(mount_server_free_p) struct mount_server *s = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	const char *home = argc > 1 ? argv[1] : NULL, *from = NULL, *at = NULL;
	_cleanup_fd_ int home_fd = home ? open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int i = 2, status, r;
	pid_t pid;

	r = argc > 2 ? on_host(home, home_fd, argc - 2, argv + 2, &d) : 1;
	if (r <= 0)
		return r < 0 ? fail(&d) : 0;
	if (argc > 4 && strcmp(argv[2], "--bind") == 0) {
		from = argv[3];
		at = argv[4];
		i = 5;
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
		fprintf(stderr, "usage: mount-enter HOME [--bind TREE/PATH AT] -- COMMAND...\n");
		return EXIT_USAGE;
	}
	if (mount_server_join(&s, home_fd, home, &d) < 0)
		return fail(&d);
	pid = fork();
	if (pid == 0)
		_exit(run(s, from, at, argv + i + 1));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return EXIT_ERROR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
