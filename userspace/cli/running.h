/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run, exec and shell share: finding the environment and handing a command to it. */
#ifndef CRATONS_CLI_RUNNING_H
#define CRATONS_CLI_RUNNING_H

#include "cmd.h"
#include "engine/run/run.h"
#include "options.h"

struct running {
	const char *net;	/* "host", "none" */
	bool overlay, production;
	struct opt_list env;	/* NAME=value, or NAME to take over the caller's */
};
extern struct running arg_running;

#define OPT_RUNNING                                                                                \
	OPT_CHOICE("net", 0, "host|none", &arg_running.net),                                       \
	OPT_FLAG("overlay", 0, &arg_running.overlay),                                              \
	OPT_FLAG("production", 0, &arg_running.production),                                        \
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_running.env)

/* Runs argv in the project's environment: its exit status, or a negative code. The environment is
 * composed first when the store has all of it; otherwise the way to install it is told. `tools` is
 * another environment whose commands come first, or NULL. */
int running_run(struct cmd *c, const struct project *p, const char *const *argv,
	const struct digest *tools);

#endif
