// SPDX-License-Identifier: GPL-2.0-or-later
#include "signals.h"

#include "prim/attr.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* The cursor rests at the start of the live lines, so wiping from there to the end of the screen is
 * right whatever was drawn. Only what POSIX allows in a handler; SA_RESETHAND has restored the
 * default, with which the signal is delivered again as soon as this returns. */
static void wipe(int signal)
{
	static const char code[] = "\r\033[J";
	int saved = errno;
	ssize_t n = write(STDERR_FILENO, code, sizeof(code) - 1);

	(void)n;
	raise(signal);
	errno = saved;
}

void signals_clear_line(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction old, ours = { .sa_handler = wipe, .sa_flags = SA_RESETHAND };

	sigemptyset(&ours.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &ours, NULL);
}
