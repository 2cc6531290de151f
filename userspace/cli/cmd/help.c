// SPDX-License-Identifier: GPL-2.0-or-later
#include "help.h"

#include "prim/err.h"

const struct opt help_options[] = {
	OPT_ARGS("COMMAND", 0, 1),
	OPT_END,
};

int cmd_help(struct cmd *c)
{
	const struct command *command;

	if (c->argc == 0)
		return help_program(c);
	if (strcmp(c->argv[0], "cratons") == 0)
		return help_page(c, global_page());
	command = command_find(c->argv[0]);
	if (!command)
		return command_unknown(c->argv[0], &c->diag);
	return help_page(c, command->page);
}
