// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cratons-init FLAGS COMMAND [ARGUMENT…]: pid 1 of a container. It starts the command, reaps what
 * is orphaned, passes on the signals that the supervisor names, and leaves when the command ends or
 * the supervisor is gone; the kernel then ends everything else in the pid namespace.
 *
 * It runs behind the same walls as the command, so a flaw here gives nothing. It is not dumpable:
 * the command, which has the same uid, can neither trace it nor reach its descriptors.
 *
 * FLAGS is one word: 't', there is a terminal; 'b', the command starts in its background.
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
#define NSIG_KERNEL 64

struct container {
	int pid;		/* the command's, which leads its process group */
	int signals;		/* a signalfd */
	bool terminal;
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

/* The child's side; it shares memory with its parent until exec, so it changes only locals. */
static long become_command(bool foreground, char **argv, char **envp)
{
	sys2(__NR_setpgid, 0, 0);
	if (foreground)
		give_terminal((int)sys0(__NR_getpid));
	signals_default();
	return exec_path(argv, envp);
}

/* vfork: the parent waits until the child has executed, so that `error` tells how that went. */
static long start(bool foreground, char **argv, char **envp)
{
	volatile long error = 0;
	long pid = sys5(__NR_clone, 0x4000 | 0x100 | SIGCHLD /* VFORK, VM */, 0, 0, 0, 0);

	if (pid == 0) {
		error = become_command(foreground, argv, envp);
		sys1(__NR_exit, 127);
	}
	return pid < 0 ? pid : error < 0 ? error : pid;
}

/* Reaps all that has ended. True when the command was among it. */
static bool reap(const struct container *c)
{
	for (;;) {
		int status = 0;
		long pid = sys4(__NR_wait4, -1, &status, WNOHANG | WUNTRACED, NULL);

		if (pid <= 0)
			return false;
		if (pid != c->pid)
			continue;
		if ((status & 0xff) != 0x7f) {
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

static void serve(const struct container *c)
{
	struct pollfd fds[] = { { INIT_FD_CONTROL, POLLIN, 0 }, { c->signals, POLLIN, 0 } };
	struct signalfd_siginfo info;

	for (;;) {
		if (reap(c))
			return;
		if (sys5(__NR_ppoll, fds, 2, NULL, NULL, 0) < 0)
			return;
		if (fds[0].revents && !obey(c))
			return;
		if (fds[1].revents)
			sys3(__NR_read, c->signals, &info, sizeof(info));
	}
}

/* A caller that ignores SIGCHLD has handed that down, and the kernel would reap the command for us. */
static int watch_children(void)
{
	struct kernel_sigaction sa = { 0 };
	uint64_t all = ~0ULL, child = 1ULL << (SIGCHLD - 1);

	sys4(__NR_rt_sigaction, SIGCHLD, &sa, NULL, sizeof(sa.mask));
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	return (int)sys4(__NR_signalfd4, -1, &child, sizeof(child), O_CLOEXEC);
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
	c.signals = watch_children();
	sys3(__NR_fcntl, INIT_FD_CONTROL, F_SETFD, 1);
	if (c.terminal)
		sys3(__NR_fcntl, INIT_FD_TERMINAL, F_SETFD, 1);
	pid = start(foreground, argv + 2, envp);
	if (pid < 0) {
		say(INIT_NO_COMMAND, (int)-pid);
		return 127;
	}
	c.pid = (int)pid;
	say(INIT_STARTED, 0);
	for (int fd = 0; fd < 3; fd++)
		sys1(__NR_close, fd);	/* so that a reader of the command's output sees its end */
	serve(&c);
	return 0;
}
