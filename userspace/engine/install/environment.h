/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What names an environment: the texts of manifest and lockfile, the platform, its Node and the options. The
 * store remembers which tree they gave; texts and tree are compared by digest, so that a remembered
 * answer is as good as a fresh one.
 */
#ifndef CRATONS_ENGINE_INSTALL_ENVIRONMENT_H
#define CRATONS_ENGINE_INSTALL_ENVIRONMENT_H

#include "engine/install/install.h"
#include "engine/registry/registry.h"

/* The fact that CAS_ENVIRONMENT holds. */
struct environment_fact {
	struct digest tree;
	struct digest node;	/* the tree of [environment] node; zero: the host's */
	uint32_t packages;
	uint32_t scripts_waiting;
	uint32_t left_out;	/* optional packages whose scripts failed */
	uint32_t zero;
};
_Static_assert(sizeof(struct environment_fact) == 80, "no padding: it is stored as it is");

struct digest environment_key(struct str manifest, struct str lock, bool production);

/* The fact for these texts, if its tree is there: 0 or -ENOENT. */
int environment_find(struct cas *c, const struct digest *key, struct environment_fact *ret);

/* Composes the environment of a root of a lockfile whose selected packages all have trees, and queues
 * its tree in the writer. `how` needs no open_tree: trees are the store's. */
int environment_compose(struct cas_writer *w, const struct lockfile *l,
	const struct lock_root *root, const struct compose_options *how, struct digest *ret,
	struct diag *d);

#endif
