// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel counts for a user, whatever the namespace, is not for containers to use up: the user's
 * other programs would be refused processes, signals or queues. A user namespace takes the soft limits of
 * its maker, as they are when it is made, as limits of its own, and holds them against what the maker's
 * user has outside of it, all containers together (create_user_ns, inc_rlimit_ucounts; Linux 5.14). So
 * they are lower at that moment: a quarter stays for others. The same values are the container's own limits
 * (step_session.c), which are held against what it has by itself; before 5.14 against all of the user's. Of
 * locked memory only these count: the namespace's limit is in bytes, and pages are held against it
 * (user_shm_lock).
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>

static const int shared[SHARED_LIMITS] = { RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK };

int share_lower(struct share *ret_was)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct rlimit now, *was = &ret_was->limits[i];

		if (getrlimit((__rlimit_resource_t)shared[i], was) < 0)
			return -errno;
		now = *was;
		if (was->rlim_cur != RLIM_INFINITY)
			now.rlim_cur -= was->rlim_cur / 4;
		if (setrlimit((__rlimit_resource_t)shared[i], &now) < 0)
			return -errno;
	}
	return 0;
}

void share_restore(const struct share *was)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		(void)setrlimit((__rlimit_resource_t)shared[i], &was->limits[i]);
}
