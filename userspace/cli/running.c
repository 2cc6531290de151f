// SPDX-License-Identifier: GPL-2.0-or-later
#include "running.h"

#include "prim/err.h"

#include <errno.h>
#include <unistd.h>

struct running arg_running = { .net = "host" };

static int find_environment(struct cmd *c, const struct project *p, struct install_result *ret)
{
	struct install_options o = {
		.frozen = true,
		.production = arg_running.production,
		.network = INSTALL_OFFLINE,
	};
	int r = install(p, &o, ret, &c->diag);

	/* The same files as at the last installation cost two hashes here. What is missing is not
	 * fetched behind the user's back. */
	if (r == -ERR_LOCK_STALE || r == -ERR_OFFLINE || r == -ERR_STORE_MISSING) {
		diag_fail(&c->diag, r, "the environment of %s is not installed", p->path);
		return diag_hint(&c->diag, "cratons install");
	}
	return r;
}

/* --env NAME takes the caller's value: nothing else of the caller's environment gets in. */
static int extra_env(struct cmd *c, struct arena *a, const char *const **ret)
{
	const char **all = arena_newn(a, const char *, arg_running.env.n + 1);
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < arg_running.env.n; i++) {
		const char *given = arg_running.env.v[i], *value;

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

int running_run(struct cmd *c, const struct project *p, const char *const *argv,
	const struct digest *tools)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct install_result found = { 0 };
	char cwd[4096];
	struct run_options o = {
		.argv = argv,
		.cwd = place_in(p, cwd, sizeof(cwd)),
		.tools = tools,
		.net = strcmp(arg_running.net, "none") == 0 ? SANDBOX_NET_NONE : SANDBOX_NET_HOST,
		.overlay = arg_running.overlay,
		.caller_env = (const char *const *)environ,
	};
	int status = 0, r = find_environment(c, p, &found);

	if (r < 0)
		return r;
	o.environment = &found.environment;
	o.node = digest_is_zero(&found.node) ? NULL : &found.node;
	r = extra_env(c, &a, &o.extra_env);
	if (r == 0)
		r = run_in_environment(p, &o, &status, &c->diag);
	install_result_done(&found);
	return r < 0 ? r : status;
}
