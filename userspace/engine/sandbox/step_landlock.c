// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Landlock's scopes (ABI 6, Linux 6.12): no abstract unix socket and no process outside can be
 * reached. It is what keeps a container that shares the host's network from the host's abstract
 * sockets; where the network is a namespace of its own there are none, so an older kernel will do.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "engine/sandbox/landlock.h"

#include <errno.h>

int landlock_enter(struct plan *p)
{
	const struct landlock_handled h = { .scopes = LANDLOCK_SCOPE_ABSTRACT | LANDLOCK_SCOPE_SIGNAL };
	_cleanup_fd_ int fd = landlock_new(&h);

	/* E2BIG: a kernel that does not know scopes; ENOSYS, EOPNOTSUPP: one without Landlock. */
	if (fd < 0)
		return fd == -E2BIG || fd == -ENOSYS || fd == -EOPNOTSUPP || fd == -EINVAL ? 0 : fd;
	return landlock_restrict(fd);
}
