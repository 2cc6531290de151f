// SPDX-License-Identifier: GPL-2.0-or-later
/* Seccomp, the last wall: from here on the process itself is bound by it. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

int seccomp_prepare(struct plan *p, struct diag *d)
{
	const char *name = p->s->seccomp ? p->s->seccomp : "default";

	if (seccomp_find(name, p->filters) < 0)
		return diag_fail(d, -ERR_CONTAINER, "there is no seccomp profile '%s'", name);
	return 0;
}

int seccomp_enter(struct plan *p)
{
	return seccomp_install(p->filters);
}
