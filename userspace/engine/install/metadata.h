/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registry metadata for the resolver: fetched in parallel, parsed on the workers while more arrives,
 * kept in the store with its validators, and asked for again only when it is older than the registry
 * itself lets caches keep it (five minutes for npm's).
 */
#ifndef CRATONS_ENGINE_INSTALL_METADATA_H
#define CRATONS_ENGINE_INSTALL_METADATA_H

#include "engine/fetch/fetch.h"
#include "engine/install/install.h"
#include "engine/resolve/resolve.h"

struct metadata;

struct metadata_statistics {
	uint64_t wanted, done;
};

int metadata_new(struct metadata **ret, struct loop *l, struct pool *p, struct fetcher *f,
	const struct credentials *c, struct cas_writer *w, enum install_network network,
	struct diag *d);
/* After the pool: a worker may still hold a document. */
void metadata_free(struct metadata *m);
DEFINE_CLEANUP(struct metadata *, metadata_free);

/* For resolve(): borrowed from `m`. `tick` is called while it waits; may be NULL. */
struct resolve_source metadata_source(struct metadata *m, void (*tick)(void *data), void *data);
void metadata_statistics(const struct metadata *m, struct metadata_statistics *ret);

#endif
