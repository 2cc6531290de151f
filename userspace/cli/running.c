// SPDX-License-Identifier: GPL-2.0-or-later
#include "running.h"

#include "base/fd.h"
#include "commands.h"
#include "engine/run/run.h"
#include "net.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define ENV_FILE_MAX (1u << 20)

struct running arg_running;

struct variables {
	struct cmd *c;
	struct arena *a;
	VEC(const char *) v;
};

/* NAME=value as it is, NAME with the caller's value. `option` and `line` say where it stands. */
static int add_variable(struct variables *to, const char *given, const char *option, size_t line)
{
	const char *value = getenv(given), *text = given;

	if (given[0] == '=' || !given[0]) {
		diag_fail(&to->c->diag, -ERR_USAGE, "'%s' has no name of a variable", given);
		return line ? diag_where(&to->c->diag, "%s:%zu", option, line) :
			diag_hint(&to->c->diag, "%s NAME=VALUE, or NAME for the caller's value", option);
	}
	if (!strchr(given, '=') && !value) {
		cmd_warn(to->c, "%s %s: there is no such variable", option, given);
		return 0;
	}
	if (!strchr(given, '='))
		text = arena_fmt(to->a, "%s=%s", given, value).p;
	return text ? vec_push(&to->v, text) : -ENOMEM;
}

static int end_variables(struct variables *from, int r, const char *const **ret)
{
	const char **all = r < 0 ? NULL : arena_newn(from->a, const char *, from->v.n + 1);

	for (size_t i = 0; all && i < from->v.n; i++)
		all[i] = from->v.v[i];
	vec_done(&from->v);
	if (all)
		*ret = all;
	return r < 0 ? r : all ? 0 : -ENOMEM;
}

int running_env(struct cmd *c, struct arena *a, const struct opt_list *wanted, const char *const **ret)
{
	struct variables to = { .c = c, .a = a };
	int r = 0;

	for (size_t i = 0; i < wanted->n && r == 0; i++)
		r = add_variable(&to, wanted->v[i], "--env", 0);
	return end_variables(&to, r, ret);
}

static int add_file(struct variables *to, const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = file_slurp(AT_FDCWD, path, &b, ENV_FILE_MAX);
	struct str rest = buf_str(&b);

	if (r < 0)
		return diag_errno(&to->c->diag, r, "cannot read %s", path);
	if (str_find(rest, '\0', 0) < rest.n)
		return diag_fail(&to->c->diag, -ERR_USAGE, "%s is no text", path);
	for (size_t line = 1; rest.n && r == 0; line++) {
		struct str s = str_cut(&rest, '\n');
		const char *text;

		if (s.n && s.p[s.n - 1] == '\r')
			s.n--;
		if (str_trim(s).n == 0 || str_trim(s).p[0] == '#')
			continue;
		text = arena_str(to->a, s).p;
		r = text ? add_variable(to, text, path, line) : -ENOMEM;
	}
	return r;
}

int running_env_files(struct cmd *c, struct arena *a, const struct opt_list *files, const char *const **ret)
{
	struct variables to = { .c = c, .a = a };
	int r = 0;

	for (size_t i = 0; i < files->n && r == 0; i++)
		r = add_file(&to, files->v[i]);
	return end_variables(&to, r, ret);
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
