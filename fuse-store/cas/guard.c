// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/guard.h"

#include "prim/attr.h"
#include "prim/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static const int caught[] = { SIGBUS, SIGSEGV, SIGFPE };

/* Handlers belong to the process, so this state does too. */
static struct sigaction before[ARRAY_SIZE(caught)];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local sigjmp_buf *volatile guard;

void guard_leave(void)
{
	sigjmp_buf *to = guard;

	guard = NULL;
	if (to)
		siglongjmp(*to, 1);
}

static void handle(int sig, siginfo_t *info, void *context)
{
	guard_leave();
	/* Not ours: the instruction runs again and meets the handler that was there before. */
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (caught[i] == sig)
			sigaction(sig, &before[i], NULL);
	if (info->si_code <= 0)
		raise(sig);	/* sent by someone: no instruction will do it again */
}

/* SA_NODEFER: the signal is not blocked while it is handled, so that jumping out leaves the mask as
 * it was without saving it each time. */
static void install(void)
{
	struct sigaction a = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &a, &before[i]);
}

int guard_run(int (*fn)(void *data), void *data)
{
	sigjmp_buf here;
	int r;

	pthread_once(&once, install);
	if (sigsetjmp(here, 0))
		return -ERR_STORE;
	guard = &here;
	r = fn(data);
	guard = NULL;
	return r;
}
