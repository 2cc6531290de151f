// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static int chown_path(char **args)
{
	return chown(args[0], 1, 1) < 0 ? lost(args[0]) : 0;
}

/* FILE: as if it were of 1970 */
static int date_path(char **args)
{
	const struct timespec times[2] = { { 0, 0 }, { 0, 0 } };

	return utimensat(AT_FDCWD, args[0], times, 0) < 0 ? lost(args[0]) : 0;
}

/* FILE OTHER: the other takes its name */
static int rename_over(char **args)
{
	return rename(args[1], args[0]) < 0 ? lost(args[0]) : 0;
}

/* FILE: emptied by the way it is opened, which asks for no writing */
static int open_truncated(char **args)
{
	return open(args[0], O_RDONLY | O_TRUNC) < 0 ? lost(args[0]) : 0;
}

/* FILE: opened to read, mapped, made writable */
static int map_write(char **args)
{
	int fd = open(args[0], O_RDWR);
	char *p;

	if (fd < 0)
		fd = open(args[0], O_RDONLY);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_WRITE) < 0)
		return lost("mprotect");
	p[0] = 'x';
	return 0;
}

static int allocate(char **args)
{
	int fd = open(args[0], O_WRONLY);

	return fd < 0 || fallocate(fd, 0, 0, 65536) < 0 ? lost(args[0]) : 0;
}

/* DIRECTORY NAME: a file without a name that gets one */
static int nameless(char **args)
{
	char path[PATH_MAX], from[64];
	int fd = open(args[0], O_TMPFILE | O_WRONLY, 0644);

	snprintf(path, sizeof(path), "%s/%s", args[0], args[1]);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return fd < 0 || linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? lost(path) : 0;
}

/* FILE: a capability that whoever executes it gets */
static int file_capability(char **args)
{
	const struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { 1u << CAP_SYS_ADMIN, 0 } } };

	return setxattr(args[0], "security.capability", &data, sizeof(data), 0) < 0 ? lost(args[0]) : 0;
}

/* FILE: made with the set-user-ID bit, not given it later. The kernel takes it away from what is
 * written, but not from who may do anything. */
static int born_set_id(char **args)
{
	int fd;

	umask(0);
	fd = open(args[0], O_WRONLY | O_CREAT | O_EXCL, 04755);
	return fd < 0 || write(fd, "#!", 2) < 0 ? lost(args[0]) : 0;
}

/* PATH TOKEN: opened to write, and no more */
static int hold_open(char **args)
{
	return open(args[0], O_WRONLY) < 0 ? lost(args[0]) : hold(args[1]);
}

/* PATH TOKEN */
static int hold_reading(char **args)
{
	return open(args[0], O_RDONLY | O_NONBLOCK) < 0 ? lost(args[0]) : hold(args[1]);
}

/* FILE TOKEN: its own read-only memory, which the kernel writes where a debugger asks for it; FILE
 * gets what is there then. */
static int own_memory(char **args)
{
	static const char text[64] __attribute__((aligned(64))) = "untouched";
	const char *volatile seen = text;
	int fd = open("/proc/self/mem", O_RDWR);

	if (fd < 0 || pwrite(fd, args[1], strlen(args[1]) + 1, (off_t)(uintptr_t)text) < 0)
		return lost("/proc/self/mem");
	return scribble(args[0], (const char *)seen);
}

/* FILE TOKEN: mapped to read, opened by the mapping to write */
static int map_files(char **args)
{
	int fd = open(args[0], O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	char path[128];

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)p,
		(unsigned long)p + 4096);
	return fd < 0 || p == MAP_FAILED ? lost(args[0]) : scribble(path, args[1]);
}

/* PATH...: those that can be read are printed, by name and as far as there is something in them */
static int contents(char **args)
{
	for (; *args; args++) {
		char data[4096];
		int fd = open(*args, O_RDONLY | O_NONBLOCK);
		ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));

		if (n > 0)
			printf("%s: %zd bytes\n", *args, n);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* PATH...: devices that can be opened */
static int devices(char **args)
{
	for (; *args; args++) {
		int fd = open(*args, O_RDWR | O_NONBLOCK);

		if (fd < 0)
			continue;
		printf("opened %s\n", *args);
		close(fd);
	}
	return 0;
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
	static const char *const ways[] = { "/..", "/proc/1/root", "/proc/self/root/..", "/proc/1/cwd/../../..",
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

/* GRANTED SECRET: a name that is by turns a file and a link out of what is granted. */
static int link_race(char **args)
{
	char file[PATH_MAX], link_name[PATH_MAX], path[PATH_MAX], data[4096];
	ssize_t n = -1;
	pid_t pid;

	snprintf(file, sizeof(file), "%s/plain", args[0]);
	snprintf(link_name, sizeof(link_name), "%s/link", args[0]);
	snprintf(path, sizeof(path), "%s/secret", args[1]);
	if (scribble(file, "") || symlink(path, link_name) < 0)
		return lost(link_name);
	pid = fork();
	while (pid == 0)
		if (renameat2(AT_FDCWD, file, AT_FDCWD, link_name, RENAME_EXCHANGE) < 0)
			_exit(1);
	for (int i = 0; i < 20000 && n <= 0; i++) {
		int fd = open(file, O_RDONLY);

		n = fd < 0 ? -1 : read(fd, data, sizeof(data));
		close(fd);
	}
	kill(pid, SIGKILL);
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
	{ "chown", chown_path },
	{ "date", date_path },
	{ "rename-over", rename_over },
	{ "open-truncated", open_truncated },
	{ "map-write", map_write },
	{ "allocate", allocate },
	{ "nameless", nameless },
	{ "file-capability", file_capability },
	{ "born-set-id", born_set_id },
	{ "hold-open", hold_open },
	{ "hold-reading", hold_reading },
	{ "own-memory", own_memory },
	{ "map-files", map_files },
	{ "contents", contents },
	{ "devices", devices },
	{ "link-race", link_race },
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
