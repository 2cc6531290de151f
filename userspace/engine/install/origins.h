/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether packages come from where configuration looks for them. An integrity in an edited lockfile says
 * what the bytes are, not whose: a line that leads to another host brings that host's package under a
 * trusted name. So what is on disk may name the registry of the package's name, the project's own
 * tarballs, and the hosts of [install] allow-hosts; what a registry's metadata said in this very run
 * may name any host, with a warning.
 */
#ifndef CRATONS_ENGINE_INSTALL_ORIGINS_H
#define CRATONS_ENGINE_INSTALL_ORIGINS_H

#include "engine/fetch/credentials.h"
#include "engine/lock/lockfile.h"

/* For a lockfile from disk: -ERR_LOCKFILE for the first package from elsewhere. */
int origins_check(const struct lockfile *l, const struct manifest *m, const struct credentials *c,
	struct diag *d);

/* Whether one package comes from where it is looked for. */
bool origins_expected(const struct manifest *m, const struct credentials *c,
	const struct lock_package *p);

/* For one that was resolved just now: each other host once; `warn` may be NULL. */
int origins_tell(const struct lockfile *l, const struct manifest *m, const struct credentials *c,
	void (*warn)(void *data, const char *text), void *data);

#endif
