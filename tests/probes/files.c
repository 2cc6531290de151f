// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int read_path(char **args)
{
	return show(args[0]);
}

static int list(char **args)
{
	DIR *dir = opendir(args[0]);
	struct dirent *e;

	if (!dir)
		return lost(args[0]);
	while ((e = readdir(dir)))
		puts(e->d_name);
	closedir(dir);
	return 0;
}

static int stat_path(char **args)
{
	struct stat st;

	if (stat(args[0], &st) < 0)
		return lost(args[0]);
	printf("size %lld\n", (long long)st.st_size);
	return 0;
}

/* FILE TOKEN: adds the token. */
static int write_path(char **args)
{
	return scribble(args[0], args[1]);
}

static int truncate_path(char **args)
{
	return truncate(args[0], 0) < 0 ? lost(args[0]) : 0;
}

static int unlink_path(char **args)
{
	return unlink(args[0]) < 0 ? lost(args[0]) : 0;
}

/* FILE MODE (octal) */
static int chmod_path(char **args)
{
	return chmod(args[0], (mode_t)strtoul(args[1], NULL, 8)) < 0 ? lost(args[0]) : 0;
}

static int xattr_path(char **args)
{
	return setxattr(args[0], "user.probe", args[1], strlen(args[1]), 0) < 0 ? lost(args[0]) : 0;
}

/* FILE LINK TOKEN: a second name where writing is granted, then through it. */
static int hard_link(char **args)
{
	if (link(args[0], args[1]) < 0)
		return lost(args[1]);
	return scribble(args[1], args[2]);
}

/* TARGET LINK: a link to it, then a read through the link. */
static int symbolic_link(char **args)
{
	if (symlink(args[0], args[1]) < 0)
		return lost(args[1]);
	return show(args[1]);
}

/* PATH: below the root and the working directory of pid 1 and of our own. */
static int proc_root(char **args)
{
	static const char *const ways[] = { "/proc/1/root", "/proc/self/root/..", "/proc/1/cwd/../../..",
		"/proc/self/cwd/../../../../.." };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", ways[i], args[0]);
		if (show(path) == 0)
			return 0;
	}
	return 1;
}

/* NUMBER: what is behind an inherited descriptor. */
static int inherited(char **args)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/fd/%s", args[0]);
	return show(path);
}

/* FILE TOKEN: opened to read, opened again through /proc to write. */
static int reopen(char **args)
{
	int fd = open(args[0], O_RDONLY);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd < 0 ? lost(args[0]) : scribble(path, args[1]);
}

/* PATH: a device node. */
static int device(char **args)
{
	return mknod(args[0], S_IFCHR | 0666, makedev(1, 5)) < 0 ? lost(args[0]) : 0;
}

/* GRANTED SECRET: swaps a directory for a link, many times, while it is opened. */
static int rename_race(char **args)
{
	char dir[PATH_MAX], link_name[PATH_MAX], path[PATH_MAX];
	char data[4096];
	ssize_t n;
	int fd = -1;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s/real", args[0]);
	snprintf(link_name, sizeof(link_name), "%s/link", args[0]);
	snprintf(path, sizeof(path), "%s/real/secret", args[0]);
	mkdir(dir, 0755);
	if (symlink(args[1], link_name) < 0)
		return lost(link_name);
	pid = fork();
	while (pid == 0)
		if (renameat2(AT_FDCWD, dir, AT_FDCWD, link_name, RENAME_EXCHANGE) < 0)
			_exit(1);
	for (int i = 0; i < 20000 && fd < 0; i++)
		fd = open(path, O_RDONLY);
	kill(pid, SIGKILL);
	n = fd < 0 ? -1 : read(fd, data, sizeof(data));
	return n > 0 && fwrite(data, 1, (size_t)n, stdout) == (size_t)n ? 0 : 1;
}

/* FILE KILOBYTES: fills it; prints how far it came. */
static int fill(char **args)
{
	static char block[1024];
	int fd = open(args[0], O_WRONLY | O_CREAT, 0644);
	long n = 0, max = strtol(args[1], NULL, 10);

	if (fd < 0)
		return lost(args[0]);
	while (n < max && write(fd, block, sizeof(block)) == sizeof(block))
		n++;
	printf("wrote %ld\n", n);
	return n < max;
}

/* DIRECTORY COUNT: that many empty files. */
static int inodes(char **args)
{
	char path[PATH_MAX];
	long n = 0, max = strtol(args[1], NULL, 10);

	for (; n < max; n++) {
		int fd;

		snprintf(path, sizeof(path), "%s/f%ld", args[0], n);
		fd = open(path, O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
	printf("made %ld\n", n);
	return n < max;
}

const struct probe file_probes[] = {
	{ "read", read_path },
	{ "list", list },
	{ "stat", stat_path },
	{ "write", write_path },
	{ "truncate", truncate_path },
	{ "unlink", unlink_path },
	{ "chmod", chmod_path },
	{ "xattr", xattr_path },
	{ "hard-link", hard_link },
	{ "symbolic-link", symbolic_link },
	{ "proc-root", proc_root },
	{ "inherited", inherited },
	{ "reopen", reopen },
	{ "device", device },
	{ "rename-race", rename_race },
	{ "fill", fill },
	{ "inodes", inodes },
	{ NULL, NULL },
};
