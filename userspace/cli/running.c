// SPDX-License-Identifier: GPL-2.0-or-later
#include "running.h"

#include "commands.h"
#include "engine/run/run.h"
#include "net.h"
#include "prim/err.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

struct running arg_running;

int running_env(struct cmd *c, struct arena *a, const struct opt_list *wanted, const char *const **ret)
{
	const char **all = arena_newn(a, const char *, wanted->n + 1);
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->n; i++) {
		const char *given = wanted->v[i], *value;

		if (strchr(given, '=')) {
			all[n++] = given;
			continue;
		}
		value = getenv(given);
		if (!value) {
			cmd_warn(c, "--env %s: there is no such variable", given);
			continue;
		}
		all[n] = arena_fmt(a, "%s=%s", given, value).p;
		if (!all[n++])
			return -ENOMEM;
	}
	*ret = all;
	return 0;
}

/* Where the caller stands in the project; the project itself from elsewhere (-C, a link). */
static const char *place_in(const struct project *p, char *room, size_t size)
{
	size_t n = strlen(p->path);

	if (!getcwd(room, size) || strncmp(room, p->path, n) != 0 ||
			(room[n] != '/' && room[n] != '\0'))
		return p->path;
	return room;
}

int running_find(struct cmd *c, const struct project *p, struct running_environment *ret)
{
	struct running_environment e = { 0 };
	int r = cas_writer_open(&e.lease, p->home_fd, &c->diag);

	if (r == 0)
		r = run_find(p, arg_running.production, e.lease, &e.found, &c->diag);
	if (r < 0) {
		running_environment_done(&e);
		return r;
	}
	*ret = e;
	return 0;
}

void running_environment_done(struct running_environment *e)
{
	install_result_done(&e->found);
	cas_writer_free(TAKE_PTR(e->lease));
}

int running_run(struct cmd *c, const struct project *p, const struct running_environment *e,
	const char *const *argv, const struct digest *tools)
{
	_cleanup_(net_choice_done) struct net_choice net = { 0 };
	_cleanup_arena_ struct arena a = ARENA_INIT;
	char cwd[PATH_MAX];
	struct run_options o = {
		.profile = c->command->name,
		.argv = argv,
		.cwd = place_in(p, cwd, sizeof(cwd)),
		.environment = &e->found.environment,
		.node = digest_is_zero(&e->found.node) ? NULL : &e->found.node,
		.tools = tools,
		.overlay = arg_running.overlay,
		.user_home = getenv("HOME"),
		.expose_home = arg_running.expose_home,
		.caller_env = (const char *const *)environ,
		.warn = cmd_warn_text,
		.warn_data = c,
		.secrets = arg_secrets.v,
	};
	int status = 0, r = running_env(c, &a, &arg_running.env, &o.extra_env);

	if (r == 0)
		r = secrets_read(c, &arg_running.env);
	o.nsecrets = arg_secrets.n;
	if (r == 0)
		r = net_choose(c, &arg_running.net, SANDBOX_NET_HOST, &net);
	if (r == 0 && tools)
		r = run_keep(e->lease, tools, &c->diag);
	o.net = net.net;
	o.grants = &net.grants;
	if (r == 0)
		r = run_in_environment(p, &o, &status, &c->diag);
	return r < 0 ? r : status;
}
