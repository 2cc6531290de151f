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

/* For minimum-age: ms since 1970. */
int64_t query_now(void);

/* Whether the requirement is a tag's name rather than a range. */
bool query_is_tag(const struct ecosystem *e, const struct dependency *dep);

#endif
