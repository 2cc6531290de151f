/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run, exec and shell share: finding the environment and handing a command to it. */
#ifndef CRATONS_CLI_RUNNING_H
#define CRATONS_CLI_RUNNING_H

#include "cmd.h"
#include "engine/run/find.h"
#include "options.h"
#include "secrets.h"

struct running {
	struct opt_list net;	/* "host", "none", or grants */
	bool overlay, production, expose_home;
	struct opt_list env;	/* NAME=value, or NAME to take over the caller's */
};
extern struct running arg_running;

#define OPT_RUNNING                                                                                \
	OPT_LIST("net", 0, "host|none|GRANT", &arg_running.net),                                   \
	OPT_FLAG("overlay", 0, &arg_running.overlay),                                              \
	OPT_FLAG("production", 0, &arg_running.production),                                        \
	OPT_FLAG("expose-home", 0, &arg_running.expose_home),                                      \
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_running.env),                                    \
	OPT_SECRETS

/* What --env says, NULL-terminated. --env NAME takes the caller's value: nothing else of the caller's
 * environment gets in. */
int running_env(struct cmd *c, struct arena *a, const struct opt_list *wanted, const char *const **ret);
/* The same of files with a NAME=value or a NAME in each line, empty ones and those with # apart. */
int running_env_files(struct cmd *c, struct arena *a, const struct opt_list *files, const char *const **ret);

/* The project's environment, kept from gc until done is called: for as long as anything runs in it. */
struct running_environment {
	struct install_result found;
	struct cas_writer *lease;
};
int running_find(struct cmd *c, const struct project *p, struct running_environment *ret);
void running_environment_done(struct running_environment *e);

/* Runs argv in it: its exit status, or a negative code. `tools` is another environment whose commands
 * come first, or NULL. */
int running_run(struct cmd *c, const struct project *p, const struct running_environment *e,
	const char *const *argv, const struct digest *tools);

#endif
