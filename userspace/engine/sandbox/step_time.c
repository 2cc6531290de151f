// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The time namespace (Linux 5.6), where it is asked for: the monotonic and boot-time clocks begin with
 * the container, so that how long the host is up stays outside. Offsets can only be written while no
 * process is in it, hence by unshare: this process's children are the first.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

int time_enter(struct plan *p)
{
	struct timespec monotonic, boot;
	_cleanup_fd_ int fd = -1;
	char text[96];

	if (!p->s->time_ns)
		return 0;
	if (unshare(CLONE_NEWTIME) < 0 || clock_gettime(CLOCK_MONOTONIC, &monotonic) < 0 ||
		clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		return -errno;
	/* Whole seconds, rounded down: a clock may not begin before zero. */
	snprintf(text, sizeof(text), "monotonic -%lld 0\nboottime -%lld 0\n",
		(long long)monotonic.tv_sec, (long long)boot.tv_sec);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}
