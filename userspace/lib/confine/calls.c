// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine/confine.h"

#include <errno.h>

#if defined(__SANITIZE_ADDRESS__)
int confine_calls(const int *calls, size_t n, const struct confine_narrow *narrow, size_t nnarrow)
{
	return 0;
}
#else
int confine_calls(const int *calls, size_t n, const struct confine_narrow *narrow, size_t nnarrow)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; r == 0 && i < nnarrow; i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, narrow[i].call, narrow[i].n, narrow[i].arguments);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
#endif
