// SPDX-License-Identifier: GPL-2.0-or-later
/* One more command in a container that runs, behind the walls that its record names. */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <errno.h>

static int make_env(struct arena *a, const struct container_record *c, const char *const *extra,
	struct sandbox *s)
{
	const char *const *base = c->env;
	int r = base ? 0 : sandbox_env_default(a, s, NULL, NULL, &base);

	return r < 0 ? r : sandbox_env_add(a, base, extra, &s->env);
}

/* Its cgroup, so that the container's limits hold for this too: without it there is no exec. */
static int open_cgroup(const struct container_record *c, struct cgroup **ret, struct diag *d)
{
	int r = c->cgroup ? cgroup_open(ret, c->cgroup, d) : 0;

	if (r == -ENOENT)
		return diag_fail(d, -ERR_CONTAINER, "container %s has lost its cgroup", c->id);
	return r < 0 ? r : cgroup_reach(*ret, d);
}

int container_exec(int home_fd, const struct container_record *c, const struct container_exec *e,
	int *ret_status, struct diag *d)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_fd_ int init = container_open_init(c, d);
	struct sandbox_result result = { 0 };
	struct sandbox s = {
		SANDBOX_INIT,
		.joins = true,
		.join = init,
		.join_pid = c->init,
		.seccomp = c->seccomp,
		.user = c->user,
		.home = c->home,
		.argv = e->argv,
		.secrets = e->secrets,
		.nsecrets = e->nsecrets,
		.cwd = e->cwd ? e->cwd : c->cwd,
		.limits = c->rlimits,
		.rlimits = c->more,
		.nrlimits = c->nmore,
		.tcp_connect = c->tcp_connect,
		.tcp_listen = c->tcp_listen,
		.stdio = c->rlimits.output_max ? SANDBOX_STDIO_STREAMS : SANDBOX_STDIO_INHERIT,
	};
	int r = init < 0 ? init : make_env(&a, c, e->env, &s);

	if (r == 0)
		r = filters_load(home_fd, &a, c, &s, d);
	if (r == 0 && c->status == CONTAINER_PAUSED) {
		diag_fail(d, -ERR_CONTAINER, "container %s is paused", c->id);
		r = diag_hint(d, "cratons container resume %s", c->id);
	}
	if (r == 0)
		r = open_cgroup(c, &g, d);
	if (r < 0)
		return diag_under(d, r, -ERR_CONTAINER);
	/* The container's own time runs on, and ends this with it. */
	s.limits.seconds = 0;
	s.cgroup = cgroup_fd(g);
	r = sandbox_run(&s, &result, d);
	buf_done(&result.output);
	if (r == 0)
		*ret_status = sandbox_exit_status(&result);
	return r;
}
