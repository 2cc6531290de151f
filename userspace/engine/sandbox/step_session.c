// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits, and the rest of what a process inherits: descriptors, umask, the session keyring, the
 * execution domain. Signals are blocked from the first step on and set to their defaults by init,
 * for the command.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int limit(struct plan *p, int resource, uint64_t value, const char *name)
{
	struct rlimit r = { value, value };

	p->at = name;
	return value && setrlimit(resource, &r) < 0 ? -errno : 0;
}

#define ALL RLIM_INFINITY

/*
 * What a container has, whatever the caller's shell has set, as far as the caller's hard limits go.
 * The soft limits of open files and stack are those that programs are written for (select(2), the
 * layout of memory). No core dumps: 1 byte, because the kernel takes 0 as "still pipe it to the host's
 * handler" and 1 as "do not" (fs/coredump.c).
 */
static const struct {
	int resource;
	rlim_t soft, hard;
	bool shared;		/* what is soft now is the most: see share.c */
} standard[] = {
	{ RLIMIT_AS, ALL, ALL },
	{ RLIMIT_CORE, 1, 1 },
	{ RLIMIT_CPU, ALL, ALL },
	{ RLIMIT_DATA, ALL, ALL },
	{ RLIMIT_FSIZE, ALL, ALL },
	{ RLIMIT_LOCKS, ALL, ALL },
	{ RLIMIT_MEMLOCK, 8 << 20, 8 << 20, true },
	{ RLIMIT_MSGQUEUE, 819200, 819200, true },
	{ RLIMIT_NICE, 0, 0 },
	{ RLIMIT_NOFILE, 1024, 1 << 19 },
	{ RLIMIT_NPROC, ALL, ALL, true },
	{ RLIMIT_RSS, ALL, ALL },
	{ RLIMIT_RTPRIO, 0, 0 },
	{ RLIMIT_RTTIME, ALL, ALL },
	{ RLIMIT_SIGPENDING, ALL, ALL, true },
	{ RLIMIT_STACK, 8 << 20, ALL },
};

static int limits_standard(struct plan *p)
{
	struct rlimit now;

	for (size_t i = 0; i < ARRAY_SIZE(standard); i++) {
		p->at = "resource limits";
		if (getrlimit((__rlimit_resource_t)standard[i].resource, &now) < 0)
			return -errno;
		now.rlim_max = MIN(standard[i].shared ? now.rlim_cur : now.rlim_max, standard[i].hard);
		now.rlim_cur = MIN(now.rlim_max, standard[i].soft);
		if (setrlimit((__rlimit_resource_t)standard[i].resource, &now) < 0)
			return -errno;
	}
	return 0;
}

static int limits_given(struct plan *p)
{
	for (size_t i = 0; i < p->s->nrlimits; i++) {
		const struct sandbox_rlimit *l = &p->s->rlimits[i];
		struct rlimit r = { l->soft, l->hard };

		p->at = l->name;
		if (setrlimit((__rlimit_resource_t)l->resource, &r) < 0)
			return -errno;
	}
	return 0;
}

int limits_enter(struct plan *p)
{
	const struct sandbox_limits *l = &p->s->limits;
	int r = limits_standard(p);

	if (r == 0)
		r = limits_given(p);

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

/*
 * An empty session keyring in place of the caller's, whose keys the kernel would use for what happens
 * inside (network file systems, encrypted directories), even though seccomp refuses to name one.
 * Ordinary users may have only some hundred keyrings: past these seccomp is the wall.
 */
static int new_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == EDQUOT ||
		errno == ENOSYS || errno == EPERM)
		return 0;
	return -errno;
}

int session_enter(struct plan *p)
{
	int r = put_stdio(p);

	if (r == 0)
		r = new_keyring();
	umask(022);
	if (r == 0 && personality(PER_LINUX) < 0)
		r = -errno;
	return r < 0 ? r : put_descriptors(p);
}
