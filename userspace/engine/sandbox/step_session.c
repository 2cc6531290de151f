// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits, and the rest of what a process inherits: descriptors and umask. Signals are blocked from the
 * first step on and set to their defaults by init, for the command. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int limit(struct plan *p, int resource, uint64_t value, const char *name)
{
	struct rlimit r = { value, value };

	p->at = name;
	return value && setrlimit(resource, &r) < 0 ? -errno : 0;
}

/* No core dumps: 1 byte, because the kernel takes 0 as "still pipe it to the host's handler" and 1 as
 * "do not" (fs/coredump.c). */
int limits_enter(struct plan *p)
{
	const struct sandbox_limits *l = &p->s->limits;
	int r = limit(p, RLIMIT_CORE, 1, "core");

	if (r == 0)
		r = limit(p, RLIMIT_AS, l->address_space, "address space");
	if (r == 0)
		r = limit(p, RLIMIT_FSIZE, l->file_size, "file size");
	if (r == 0)
		r = limit(p, RLIMIT_NPROC, l->processes, "processes");
	if (r == 0)
		r = limit(p, RLIMIT_NOFILE, l->open_files, "open files");
	if (r == 0)
		p->at = NULL;
	return r;
}

static int put_stdio(struct plan *p)
{
	for (int fd = 0; fd < 3; fd++) {
		int from = p->terminal.is[fd] ? p->slave : p->stdio[fd];

		if (from >= 0 && dup2(from, fd) < 0)
			return -errno;
	}
	return 0;
}

/*
 * The descriptors that stay are moved above those that they are to become first, so that none is
 * overwritten while it is still needed. init_fd stays open until it is executed.
 */
static int put_descriptors(struct plan *p)
{
	const int above = INIT_FD_TERMINAL + 2, init = INIT_FD_TERMINAL + 1;
	int control = fcntl(p->control[1], F_DUPFD_CLOEXEC, above);
	int program = fcntl(p->init_fd, F_DUPFD_CLOEXEC, above);
	int slave = p->terminal.wanted ? fcntl(p->slave, F_DUPFD_CLOEXEC, above) : -1;

	if (control < 0 || program < 0 || (p->terminal.wanted && slave < 0))
		return -errno;
	if (dup2(control, INIT_FD_CONTROL) < 0 || dup3(program, init, O_CLOEXEC) < 0 ||
		(slave >= 0 && dup2(slave, INIT_FD_TERMINAL) < 0))
		return -errno;
	if (slave < 0)
		close(INIT_FD_TERMINAL);
	p->control[1] = INIT_FD_CONTROL;
	p->init_fd = init;
	return close_range((unsigned)above, ~0u, 0) < 0 ? -errno : 0;
}

int session_enter(struct plan *p)
{
	int r = put_stdio(p);

	umask(022);
	return r < 0 ? r : put_descriptors(p);
}
