/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a container sees, as the options of `cratons container run` say it. */
#ifndef CRATONS_CLI_CONTAINER_FILES_H
#define CRATONS_CLI_CONTAINER_FILES_H

#include "cas/cas-write.h"
#include "cmd.h"
#include "engine/container/container.h"
#include "options.h"
#include "prim/hash.h"
#include "prim/vec.h"

struct container_files_options {
	const char *rootfs, *tree, *layer;	/* or NULL */
	bool read_only, overlay;
	struct opt_list bind, ro_bind, tmpfs;
};

struct container_files {
	struct cmd *c;
	struct arena *arena;
	const char *home;	/* $CRATONS_HOME without links */
	int home_fd;
	VEC(struct sandbox_bind) binds;
	struct digest tree;
	bool has_tree;
	struct cas_writer *lease;	/* the supervisor's, as long as it lives */
	struct mount_server *server;
};

/* Completes the spec with the root and the binds. `f` lives as long as the spec is used. */
int container_files_make(struct container_files *f, struct cmd *c, struct arena *a,
	const struct container_files_options *o, struct container_spec *spec);
void container_files_done(struct container_files *f);
/* The bundle's own: what it may not have is refused as it is of who calls. */
int container_files_bundle(struct container_files *f, struct cmd *c, struct arena *a, const char *bundle,
	struct container_spec *spec);

#endif
