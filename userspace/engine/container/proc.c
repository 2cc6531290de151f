// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes by number and birth: a number alone may belong to another one by now. */
#include "engine/container/container-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <time.h>

#define STAT_MAX 4096
/* starttime is field 22 (proc_pid_stat(5)); this many follow the name's closing parenthesis. */
#define AFTER_NAME (22 - 2)

int process_start(pid_t pid, uint64_t *ret)
{
	char path[32], text[STAT_MAX];
	_cleanup_fd_ int fd = -1;
	struct str rest, field = { 0 };
	const char *name_end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	text[n] = '\0';
	name_end = strrchr(text, ')');	/* the name may have one itself */
	if (!name_end)
		return -ESRCH;
	rest = str_from(name_end + 1);
	for (int i = 0; i < AFTER_NAME + 1 && rest.p; i++)
		field = str_cut(&rest, ' ');
	return str_u64(field, ret) < 0 ? -ESRCH : 0;
}

/* The descriptor first: the time that is read after it is of that process or of one that came later, which
 * differs. */
int process_open(pid_t pid, uint64_t start)
{
	_cleanup_fd_ int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
	uint64_t now;

	if (fd < 0)
		return -ESRCH;
	return process_start(pid, &now) == 0 && now == start ? TAKE_FD(fd) : -ESRCH;
}

int process_boot_id(char ret[37])
{
	_cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, 36);

	ret[36] = '\0';
	return n == 36 ? 0 : -ENOENT;
}

int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}
