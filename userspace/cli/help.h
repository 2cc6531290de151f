/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --help prints. */
#ifndef CRATONS_CLI_HELP_H
#define CRATONS_CLI_HELP_H

#include "commands.h"

/* The program's: its verbs by group and its options. */
int help_program(struct cmd *c);
/* A verb's: how it is used, its options, examples. */
int help_command(struct cmd *c, const struct command *command);
/* A whole page. */
int help_page(struct cmd *c, const char *mdoc);

#endif
