// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "container.h"
#include "installing.h"
#include "running.h"

#include <unistd.h>

const struct opt shell_options[] = {
	OPT_RUNNING,
	OPT_END,
};

int cmd_shell(struct cmd *c)
{
	_cleanup_(running_environment_done) struct running_environment e = { 0 };
	const char *argv[] = { "/bin/bash", NULL };
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = running_find(c, &p, &e);
	if (r < 0)
		return r;
	if (access(argv[0], X_OK) < 0)
		argv[0] = "/bin/sh";
	if (c->person)
		cmd_note(c, "In %s: only the project can be written. 'exit' leaves.", p.path);
	r = running_run(c, &p, &e, argv, NULL);
	return container_outcome(c, r, r);
}
