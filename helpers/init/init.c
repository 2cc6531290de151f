// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cratons-init FLAGS COMMAND [ARGUMENT…]: pid 1 of a container. It starts the command, reaps what
 * is orphaned, passes on the signals that the supervisor names, and leaves when the command ends or
 * the supervisor is gone; the kernel then ends everything else in the pid namespace.
 *
 * It runs behind the same walls as the command, so a flaw here gives nothing. It is not dumpable:
 * the command, which has the same uid, can neither trace it nor reach its descriptors.
 *
 * With 'x' it is not pid 1 but looks after a further command of a container: what that leaves behind
 * comes to it, and it ends all of it itself.
 *
 * FLAGS is one word: 't', there is a terminal; 'b', the command starts in its background; 'x'; '-'.
 */
#include "sys.h"

#include "cratons/wire/init.h"

/* Constants and layouts only: nothing of a C library is linked. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <stdbool.h>
#include <stddef.h>

#define PATH_LENGTH 4096
#define END_ROUNDS  10000
#define NSIG_KERNEL 64

struct container {
	int pid;		/* the command's, which leads its process group */
	int signals;		/* a signalfd */
	int start;		/* a pipe that ends when the command was executed; -1: it has been */
	bool terminal;
	bool further;		/* 'x' */
};

/* Linux's own layout, which C libraries hide (include/uapi/asm/signal.h). */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static bool has(const char *flags, char c)
{
	while (*flags && *flags != c)
		flags++;
	return *flags == c;
}

static void say(enum init_kind kind, int value)
{
	struct init_frame f = { .kind = kind, .value = value };

	sys3(__NR_write, INIT_FD_CONTROL, &f, sizeof(f));
}

static void give_terminal(int pgid)
{
	sys3(__NR_ioctl, INIT_FD_TERMINAL, TIOCSPGRP, &pgid);
}

static const char *find_path(char **envp)
{
	for (; *envp; envp++) {
		const char *e = *envp;

		if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' && e[4] == '=')
			return e + 5;
	}
	return "/usr/local/bin:/usr/bin:/bin";
}

/* The text at `at` of out, as far as it fits; the new end. */
static size_t put(char *out, size_t at, const char *text, size_t n)
{
	for (size_t i = 0; i < n && at < PATH_LENGTH; i++)
		out[at++] = text[i];
	return at;
}

static long exec_in(const char *dir, size_t dir_len, char **argv, char **envp)
{
	char path[PATH_LENGTH + 1];
	size_t at = put(path, 0, dir_len ? dir : ".", dir_len ? dir_len : 1), len = 0;

	while (argv[0][len])
		len++;
	at = put(path, at, "/", 1);
	at = put(path, at, argv[0], len);
	if (at == PATH_LENGTH)
		return -ENAMETOOLONG;
	path[at] = '\0';
	return sys3(__NR_execve, path, argv, envp);
}

/* As execvpe: a directory that is not there is passed over, one that may not be used remembered. */
static long exec_path(char **argv, char **envp)
{
	const char *dir = find_path(envp);
	long r, worst = -ENOENT;

	if (!argv[0][0])
		return -ENOENT;
	if (has(argv[0], '/'))
		return sys3(__NR_execve, argv[0], argv, envp);
	for (;;) {
		size_t n = 0;

		while (dir[n] && dir[n] != ':')
			n++;
		r = exec_in(dir, n, argv, envp);
		if (r == -EACCES)
			worst = r;
		else if (r != -ENOENT && r != -ENOTDIR)
			return r;
		if (!dir[n])
			return worst;
		dir += n + 1;
	}
}

static void signals_default(void)
{
	struct kernel_sigaction sa = { 0 };
	uint64_t none = 0;

	for (int sig = 1; sig <= NSIG_KERNEL; sig++)
		sys4(__NR_rt_sigaction, sig, &sa, NULL, sizeof(sa.mask));
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

static long become_command(const struct container *c, bool foreground, char **argv, char **envp)
{
	/* Should this init be killed by who it looks after: pid 1 is left, and ends the rest. */
	if (c->further)
		sys5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sys2(__NR_setpgid, 0, 0);
	if (foreground)
		give_terminal((int)sys0(__NR_getpid));
	signals_default();
	return exec_path(argv, envp);
}

/*
 * Not vfork, which would hold init while the child is stopped by ^Z before it executes. A failure
 * comes back through a pipe, which the command's start closes.
 */
static long start(struct container *c, bool foreground, char **argv, char **envp)
{
	int ends[2], error;
	long pid, r = sys2(__NR_pipe2, ends, O_CLOEXEC);

	if (r < 0)
		return r;
	pid = sys5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		error = (int)-become_command(c, foreground, argv, envp);
		sys3(__NR_write, ends[1], &error, sizeof(error));
		sys1(__NR_exit_group, 127);
	}
	/* By both, so that signals find the group whoever comes first. */
	sys2(__NR_setpgid, pid, pid);
	sys1(__NR_close, ends[1]);
	c->start = ends[0];
	c->pid = (int)pid;
	return pid;
}

/* True when the command runs (or ran); false, said, when it could not be executed. */
static bool started(struct container *c)
{
	int error = 0;

	if (c->start < 0)
		return true;
	if (sys3(__NR_read, c->start, &error, sizeof(error)) == sizeof(error)) {
		say(INIT_NO_COMMAND, error);
		return false;
	}
	say(INIT_STARTED, 0);
	sys1(__NR_close, c->start);
	c->start = -1;
	return true;
}

