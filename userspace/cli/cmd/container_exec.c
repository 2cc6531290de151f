// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "prim/err.h"
#include "running.h"

static const char *arg_workdir;
static struct opt_list arg_env;

const struct opt container_exec_options[] = {
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_env),
	OPT_TEXT("workdir", 'w', "DIR", &arg_workdir),
	OPT_ARGS("CONTAINER", 1, 1),
	OPT_ARGS("COMMAND", 1, OPT_ANY_NUMBER),
	OPT_END,
};

int cmd_container_exec(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record k;
	const char *const *env;
	int at = strcmp(c->argv[1], "--") == 0 ? 2 : 1, status = 0, r;

	if (at == c->argc)
		return diag_fail(&c->diag, -ERR_USAGE, "COMMAND is missing");
	if (arg_workdir && arg_workdir[0] != '/')
		return diag_fail(&c->diag, -ERR_USAGE, "--workdir takes an absolute path");
	r = container_named(c, &a, c->argv[0], &k);
	if (r == 0)
		r = running_env(c, &a, &arg_env, &env);
	if (r < 0)
		return r;
	r = container_exec(cmd_home(c), &k, (const char *const *)c->argv + at, env, arg_workdir,
		&status, &c->diag);
	return container_outcome(c, r, status);
}
