// SPDX-License-Identifier: GPL-2.0-or-later
#include "help.h"

#include "prim/err.h"

const struct opt help_options[] = {
	OPT_ARGS("COMMAND", 0, 2),
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
	if (c->argc == 1)
		return help_page(c, command->page);
	for (const struct command *below = command_below(command); below && below->name; below++)
		if (strcmp(command_word(below), c->argv[1]) == 0)
			return help_command(c, below);
	return diag_fail(&c->diag, -ERR_USAGE, "'%s' is no command of cratons %s", c->argv[1], command->name);
}
