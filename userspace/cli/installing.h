/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What install, add, remove, lock and update share: one installation with its progress, and what is
 * told about it afterwards. */
#ifndef CRATONS_CLI_INSTALLING_H
#define CRATONS_CLI_INSTALLING_H

#include "cmd.h"
#include "engine/install/install.h"
#include "options.h"

/* Options that all of them take; each verb's table names the ones it has. */
struct installing {
	bool offline, prefer_offline;
	uint64_t jobs, script_seconds;
	const char *io;		/* "auto", "uring", "plain" */
};
extern struct installing arg_installing;

#define OPT_INSTALLING                                                                             \
	OPT_FLAG("offline", 0, &arg_installing.offline),                                           \
	OPT_FLAG("prefer-offline", 0, &arg_installing.prefer_offline),                             \
	OPT_NUMBER("jobs", 'j', "N", 1, 256, &arg_installing.jobs),                                \
	OPT_NUMBER("script-timeout", 0, "SECONDS", 1, 86400, &arg_installing.script_seconds),      \
	OPT_CHOICE("io", 0, "auto|uring|plain", &arg_installing.io)

/* The project of the command; 0 or a code with c->diag filled. */
int installing_project(struct cmd *c, struct project *ret);

/* Fills network, jobs, backend and the callbacks. */
void installing_options(struct cmd *c, struct install_options *o);

/* Installs and tells: a line, or the JSON report. */
int installing_run(struct cmd *c, const struct project *p, const struct install_options *o,
	struct install_result *ret);

/* Installs with another manifest; when it fails the old text is put back. The report has `changes`. */
int installing_with_manifest(struct cmd *c, const struct project *p,
	const struct install_options *o, struct str before, struct str after);

#endif
