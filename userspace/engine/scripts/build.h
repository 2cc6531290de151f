/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifecycle scripts. A package's scripts run once for the same inputs: in a container without a
 * network, in an environment of exactly what the package declared, on a copy of its own tree that
 * only they can write. What they leave is a tree in the store like any other.
 */
#ifndef CRATONS_ENGINE_SCRIPTS_BUILD_H
#define CRATONS_ENGINE_SCRIPTS_BUILD_H

#include "cas/cas-write.h"
#include "engine/registry/registry.h"

struct build_request {
	int home_fd;
	const char *home;
	struct cas_writer *writer;
	const struct lock_package *package;
	const struct digest *tree;		/* the package's, before */
	const struct digest *environment;	/* a node_modules that has the package and what it needs */
	struct str path;			/* the package's place in it */
	const struct build_plan *plan;
	const struct digest *node;		/* or NULL: the host's */
	unsigned seconds;			/* for each script; 0: half an hour */
};

/* Where a Node of the project's own is in the container. */
#define BUILD_NODE_AT "/opt/cratons/node"

/* Which Node the host has: add-ons are built for one, and are of no use to the next. */
struct digest build_host_node(void);

/* The tree after the scripts. -ERR_BUILD with the end of their output when one fails. *ret_ran is
 * false when the same was done before. */
int build_package(const struct build_request *q, struct digest *ret, bool *ret_ran, struct diag *d);

#endif
