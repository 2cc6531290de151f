/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a project's registries without installing: for add, outdated and exec. */
#ifndef CRATONS_ENGINE_INSTALL_QUERY_H
#define CRATONS_ENGINE_INSTALL_QUERY_H

#include "engine/install/install.h"
#include "engine/resolve/resolve.h"

/* Reads the project's manifest and calls fn with a source of metadata; what was fetched is cached.
 * Only network, jobs, backend and warn of the options count. */
typedef int (*query_fn)(void *data, const struct manifest *m, const struct resolve_source *s,
	struct diag *d);
int query(const struct project *p, const struct install_options *o, query_fn fn, void *data,
	struct diag *d);

/* The release that a requirement would get by itself: a tag's, the latest that satisfies, or the
 * highest. Borrowed from the source. -ERR_UNSATISFIABLE names what there is. */
int query_best(const struct ecosystem *e, const struct dependency *dep,
	const struct resolve_source *s, const struct release **ret, struct diag *d);

/* Whether the requirement is a tag's name rather than a range. */
bool query_is_tag(const struct ecosystem *e, const struct dependency *dep);

#endif
