// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/*
 * The signals to pass on, held from before there is a container, so that none ends this process and
 * with it what was just started. What the caller ignores (nohup) stays with it.
 */
static int take_signals(struct plan *p, sigset_t *ret_old, struct diag *d)
{
	static const int passed[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP,
		SIGWINCH, SIGCONT };
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	if (p->s->stdio != SANDBOX_STDIO_CAPTURE)
		for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
			if (sigaction(passed[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
				sigaddset(&set, passed[i]);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return diag_errno(d, -errno, "cannot take signals");
	return -pthread_sigmask(SIG_BLOCK, &set, ret_old);
}

/* A reader of the output that goes away is the command's loss (SIGPIPE), not this process's. */
static void ignore_pipe(const struct plan *p, struct sigaction *ret_old)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, p->s->stdio == SANDBOX_STDIO_STREAMS ? &ignore : NULL, ret_old);
}

static int run(struct plan *p, struct sandbox_result *ret, struct diag *d)
{
	struct sigaction pipe_was;
	sigset_t old;
	pid_t pid;
	int r = take_signals(p, &old, d);

	if (r < 0)
		return r;
	ignore_pipe(p, &pipe_was);
	r = sandbox_launch(p, &pid, d);
	if (r == 0)
		r = sandbox_supervise(p, pid, ret, d);
	sigaction(SIGPIPE, &pipe_was, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

int sandbox_run(const struct sandbox *s, struct sandbox_result *ret, struct diag *d)
{
	struct sandbox_result result = { 0 };
	struct plan p;
	int r = diag_under(d, plan_make(&p, s, d), -ERR_CONTAINER);

	if (r == 0)
		r = run(&p, &result, d);
	plan_done(&p);
	if (r < 0) {
		buf_done(&result.output);
		return r;
	}
	*ret = result;
	return 0;
}

int sandbox_exit_status(const struct sandbox_result *r)
{
	return WIFSIGNALED(r->status) ? 128 + WTERMSIG(r->status) : WEXITSTATUS(r->status);
}
