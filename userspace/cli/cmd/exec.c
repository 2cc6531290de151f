// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
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

/* The project's own command of this name, unless a package was asked for by name. */
static bool project_has(const struct project *p, const char *command)
{
	_cleanup_(cas_free_p) struct cas *c = NULL;
	struct digest environment;

	return !arg_package && cas_open(&c, p->home_fd, NULL) == 0 &&
	       install_environment(p, c, arg_running.production, &environment) == 0 &&
	       tool_in_environment(c, &environment, command);
}

/* "typescript@5" as a command is the package typescript's; what it is called is in its name. */
static const char *command_of(const char *spec, char *room, size_t size)
{
	struct str s = str_from(spec);
	size_t slash = s.n;

	s = str_slice(s, 0, str_find(s, '@', 1));
	if (s.n && s.p[0] == '@')
		slash = str_find(s, '/', 0);
	if (slash < s.n)
		s = str_slice(s, slash + 1, s.n);
	snprintf(room, size, "%.*s", STR_ARG(s));
	return room;
}

int cmd_exec(struct cmd *c)
{
	struct install_options o = { 0 };
	struct digest tools;
	struct project p;
	char command[256];
	int r = installing_project(c, &p);

	if (r < 0)
		return r;
	if (project_has(&p, c->argv[0]))
		return running_run(c, &p, (const char *const *)c->argv, NULL);
	installing_options(c, &o);
	r = tool_install(&p, arg_package ? arg_package : c->argv[0], &o, &tools, &c->diag);
	if (r < 0)
		return r;
	if (!arg_package)
		c->argv[0] = (char *)command_of(c->argv[0], command, sizeof(command));
	return running_run(c, &p, (const char *const *)c->argv, &tools);
}
