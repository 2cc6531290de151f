// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "prim/err.h"
#include "prim/vec.h"
#include "running.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define SECONDS_MAX (365 * 86400)

static const char *arg_name, *arg_hostname, *arg_user, *arg_workdir;
static const char *arg_net = "none";
static bool arg_detach, arg_rm, arg_root;
static uint64_t arg_time, arg_stop_time;
static struct opt_list arg_env, arg_bind, arg_ro_bind, arg_tmpfs;

const struct opt container_run_options[] = {
	OPT_TEXT("name", 0, "NAME", &arg_name),
	OPT_FLAG("detach", 'd', &arg_detach),
	OPT_FLAG("rm", 0, &arg_rm),
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_env),
	OPT_TEXT("workdir", 'w', "DIR", &arg_workdir),
	OPT_LIST("bind", 0, "SOURCE[:TARGET]", &arg_bind),
	OPT_LIST("ro-bind", 0, "SOURCE[:TARGET]", &arg_ro_bind),
	OPT_LIST("tmpfs", 0, "TARGET", &arg_tmpfs),
	OPT_CHOICE("net", 0, "none|host", &arg_net),
	OPT_TEXT("hostname", 0, "NAME", &arg_hostname),
	OPT_TEXT("user", 0, "UID[:GID]", &arg_user),
	OPT_FLAG("root", 0, &arg_root),
	OPT_NUMBER("time", 0, "SECONDS", 1, SECONDS_MAX, &arg_time),
	OPT_NUMBER("stop-time", 0, "SECONDS", 1, SECONDS_MAX, &arg_stop_time),
	OPT_ARGS("COMMAND", 1, OPT_ANY_NUMBER),
	OPT_END,
};

struct making {
	struct cmd *c;
	struct arena arena;
	VEC(struct sandbox_bind) binds;
	struct container_spec spec;
};

static void making_done(struct making *m)
{
	vec_done(&m->binds);
	arena_done(&m->arena);
}

