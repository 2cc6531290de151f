// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Landlock, behind the mounts, as far as this kernel has it:
 *
 *	files (ABI 2)	only what is mounted writable may be written, and mounts cannot be changed
 *	ports (ABI 4)	the TCP ports that are named, which matters with the host's network
 *	scopes (ABI 6)	no abstract unix socket and no process outside: what keeps a container with the
 *			host's network from the host's abstract sockets
 *
 * Reading is not handled: what should not be read is not there. Nor is what costs most and says least: truncation,
 * which the kernel would look up again each time that a file is opened for reading, and making (empty) and
 * removing plain files, 0.7 us each for a walk up to the directory of a rule. There the mount stands alone;
 * writing, directories, links, devices and all else are asked for. docs/performance.md has the figures.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "confine/landlock.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ABI_FILES  2
#define ABI_PORTS  4
#define ABI_SCOPES 6

#define PROC_ROOT 1	/* the number of procfs' root directory (fs/proc/root.c) */

#define DEVICE_NODES (LANDLOCK_FILE_MAKE_CHAR | LANDLOCK_FILE_MAKE_BLOCK)
#define READ (LANDLOCK_FILE_READ | LANDLOCK_FILE_LIST | LANDLOCK_FILE_EXECUTE)
#define NOT_ASKED (READ | LANDLOCK_FILE_TRUNCATE | LANDLOCK_FILE_MAKE | LANDLOCK_FILE_REMOVE)
#define OF_A_FILE (LANDLOCK_FILE_WRITE | LANDLOCK_FILE_IOCTL)

static uint64_t files_of(int abi)
{
	return abi < ABI_FILES ? 0 : landlock_everything(abi).files & ~NOT_ASKED;
}

static int allow(int rules, int fd, uint64_t files)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	files = S_ISDIR(st.st_mode) ? files : files & OF_A_FILE;
	return files ? landlock_allow_below(rules, fd, files) : 0;
}

static int allow_path(int rules, const char *path, uint64_t files)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	/* Covered by another mount, or not for us. */
	if (fd < 0)
		return 0;
	return allow(rules, fd, files);
}

/* mountinfo writes blanks as three octal digits. In place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

/* "ID PARENT DEVICE ROOT PLACE OPTIONS …" (proc_pid_mountinfo(5)) */
static int allow_mount(int rules, char *line, uint64_t files)
{
	char *place = line, *options;

	for (int i = 0; i < 4 && place; i++) {
		place = strchr(place, ' ');
		place += place != NULL;
	}
	options = place ? strchr(place, ' ') : NULL;
	if (!options)
		return -EIO;
	*options++ = '\0';
	if (strncmp(options, "rw", 2) != 0)
		return 0;
	unescape(place);
	return allow_path(rules, place, files);
}

/*
 * At /proc may be something else: a root's link, to where a bind of the container's lies by now. Lines of
 * that would be rules of its own.
 */
static int open_mountinfo(void)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct statfs fs, of_file;
	struct stat st;

	if (proc < 0 || fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT)
		return -ENOTUNIQ;
	fd = openat(proc, "self/mountinfo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &of_file) < 0)
		return -errno;
	return of_file.f_type == PROC_SUPER_MAGIC ? TAKE_FD(fd) : -ENOTUNIQ;
}

/* The mounts are asked, not the plan: a command that joins a container has none. Without memory of
 * its own: see sandbox-priv.h. */
static int allow_mounts(int rules, uint64_t files)
{
	char data[3 * 4096], *end;
	_cleanup_fd_ int fd = open_mountinfo();
	size_t have = 0;
	ssize_t n = 0;
	int r = MIN(fd, 0);

	while (r == 0 && (n = read(fd, data + have, sizeof(data) - have)) > 0) {
		char *line = data;

		have += (size_t)n;
		while (r == 0 && (end = memchr(line, '\n', have - (size_t)(line - data)))) {
			*end = '\0';
			r = allow_mount(rules, line, files);
			line = end + 1;
		}
		have -= (size_t)(line - data);
		if (have == sizeof(data))
			return -ENAMETOOLONG;
		memmove(data, line, have);
	}
	return n < 0 ? -errno : r;
}

