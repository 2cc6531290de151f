/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running a command in a project's environment: joins the mount server, binds the environment's tree
 * at its place in the project, and hands the rest to the sandbox.
 */
#ifndef CRATONS_ENGINE_RUN_H
#define CRATONS_ENGINE_RUN_H

#include "engine/door/grant.h"
#include "engine/install/install.h"
#include "engine/sandbox/sandbox.h"

struct run_options {
	const char *profile;		/* "run", "exec", "shell": what ps shows */
	const char *const *argv;
	const char *cwd;		/* inside the project; NULL: the project itself */
	const struct digest *environment;	/* its tree, at <project>/node_modules */
	const struct digest *node;	/* the tree of a Node to use, or NULL: the host's */
	const struct digest *tools;	/* another environment whose commands come first, or NULL */
	enum sandbox_net net;
	const struct grants *grants;	/* SANDBOX_NET_DOOR */
	bool overlay;			/* node_modules can be written; what is written is kept */
	const char *user_home;		/* the caller's home directory, which no project may hold … */
	bool expose_home;		/* … unless this says so */
	const char *const *caller_env;	/* the caller's environ */
	const char *const *extra_env;	/* "NAME=value", NULL-terminated, or NULL */
	const struct sandbox_secret *secrets;
	size_t nsecrets;
	void (*warn)(void *data, const char *text);	/* as in struct container_spec */
	void *warn_data;
};

/* The trees are the caller's to keep (find.h). 0 and the exit status to pass on, or a code when the
 * command could not be run. */
int run_in_environment(const struct project *p, const struct run_options *o, int *ret_status,
	struct diag *d);

#endif