static bool holds(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return n == 1 || (strncmp(dir, path, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

/* What decides over containers is no container's: it could write its own record, or read others' logs. */
static int check_home(struct making *m, const char *source, bool writable, bool *ret_cover)
{
	_cleanup_free_ char *home = realpath(cmd_home_path(m->c), NULL);

	*ret_cover = home && holds(source, home);
	if (!home || (!*ret_cover && !holds(home, source)))
		return 0;
	if (*ret_cover && !writable)
		return 0;
	diag_fail(&m->c->diag, -ERR_CONTAINER, "%s %s %s, where Cratons keeps its own", source,
		*ret_cover ? "holds" : "is in", home);
	return diag_hint(&m->c->diag, *ret_cover ? "bind it read-only, or a directory that does not hold it" :
		"bind a directory outside of it");
}

static int add_bind(struct making *m, const char *given, bool writable)
{
	struct str target = str_from(given), source = str_cut(&target, ':');
	_cleanup_free_ char *name = str_dup(source), *real = name ? realpath(name, NULL) : NULL;
	struct sandbox_bind b = { writable ? SANDBOX_BIND_RW : SANDBOX_BIND_RO };
	bool cover;
	int r;

	if (!real)
		return diag_errno(&m->c->diag, -errno, "cannot bind '%.*s'", STR_ARG(source));
	b.source = arena_str(&m->arena, str_from(real)).p;
	b.target = target.p ? target.p : b.source;
	if (!b.target || b.target[0] != '/' || !b.target[1])
		return diag_fail(&m->c->diag, -ERR_USAGE, "'%s': the place in the container is an absolute "
			"path, and not /", given);
	r = check_home(m, real, writable, &cover);
	if (r == 0)
		r = vec_push(&m->binds, b);
	if (r == 0 && cover) {
		_cleanup_free_ char *home = realpath(cmd_home_path(m->c), NULL);
		struct sandbox_bind empty = { .kind = SANDBOX_BIND_TMPFS, .size = 4096 };

		empty.target = home ? arena_fmt(&m->arena, "%s%s", b.target, home + strlen(real)).p : NULL;
		r = empty.target ? vec_push(&m->binds, empty) : -ENOMEM;
	}
	return r;
}

static int add_binds(struct making *m)
{
	int r = 0;

	for (size_t i = 0; i < arg_tmpfs.n && r == 0; i++)
		r = arg_tmpfs.v[i][0] != '/' ? diag_fail(&m->c->diag, -ERR_USAGE,
			"'%s': the place in the container is an absolute path", arg_tmpfs.v[i]) :
			vec_push(&m->binds, (struct sandbox_bind){ .kind = SANDBOX_BIND_TMPFS,
				.target = arg_tmpfs.v[i] });
	for (size_t i = 0; i < arg_ro_bind.n && r == 0; i++)
		r = add_bind(m, arg_ro_bind.v[i], false);
	for (size_t i = 0; i < arg_bind.n && r == 0; i++)
		r = add_bind(m, arg_bind.v[i], true);
	m->spec.sandbox.binds = m->binds.v;
	m->spec.sandbox.nbinds = m->binds.n;
	return r;
}

static int set_user(struct making *m)
{
	struct sandbox *s = &m->spec.sandbox;
	struct str gid = str_from(arg_user), uid = arg_user ? str_cut(&gid, ':') : gid;
	uint64_t u = getuid(), g = getgid();

	if (arg_root)
		u = g = 0;
	if (arg_user && (str_u64(uid, &u) < 0 || u >= UINT32_MAX))
		u = UINT64_MAX;
	g = arg_user && !gid.p ? u : g;
	if (arg_user && gid.p && (str_u64(gid, &g) < 0 || g >= UINT32_MAX))
		u = UINT64_MAX;
	if (u == UINT64_MAX)
		return diag_fail(&m->c->diag, -ERR_USAGE, "'%s' is no UID or UID:GID: numbers are wanted",
			arg_user);
	s->uid = (uid_t)u;
	s->gid = (gid_t)g;
	s->user = u ? "user" : "root";
	s->home = u ? "/home/user" : "/root";
	return 0;
}

static int set_environment(struct making *m)
{
	const char *const *base, *const *extra;
	struct sandbox *s = &m->spec.sandbox;
	int r = running_env(m->c, &m->arena, &arg_env, &extra);

	if (r == 0)
		r = sandbox_env_default(&m->arena, s, NULL, (const char *const *)environ, &base);
	return r < 0 ? r : sandbox_env_add(&m->arena, base, extra, &s->env);
}

static int make_spec(struct making *m)
{
	int r;

	m->spec = (struct container_spec){
		.name = arg_name,
		.profile = "container",
		.root = "the host's /usr",
		.sandbox = {
			SANDBOX_INIT,
			.seccomp = "default",
			.hostname = arg_hostname ? arg_hostname : arg_name,
			.net = strcmp(arg_net, "host") == 0 ? SANDBOX_NET_HOST : SANDBOX_NET_NONE,
			.argv = (const char *const *)m->c->argv,
			.cwd = arg_workdir,
			.limits.seconds = (unsigned)arg_time,
			.host_usr = true,
		},
		.stop_seconds = (unsigned)arg_stop_time,
		.detach = arg_detach,
		.remove = arg_rm,
		.keep_env = true,
	};
	if (arg_workdir && arg_workdir[0] != '/')
		return diag_fail(&m->c->diag, -ERR_USAGE, "--workdir takes an absolute path");
	r = set_user(m);
	if (r == 0)
		r = add_binds(m);
	return r < 0 ? r : set_environment(m);
}

/* The id is what a script that detaches wants; otherwise stdout is the command's. */
static void tell_id(struct cmd *c, const char *id)
{
	if (!c->use_json) {
		cmd_print(c, "%s\n", id);
		return;
	}
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_text(&c->json, id);
	json_out_close(&c->json, '}');
}

int cmd_container_run(struct cmd *c)
{
	_cleanup_(making_done) struct making m = { .c = c };
	const char *id = NULL;
	int home = cmd_home(c), status = 0, r;

	if (home < 0)
		return home;
	if (c->use_json && !arg_detach)
		return diag_fail(&c->diag, -ERR_USAGE, "--json is for --detach: stdout is the command's");
	r = make_spec(&m);
	if (r < 0)
		return c->diag.code ? r : diag_errno(&c->diag, r, "preparing the container");
	r = container_run(home, &m.arena, &m.spec, &id, &status, &c->diag);
	if (r == 0 && arg_detach)
		tell_id(c, id);
	return r < 0 ? r : status;
}
