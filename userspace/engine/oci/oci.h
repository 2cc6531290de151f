/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bundles of the OCI runtime specification (https://github.com/opencontainers/runtime-spec, config.md and
 * config-linux.md, version 1): a directory with a config.json and, usually, a root file system.
 *
 * What is asked for is honoured, or refused by the name of its field. More walls than asked for are
 * always built. Of some that are neither there is a warning, as the specification wants it for the first:
 * capabilities, of which none is ever given; the contents of /sys, which is empty; the cgroup's path; a
 * terminal that the caller has not; flags of the filter.
 */
#ifndef CRATONS_ENGINE_OCI_H
#define CRATONS_ENGINE_OCI_H

#include "engine/container/container.h"

#define OCI_CONFIG_MAX (4u << 20)

/*
 * Fills in what the bundle decides: command, environment, directory, user, root, binds, names and
 * limits. `spec` comes with the rest; its sandbox.net of SANDBOX_NET_HOST allows a bundle that asks for
 * no network namespace. spec->warn is used. Everything lives in the arena. -ERR_CONTAINER. `apart` is
 * what its root may not hold, as of rootfs_check.
 */
int oci_load(struct arena *a, const char *bundle, const char *const *apart, struct container_spec *spec,
	struct diag *d);

#endif
