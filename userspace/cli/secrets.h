/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --secret NAME[,env=VARIABLE|,file=PATH][,type=env|mount]: texts that a command has and that its output has
 * not. Values never stand on a command line, where all of the host sees them. */
#ifndef CRATONS_CLI_SECRETS_H
#define CRATONS_CLI_SECRETS_H

#include "cmd.h"
#include "engine/sandbox/sandbox.h"
#include "options.h"

struct secrets {
	struct opt_list wanted;
	struct sandbox_secret v[SANDBOX_SECRETS_MAX];
	size_t n;
	bool read;
};
extern struct secrets arg_secrets;

#define OPT_SECRETS OPT_LIST("secret", 0, "NAME[,KEY=VALUE]", &arg_secrets.wanted)

/* Reads what arg_secrets.wanted names, once: variables are taken out of this process's own environment, so
 * that no helper has them. `env` is what --env was given. A value that stands in an argument of the command
 * or in --env is refused. */
int secrets_read(struct cmd *c, const struct opt_list *env);

#endif
