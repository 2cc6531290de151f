/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_INSTALL_PRIV_H
#define CRATONS_ENGINE_INSTALL_PRIV_H

#include "engine/fetch/fetch.h"
#include "engine/install/apart.h"
#include "engine/install/archives.h"
#include "engine/install/environment.h"
#include "engine/install/install.h"
#include "engine/install/metadata.h"
#include "engine/install/store-io.h"

#define INSTALL_DONE 1

/* One run of install(): what the steps hand on to each other. */
struct installation {
	const struct project *project;
	const struct install_options *options;
	struct diag *diag;
	struct install_result result;

	struct buf manifest_text, lock_text;
	bool lock_there;		/* lock_text is cratons.lock as it stands */
	bool lock_changed;
	struct manifest *manifest;
	struct lockfile *before;	/* as it stands, where it does not fit the manifest */
	struct lockfile *lock;
	bool *selected;			/* by package index */
	struct digest *built;		/* by package index: what its scripts made, or zero; may be NULL */
	bool *failed;			/* by package index: its scripts did; NULL: none */
	struct cas_writer *writer;
	struct apart apart;

	/* Only in the process apart. */
	struct loop *loop;
	struct pool *pool;
	struct store_io *store_io;
	struct credentials *credentials;
	struct fetcher *fetcher;
	struct metadata *metadata;
	struct archives *archives;
};

/* A package's tree as it is shown: what its scripts made of it, where they ran. */
const struct digest *installation_tree_of(const struct installation *i, const struct lock_package *p);
/* The tree of the Node that [environment] asks for, or NULL. */
const struct digest *installation_node(const struct installation *i);

/* Configuration, and what else is needed before anything is fetched. */
int installation_credentials(struct installation *i);
/* In the process apart: the jail, then network and workers. */
int installation_go_online(struct installation *i);
int installation_jail(struct installation *i);
void installation_done(struct installation *i);

int step_read(struct installation *i);
int step_look(struct installation *i);
int step_open(struct installation *i);
int step_lock(struct installation *i);
int step_fetch(struct installation *i);
int step_write_lock(struct installation *i);
int step_build(struct installation *i);
int step_compose(struct installation *i);
int step_record(struct installation *i);

int64_t installation_now(void);	/* ms since 1970 */

/* Whether the project's root is there and holds this tree. */
bool root_holds(struct cas *c, const char *project, const struct digest *tree);

#endif
