// SPDX-License-Identifier: GPL-2.0-or-later
/* The clone, the child's walk through the steps, and its report when one fails. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The steps' own numbers are reported; these two come before the first. */
#define REPORT_CLONE ((uint32_t)-1)
#define REPORT_JOIN  ((uint32_t)-2)
#define REPORT_INIT  ((uint32_t)-3)
#define REPORT_ENTER ((uint32_t)-4)

static void say(const struct plan *p, enum init_kind kind, uint32_t step, int error)
{
	struct init_frame f = { .kind = kind, .value = error, .extra = step };

	if (p->at) {
		f.length = (uint32_t)MIN(strlen(p->at), INIT_DETAIL_MAX);
		memcpy(f.detail, p->at, f.length);
	}
	send(p->control[1], &f, sizeof(f), MSG_NOSIGNAL);
}

static _noreturn_ void report(const struct plan *p, uint32_t step, int error)
{
	say(p, INIT_REFUSED, step, error);
	_exit(1);
}

static long clone_with(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD };

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* Born in its cgroup: there is no moment in which it is outside. The limits stay lower in the child. */
static long clone_builder(const struct plan *p, uint64_t flags)
{
	struct clone_args args = { .flags = p->namespaces | flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD };
	struct share was;
	long pid;
	int error;

	if (p->s->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)p->s->cgroup;
	}
	if (share_lower(&was) < 0)
		return -1;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	error = errno;
	if (pid != 0)
		share_restore(&was);
	errno = error;
	return pid;
}

/*
 * pid 1 of the new namespaces. The supervisor's death ends it before and after exec. Signals wait until
 * init can pass them on: ^C in the first millisecond as well.
 */
static _noreturn_ void build(struct plan *p)
{
	sigset_t all;
	int r;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (const struct step *s = sandbox_steps; s->wall; s++) {
		if (!step_applies(s, p))
			continue;
		r = s->enter ? s->enter(p) : 0;
		if (p->trying)
			say(p, INIT_TRIED, (uint32_t)(s - sandbox_steps), -r);
		else if (r < 0)
			report(p, (uint32_t)(s - sandbox_steps), -r);
	}
	if (p->trying)
		_exit(0);
	syscall(SYS_execveat, p->init_fd, "", p->init_argv, p->s->env, AT_EMPTY_PATH);
	report(p, REPORT_INIT, errno);
}

/*
 * The process between: joins the namespaces of the FUSE server, and as root gives up the caller's
 * groups, neither of which the builder could do. The builder becomes its sibling. Joining a user
 * namespace makes a process undumpable, and its files in /proc root's: that is undone so that the
 * builder can write its own maps.
 */
static _noreturn_ void stage(struct plan *p, volatile pid_t *ret_pid)
{
	const struct sandbox *s = p->s;
	long pid;

	if (geteuid() == 0 && setgroups(0, NULL) < 0)
		report(p, REPORT_JOIN, errno);
	/* The container's /proc is read-only. */
	if (s->joins && out_of_memory_score(p) < 0)
		report(p, REPORT_ENTER, errno);
	if (s->joins && setns(s->join, (int)(p->joined & ~(uint64_t)CLONE_NEWCGROUP)) < 0)
		report(p, REPORT_ENTER, errno);
	if ((s->user_ns >= 0 && setns(s->user_ns, CLONE_NEWUSER) < 0) ||
		(s->mount_ns >= 0 && setns(s->mount_ns, CLONE_NEWNS) < 0) ||
		(!s->joins && prctl(PR_SET_DUMPABLE, 1) < 0))
		report(p, REPORT_JOIN, errno);
	pid = clone_builder(p, CLONE_PARENT);
	if (pid < 0)
		report(p, REPORT_CLONE, errno);
	if (pid == 0)
		build(p);
	*ret_pid = (pid_t)pid;
	_exit(0);
}

/* Tries each namespace by itself, to name the one that this host refuses. */
static const char *find_refused(void)
{
	for (const struct step *s = sandbox_steps; s->wall; s++) {
		uint64_t user = s->namespace == CLONE_NEWUSER ? 0 : CLONE_NEWUSER;
		long pid = s->namespace ? clone_with(s->namespace | user) : -1;

		if (pid == 0)
			_exit(0);
		if (s->namespace && pid < 0)
			return s->wall;
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
	}
	return "namespaces";
}