/* Reaps all that has ended. True when the command was among it. */
static bool reap(struct container *c)
{
	for (;;) {
		int status = 0;
		long pid = sys4(__NR_wait4, -1, &status, WNOHANG | WUNTRACED, NULL);

		if (pid <= 0)
			return false;
		if (pid != c->pid)
			continue;
		if ((status & 0xff) != 0x7f) {
			if (started(c))
				say(INIT_EXITED, status);
			return true;
		}
		say(INIT_STOPPED, (status >> 8) & 0xff);
	}
}

/* One request of the supervisor's; false when there is none any more. */
static bool obey(const struct container *c)
{
	struct init_frame f;

	if (sys3(__NR_read, INIT_FD_CONTROL, &f, sizeof(f)) != sizeof(f))
		return false;
	if (f.kind == INIT_CONTINUE) {
		if (c->terminal && f.value)
			give_terminal(c->pid);
		sys2(__NR_kill, -c->pid, SIGCONT);
		return true;
	}
	if (f.kind != INIT_SIGNAL || f.value < 1 || f.value > NSIG_KERNEL)
		return false;
	sys2(__NR_kill, -c->pid, f.value);
	return true;
}

static void serve(struct container *c)
{
	struct pollfd fds[] = { { INIT_FD_CONTROL, POLLIN, 0 }, { c->signals, POLLIN, 0 },
		{ c->start, POLLIN, 0 } };
	struct signalfd_siginfo info;

	for (;;) {
		if (reap(c))
			return;
		fds[2].fd = c->start;
		if (sys5(__NR_ppoll, fds, 3, NULL, NULL, 0) < 0)
			return;
		if (c->start >= 0 && fds[2].revents && !started(c))
			return;
		if (fds[0].revents && !obey(c))
			return;
		if (fds[1].revents && sys3(__NR_read, c->signals, &info, sizeof(info)) == sizeof(info) &&
			info.ssi_signo != SIGCHLD)
			sys2(__NR_kill, -c->pid, info.ssi_signo);
	}
}

/* The number at the start of a text; *ret_len is how far it goes. */
static long number(const char *text, long n, long *ret_len)
{
	long value = 0, i = 0;

	for (; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + text[i] - '0';
	*ret_len = i;
	return value;
}

/* Sends SIGKILL to this process's children: those that fit into one read, as there is a next time. False
 * when there is none, or no way to know (a kernel without CONFIG_PROC_CHILDREN). */
static bool kill_children(void)
{
	char text[PATH_LENGTH];
	long fd = sys4(__NR_openat, AT_FDCWD, "/proc/thread-self/children",
		O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	long n = fd < 0 ? 0 : sys3(__NR_read, fd, text, sizeof(text)), len;

	for (long at = 0; at < n; at += len + 1) {
		long pid = number(text + at, n - at, &len);

		/* A number that the end of the buffer cuts would be another's. */
		if (pid > 1 && at + len < n)
			sys2(__NR_kill, pid, SIGKILL);
	}
	if (fd >= 0)
		sys1(__NR_close, fd);
	return n > 0;
}

/*
 * Ends what the command left. Orphans come to this process, whoever made them (PR_SET_CHILD_SUBREAPER):
 * killing the children until there are none gets all of them. A bomb that forks faster is left to pid 1.
 */
static void end_all(void)
{
	for (int round = 0; round < END_ROUNDS && kill_children(); round++)
		sys4(__NR_wait4, -1, NULL, 0, NULL);
}

#define BIT(sig) (1ULL << ((sig) - 1))

/*
 * All signals are blocked, and read: the children's, and those for the command, which come from outside
 * (a pid 1 hears all that its host sends it, once they are blocked) or from the terminal before the
 * command has it. SIGPIPE is our own, of a supervisor that has gone. A caller that ignores SIGCHLD has
 * handed that down, and the kernel would reap the command for us.
 */
static int watch_signals(void)
{
	uint64_t all = ~0ULL;
	uint64_t read = all & ~(BIT(SIGPIPE) | BIT(SIGKILL) | BIT(SIGSTOP));
	struct kernel_sigaction sa = { 0 };

	for (int sig = 1; sig <= NSIG_KERNEL; sig++)
		if (read & BIT(sig))
			sys4(__NR_rt_sigaction, sig, &sa, NULL, sizeof(sa.mask));
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	return (int)sys4(__NR_signalfd4, -1, &read, sizeof(read), O_CLOEXEC);
}

int init_main(int argc, char **argv, char **envp)
{
	struct container c = { 0 };
	bool foreground;
	long pid;

	if (argc < 3)
		return 2;
	c.terminal = has(argv[1], 't');
	foreground = c.terminal && !has(argv[1], 'b');
	sys5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	sys5(__NR_prctl, PR_SET_NAME, "cratons-init", 0, 0, 0);
	c.further = has(argv[1], 'x');
	if (c.further) {
		/* The supervisor's end is heard on the control socket: then there is more to be ended. */
		sys5(__NR_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
		sys5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	}
	c.signals = watch_signals();
	sys3(__NR_fcntl, INIT_FD_CONTROL, F_SETFD, 1);
	if (c.terminal)
		sys3(__NR_fcntl, INIT_FD_TERMINAL, F_SETFD, 1);
	pid = start(&c, foreground, argv + 2, envp);
	if (pid < 0) {
		say(INIT_NO_COMMAND, (int)-pid);
		return 127;
	}
	for (int fd = 0; fd < 3; fd++)
		sys1(__NR_close, fd);	/* so that a reader of the command's output sees its end */
	serve(&c);
	if (c.further)
		end_all();
	return 0;
}
