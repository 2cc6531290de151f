// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/sandbox-priv.h"

#include <sys/wait.h>

int sandbox_run(const struct sandbox *s, struct sandbox_result *ret, struct diag *d)
{
	struct sandbox_result result = { 0 };
	struct plan p;
	pid_t pid;
	int r = plan_make(&p, s, d);

	if (r == 0)
		r = sandbox_launch(&p, &pid, d);
	if (r == 0)
		r = sandbox_supervise(&p, pid, &result, d);
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
