// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "container.h"
#include "installing.h"
#include "running.h"
#include "engine/run/tool.h"
#include "prim/err.h"

static const char *arg_package;

const struct opt exec_options[] = {
	OPT_TEXT("package", 'p', "PACKAGE[@VERSION]", &arg_package),
	OPT_RUNNING,
	OPT_FLAG("offline", 0, &arg_installing.offline),
	OPT_FLAG("prefer-offline", 0, &arg_installing.prefer_offline),
	OPT_ARGS("COMMAND", 1, OPT_ANY_NUMBER),
	OPT_END,
};

/* "typescript@5" as a command is the package typescript's; what it is called is in its name. */
static struct str command_of(const char *spec)
{
	struct str s = str_from(spec);
	size_t slash;

	s = str_slice(s, 0, str_find(s, '@', 1));
	slash = s.n && s.p[0] == '@' ? str_find(s, '/', 0) : s.n;
	return slash < s.n ? str_slice(s, slash + 1, s.n) : s;
}

static int run(struct cmd *c, const struct project *p, const struct running_environment *e,
	const struct digest *tools)
{
	int r = running_run(c, p, e, (const char *const *)c->argv, tools);

	return container_outcome(c, r, r);
}

/* Installs the package and runs its command with the arguments of the project's. */
static int run_tool(struct cmd *c, const struct project *p, const struct running_environment *e)
{
	const char *package = arg_package ? arg_package : c->argv[0];
	_cleanup_buf_ struct buf command = BUF_INIT;
	struct install_options o = { 0 };
	struct digest tools;
	int r;

	installing_options(c, &o);
	r = tool_install(p, package, &o, &tools, &c->diag);
	if (r < 0)
		return r;
	if (arg_package)
		return run(c, p, e, &tools);
	r = tool_command(cas_writer_cas(e->lease), &tools, command_of(package), &command, &c->diag);
	if (r < 0)
		return r;
	c->argv[0] = command.data;
	return run(c, p, e, &tools);
}

int cmd_exec(struct cmd *c)
{
	_cleanup_(running_environment_done) struct running_environment e = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = running_find(c, &p, &e);
	if (r < 0)
		return r;
	if (!arg_package && tool_in_environment(cas_writer_cas(e.lease), &e.found.environment,
			c->argv[0]))
		return run(c, &p, &e, NULL);
	return run_tool(c, &p, &e);
}
