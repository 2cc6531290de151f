// SPDX-License-Identifier: GPL-2.0-or-later
/* The caller's terminal, while the container has one of its own. */
#include "engine/sandbox/sandbox-priv.h"

void terminal_raw(const struct terminal *t)
{
	struct termios raw = t->settings;

	cfmakeraw(&raw);
	/* Others write to it at the same time and rely on its line ends; the container's leaves them. */
	if (t->lazy)
		raw.c_oflag = t->settings.c_oflag;
	tcsetattr(0, TCSADRAIN, &raw);
}

void terminal_restore(const struct terminal *t)
{
	tcsetattr(0, TCSADRAIN, &t->settings);
}

bool terminal_is_ours(const struct terminal *t)
{
	return t->is[0] && tcgetpgrp(0) == getpgrp();
}
