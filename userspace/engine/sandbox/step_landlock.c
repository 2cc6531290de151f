// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Landlock's scopes (ABI 6, Linux 6.12): no abstract unix socket and no process outside can be
 * reached. It is what keeps a container that shares the host's network from the host's abstract
 * sockets; where the network is a namespace of its own there are none, so an older kernel will do.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <sys/syscall.h>

/* include/uapi/linux/landlock.h; Debian 12's is older. */
struct ruleset {
	uint64_t handled_access_fs, handled_access_net, scoped;
};
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL		   (1ULL << 1)

int landlock_enter(struct plan *p)
{
	const struct ruleset rules = { .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL };
	_cleanup_fd_ int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	/* E2BIG: a kernel that does not know `scoped`; ENOSYS, EOPNOTSUPP: one without Landlock. */
	if (fd < 0)
		return errno == E2BIG || errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}
