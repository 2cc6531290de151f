// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "prim/err.h"
#include "running.h"
#include "secrets.h"

static const char *arg_workdir;
static struct opt_list arg_env;

const struct opt container_exec_options[] = {
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_env),
	OPT_SECRETS,
	OPT_TEXT("workdir", 'w', "DIR", &arg_workdir),
	OPT_ARGS("CONTAINER", 1, 1),
	OPT_ARGS("COMMAND", 1, OPT_ANY_NUMBER),
	OPT_END,
};

/* A container's mounts are made when it is. */
static int check_secrets(struct cmd *c)
{
	for (size_t i = 0; i < arg_secrets.n; i++)
		if (arg_secrets.v[i].file)
			return diag_fail(&c->diag, -ERR_USAGE, "--secret %s: type=mount is for containers that "
				"are made, not for one that runs", arg_secrets.v[i].name);
	return 0;
}

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
	if (r == 0)
		r = secrets_read(c, &arg_env);
	if (r == 0)
		r = check_secrets(c);
	if (r < 0)
		return r;
	r = container_exec(cmd_home(c), &k, &(struct container_exec){
		.argv = (const char *const *)c->argv + at,
		.env = env,
		.cwd = arg_workdir,
		.secrets = arg_secrets.v,
		.nsecrets = arg_secrets.n,
	}, &status, &c->diag);
	return container_outcome(c, r, status);
}
