/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command of a package that the project does not have: installed by itself, in an environment of
 * its own under $CRATONS_HOME/tools, beside the project's and not in it. */
#ifndef CRATONS_ENGINE_RUN_TOOL_H
#define CRATONS_ENGINE_RUN_TOOL_H

#include "engine/install/install.h"

/* Whether the environment has this command. */
bool tool_in_environment(struct cas *c, const struct digest *environment, const char *command);

/* The command that a package of its own environment is run by: `wanted` where it has it, else its only
 * one. -ERR_USAGE names those it has. */
int tool_command(struct cas *c, const struct digest *environment, struct str wanted,
	struct buf *ret, struct diag *d);

/* `package` is a name, or name@requirement. Installs it with the registries and the care (minimum-age,
 * allow-hosts) of the project, and gives its environment. What is installed already is found again; where
 * no version is asked for, the registry is asked for a newer one once a day. */
int tool_install(const struct project *project, const char *package, const struct install_options *o,
	struct digest *ret, struct diag *d);

#endif
