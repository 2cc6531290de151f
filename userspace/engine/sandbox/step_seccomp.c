// SPDX-License-Identifier: GPL-2.0-or-later
/* Seccomp, the last wall: from here on the process itself is bound by it. */
#include "engine/sandbox/sandbox-priv.h"

#include "engine/sandbox/seccomp.h"
#include "prim/err.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

int seccomp_prepare(struct plan *p, struct diag *d)
{
	struct seccomp_profile profile;
	int r = seccomp_profile_load(&profile, p->s->seccomp ? p->s->seccomp : "default", d);

	if (r < 0)
		return r;
	r = seccomp_compile(&profile, p->filters, d);
	seccomp_profile_done(&profile);
	return r;
}

int seccomp_enter(struct plan *p)
{
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p->filters[i]) < 0)
			return -errno;
	return 0;
}