/* What was handed in to be written may be opened again by /dev/stdout, as programs do. */
static int allow_stdio(int rules, uint64_t files)
{
	struct stat st;
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0; fd++)
		if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)) &&
			(fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			r = landlock_allow_below(rules, fd, files & OF_A_FILE);
	/* A file that has no place (a memfd, a pipe) needs no rule. */
	return r == -EBADFD ? 0 : r;
}

static int allow_files(int rules, uint64_t files)
{
	int r = allow_mounts(rules, files & ~DEVICE_NODES);

	if (r == 0)
		r = allow_path(rules, "/dev", files & OF_A_FILE);
	return r < 0 ? r : allow_stdio(rules, files);
}

static int allow_ports(int rules, const struct ports *ports, uint64_t tcp)
{
	int r = 0;

	for (size_t i = 0; i < ports->n; i++)
		for (unsigned port = ports->ranges[i].from; port <= ports->ranges[i].to && r == 0; port++)
			r = landlock_allow_port(rules, (uint16_t)port, tcp);
	return r;
}

/*
 * A command that joins is in a domain of its own, outside the first one's: with the signals' scope it
 * could end nothing in its own container. There the pid namespace is the wall, and against abstract
 * sockets the network namespace, if it is the container's.
 */
static uint64_t scopes_of(const struct plan *p, int abi)
{
	if (abi < ABI_SCOPES)
		return 0;
	if (!p->s->joins)
		return LANDLOCK_SCOPE_ABSTRACT | LANDLOCK_SCOPE_SIGNAL;
	return p->joined & CLONE_NEWNET ? 0 : LANDLOCK_SCOPE_ABSTRACT;
}

static int parse_ports(const char *text, uint16_t least, struct ports *ret, struct diag *d)
{
	int n;

	if (!text)
		return 0;
	ret->limited = true;
	if (strcmp(text, "none") == 0)
		return 0;
	n = inet_parse_ports(str_from(text), least, ret->ranges, PORT_RANGES_MAX);
	if (n < 0) {
		diag_fail(d, -ERR_USAGE, "'%s' is no list of ports", text);
		return diag_hint(d, "\"none\", or numbers and ranges like 80,443,8000-8100");
	}
	ret->n = (size_t)n;
	/* A rule is made for each port; all of them need none. */
	for (size_t i = 0; i < ret->n; i++)
		if (ret->ranges[i].from <= 1 && ret->ranges[i].to == UINT16_MAX)
			ret->limited = false;
	return 0;
}

int landlock_prepare(struct plan *p, struct diag *d)
{
	int r = parse_ports(p->s->tcp_connect, 1, &p->connect, d);

	if (r == 0)
		r = parse_ports(p->s->tcp_listen, 0, &p->listen, d);
	if (r < 0 || !(p->connect.limited || p->listen.limited) || landlock_abi() >= ABI_PORTS)
		return r;
	diag_fail(d, -ERR_NO_WALL, "this kernel cannot limit a container to some TCP ports (Landlock ABI %d, "
		"not %d)", landlock_abi(), ABI_PORTS);
	return diag_hint(d, "Linux 6.7 or newer; or grant names and ports with a network of its own");
}

int landlock_enter(struct plan *p)
{
	int abi = landlock_abi(), r;
	const struct landlock_handled h = {
		.files = files_of(abi),
		.tcp = (p->connect.limited ? LANDLOCK_TCP_CONNECT : 0) |
			(p->listen.limited ? LANDLOCK_TCP_BIND : 0),
		.scopes = scopes_of(p, abi),
	};
	_cleanup_fd_ int rules = -1;

	if (!h.files && !h.tcp && !h.scopes)
		return 0;
	rules = landlock_new(&h);
	if (rules < 0)
		return rules;
	r = h.files ? allow_files(rules, h.files) : 0;
	if (r == 0 && p->connect.limited)
		r = allow_ports(rules, &p->connect, LANDLOCK_TCP_CONNECT);
	if (r == 0 && p->listen.limited)
		r = allow_ports(rules, &p->listen, LANDLOCK_TCP_BIND);
	return r < 0 ? r : landlock_restrict(rules);
}
