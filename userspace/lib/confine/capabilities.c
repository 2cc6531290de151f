// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine/confine.h"

#include <errno.h>
#include <sys/capability.h>

void confine_bounding(int keep)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
		if (cap != keep && cap_drop_bound(cap) < 0)
			return;
}

int confine_capabilities(int keep)
{
	const cap_value_t kept = keep;
	cap_t set = cap_init();
	int r = set ? 0 : -ENOMEM;

	/* What is not in the other sets is not in this one: older kernels have none. */
	(void)cap_reset_ambient();
	if (r == 0 && keep != CONFINE_NO_CAPABILITY &&
		(cap_set_flag(set, CAP_PERMITTED, 1, &kept, CAP_SET) < 0 ||
			cap_set_flag(set, CAP_EFFECTIVE, 1, &kept, CAP_SET) < 0))
		r = -errno;
	if (r == 0 && cap_set_proc(set) < 0)
		r = -errno;
	if (set)
		cap_free(set);
	return r;
}