static int clone_refused(int error, struct diag *d)
{
	const char *wall;

	if (error == EAGAIN) {
		diag_fail(d, -ERR_CONTAINER, "there are too many processes for another container: containers "
			"leave a quarter of what their user may have to other programs");
		return diag_hint(d, "end some, or raise the limit (ulimit -u)");
	}
	wall = find_refused();
	diag_fail(d, -ERR_NO_WALL, "this host refuses the %s: %s", wall, strerror(error));
	return diag_hint(d, "'cratons doctor' tries each wall and says what to change");
}

/* A path that the caller named, not a wall. */
static bool is_about_path(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == EEXIST ||
		error == ELOOP || error == ENAMETOOLONG || error == EROFS;
}

/* The steps that have no other path than the command's directory. */
static bool is_about_cwd(const struct step *s)
{
	return s->enter == pivot_enter || s->enter == join_enter;
}

int sandbox_refused(const struct init_frame *f, struct diag *d)
{
	const char *why = strerror(f->value);
	int at = (int)MIN(f->length, INIT_DETAIL_MAX);
	size_t steps = 0;

	if (f->extra == REPORT_CLONE)
		return clone_refused(f->value, d);
	if (f->extra == REPORT_JOIN)
		return diag_fail(d, -ERR_CONTAINER, "cannot join the mount server's namespaces: %s", why);
	if (f->extra == REPORT_ENTER)
		return diag_fail(d, -ERR_CONTAINER, "cannot join the container's namespaces: %s", why);
	while (sandbox_steps[steps].wall)
		steps++;
	if (f->extra >= steps)
		return diag_fail(d, -ERR_CONTAINER, "cannot execute cratons-init: %s", why);
	if (at && is_about_path(f->value) && is_about_cwd(&sandbox_steps[f->extra])) {
		diag_fail(d, -ERR_CONTAINER, "the command cannot start in %.*s: %s", at, f->detail, why);
		return diag_hint(d, "--workdir is a directory as it is called in the container: what is there "
			"is what its root has and what is bound");
	}
	if (at && is_about_path(f->value))
		return diag_fail(d, -ERR_CONTAINER, "the container cannot have %.*s: %s", at, f->detail,
			why);
	diag_fail(d, -ERR_NO_WALL, "cannot build a wall (%s): %s%s%.*s", sandbox_steps[f->extra].wall,
		why, at ? ": " : "", at, f->detail);
	return diag_hint(d, "'cratons doctor' tries each wall and says what to change");
}

/* The pid comes back in a page that the two share: the control socket is the builder's by then. */
static int launch_staged(struct plan *p, pid_t *ret_pid, struct diag *d)
{
	volatile pid_t *shared = mmap(NULL, sizeof(pid_t), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct init_frame f;
	long between;
	int r = 0;

	if (shared == MAP_FAILED)
		return diag_errno(d, -errno, "cannot start the container");
	between = clone_with(0);
	if (between == 0)
		stage(p, shared);
	if (between < 0)
		r = diag_errno(d, -errno, "cannot start the container");
	while (between > 0 && waitpid((pid_t)between, NULL, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && *shared > 0)
		*ret_pid = *shared;
	else if (r == 0 && recv(p->control[0], &f, sizeof(f), MSG_DONTWAIT) == sizeof(f))
		r = sandbox_refused(&f, d);
	else if (r == 0)
		r = diag_fail(d, -ERR_CONTAINER, "the container's builder died");
	munmap((void *)shared, sizeof(pid_t));
	return r;
}

static int launch_direct(struct plan *p, pid_t *ret_pid, struct diag *d)
{
	long pid = clone_builder(p, 0);

	if (pid == 0)
		build(p);
	if (pid < 0)
		return clone_refused(errno, d);
	*ret_pid = (pid_t)pid;
	return 0;
}

int sandbox_launch(struct plan *p, pid_t *ret_pid, struct diag *d)
{
	int r = p->staged ? launch_staged(p, ret_pid, d) : launch_direct(p, ret_pid, d);

	fd_closep(&p->control[1]);
	for (int fd = 0; fd < 3; fd++)
		fd_closep(&p->stdio[fd]);
	return r;
}
