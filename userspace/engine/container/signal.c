// SPDX-License-Identifier: GPL-2.0-or-later
/* What others do to a container: signals, stopping, waiting, forgetting. */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/pidfd.h>

#define END_SECONDS 20	/* after SIGKILL, for the supervisor to record the end */

static const char *shown(const struct container_record *c)
{
	return c->name ? c->name : c->id;
}

static int not_running(const struct container_record *c, struct diag *d)
{
	return diag_fail(d, -ERR_CONTAINER, "container %s does not run: it %s %s", shown(c),
		c->status == CONTAINER_EXITED ? "has" : "is", container_status_name(c->status));
}

static bool runs(const struct container_record *c)
{
	return c->status == CONTAINER_RUNNING || c->status == CONTAINER_PAUSED;
}

int container_open_init(const struct container_record *c, struct diag *d)
{
	int fd = runs(c) && c->init ? process_open(c->init, c->init_start) : -ESRCH;

	return fd < 0 ? not_running(c, d) : fd;
}

int container_signal(int home_fd, const struct container_record *c, int sig, struct diag *d)
{
	_cleanup_fd_ int init = container_open_init(c, d);

	if (init < 0)
		return init;
	if (sig == SIGSTOP) {
		diag_fail(d, -ERR_USAGE, "a container is not stopped by a signal");
		return diag_hint(d, "cratons container pause %s", shown(c));
	}
	if (pidfd_send_signal(init, sig, NULL, 0) < 0 && errno != ESRCH)
		return diag_errno(d, -errno, "cannot signal container %s", shown(c));
	return 0;
}

/* The lock's file, or -ENOENT when it is gone with its container. */
static int open_lock(int home_fd, const struct container_record *c, struct diag *d)
{
	_cleanup_fd_ int all = containers_open(home_fd, d), dir = -1;
	int fd;

	if (all < 0)
		return all;
	dir = container_open_dir(all, c->place);
	fd = dir < 0 ? -1 : openat(dir, LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -ENOENT : fd;
}

/* Until the supervisor has let go, or for so many ms (-1: for ever): flock itself has no limit. */
static int await(int lock, int64_t ms)
{
	int64_t until = clock_ms(CLOCK_MONOTONIC) + ms;
	struct timespec nap = { .tv_nsec = 200000 };

	if (ms < 0) {
		while (flock(lock, LOCK_SH) < 0)
			if (errno != EINTR)
				return -errno;
		return 0;
	}
	while (flock(lock, LOCK_SH | LOCK_NB) < 0) {
		if (clock_ms(CLOCK_MONOTONIC) >= until)
			return -ETIMEDOUT;
		nanosleep(&nap, NULL);
		nap.tv_nsec = MIN(nap.tv_nsec * 2, 20000000L);
	}
	return 0;
}

int container_stop(int home_fd, const struct container_record *c, unsigned seconds, struct diag *d)
{
	_cleanup_fd_ int lock = open_lock(home_fd, c, d), init = -1;
	struct pollfd p = { .events = POLLIN };
	int r;

	if (!runs(c) && c->status != CONTAINER_CREATED)
		return 0;
	/* Of one whose command does not run yet the supervisor is ended, and with it what it builds. */
	init = runs(c) ? container_open_init(c, NULL) : process_open(c->supervisor, c->supervisor_start);
	p.fd = init;
	if (init >= 0 && seconds && runs(c) && pidfd_send_signal(init, SIGTERM, NULL, 0) == 0 &&
			(c->status != CONTAINER_PAUSED || container_pause(home_fd, c, false, NULL) == 0))
		poll(&p, 1, (int)MIN(seconds, 86400u) * 1000);
	if (init >= 0)
		pidfd_send_signal(init, SIGKILL, NULL, 0);
	if (lock == -ENOENT)
		return 0;
	r = lock < 0 ? lock : await(lock, END_SECONDS * 1000);
	return r < 0 ? diag_errno(d, r, "container %s does not end", shown(c)) : 0;
}

static int no_cgroup(const struct container_record *c, const char *what, struct diag *d)
{
	diag_fail(d, -ERR_NO_WALL, "container %s has no cgroup: it cannot be %s", shown(c), what);
	return diag_hint(d, "'cratons doctor' says what this host lacks; those of --detach get one where "
		"there is one to be had");
}

/*
 * Only by the cgroup's freezer. SIGSTOP would be seen by the parents of what is stopped and undone by
 * anyone inside who sends SIGCONT: that is no pause that a container cannot leave.
 */
int container_pause(int home_fd, const struct container_record *c, bool on, struct diag *d)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
	int r;

	if (!runs(c))
		return not_running(c, d);
	if (!c->cgroup)
		return no_cgroup(c, on ? "paused" : "resumed", d);
	r = cgroup_open(&g, c->cgroup, d);
	if (r == 0)
		r = cgroup_freeze(g, on);
	return r < 0 ? diag_errno(d, r, "cannot %s container %s", on ? "pause" : "resume", shown(c)) : 0;
}

int container_usage(const struct container_record *c, struct cgroup_usage *ret, struct diag *d)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
	int r;

	if (!runs(c))
		return not_running(c, d);
	if (!c->cgroup)
		return no_cgroup(c, "measured", d);
	r = cgroup_open(&g, c->cgroup, d);
	if (r == 0)
		r = cgroup_usage(g, ret);
	return r < 0 ? diag_errno(d, r, "cannot measure container %s", shown(c)) : 0;
}

/* Written by the supervisor before it lets go; 0 bytes are of one that was killed. */
static int read_status(int lock)
{
	char text[16];
	ssize_t n = pread(lock, text, sizeof(text), 0);
	uint64_t status;

	if (n < 2 || str_u64(str_of(text, (size_t)n - 1), &status) < 0 || status > 255)
		return 128 + SIGKILL;
	return (int)status;
}

int container_wait(int home_fd, const struct container_record *c, int *ret_status, struct diag *d)
{
	_cleanup_fd_ int lock = -1;
	int r;

	if (c->status == CONTAINER_EXITED || c->status == CONTAINER_LOST) {
		*ret_status = c->exit_status;
		return 0;
	}
	lock = open_lock(home_fd, c, d);
	r = lock < 0 ? lock : await(lock, -1);
	if (r < 0)
		return diag_fail(d, -ERR_CONTAINER, "container %s is gone", shown(c));
	*ret_status = read_status(lock);
	return 0;
}

int container_remove(int home_fd, const struct container_record *c, bool force, struct diag *d)
{
	_cleanup_fd_ int all = containers_open(home_fd, d), dir = -1;
	int r = all < 0 ? all : 0;

	if (r == 0 && force)
		r = container_stop(home_fd, c, 0, d);
	if (r < 0)
		return r;
	dir = container_open_dir(all, c->place);
	if (dir >= 0 && container_is_held(dir)) {
		diag_fail(d, -ERR_CONTAINER, "container %s is %s", shown(c),
			container_status_name(c->status));
		return diag_hint(d, "cratons container stop %s, or rm --force", shown(c));
	}
	r = container_forget(all, c->place);
	return r < 0 ? diag_errno(d, r, "cannot remove container %s", shown(c)) : 0;
}
