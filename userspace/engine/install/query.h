/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a project's registries without installing: for add, outdated and exec. */
#ifndef CRATONS_ENGINE_INSTALL_QUERY_H
#define CRATONS_ENGINE_INSTALL_QUERY_H

#include "engine/install/install.h"
#include "engine/resolve/resolve.h"

/*
 * Reads the project's manifest and calls fn with a source of metadata, in the process that is jailed
 * (apart.h): what fn changes in memory stays there, and what it learnt it appends to ret, which the
 * caller gets and has to check like other input. What was fetched is cached. Only network, jobs,
 * backend, warn and note of the options count.
 */
typedef int (*query_fn)(void *data, const struct manifest *m, const struct resolve_source *s,
	struct buf *ret, struct diag *d);
int query(const struct project *p, const struct install_options *o, query_fn fn, void *data,
	struct buf *ret, struct diag *d);

/* For minimum-age: ms since 1970. */
int64_t query_now(void);

/* Whether the requirement is a tag's name rather than a range. */
bool query_is_tag(const struct ecosystem *e, const struct dependency *dep);

#endif
