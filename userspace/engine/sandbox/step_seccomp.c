// SPDX-License-Identifier: GPL-2.0-or-later
/* Seccomp, the last wall: from here on the process itself is bound by it. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

int seccomp_prepare(struct plan *p, struct diag *d)
{
	const char *name = p->s->seccomp ? p->s->seccomp : "default";

	if (p->s->seccomp_programs)
		memcpy(p->filters, p->s->seccomp_programs, sizeof(p->filters));
	else if (seccomp_find(name, p->filters) < 0)
		return diag_fail(d, -ERR_CONTAINER, "there is no seccomp profile '%s'", name);
	return 0;
}

/* Ours first: it lets a program confine itself further, which the one besides may not. */
int seccomp_enter(struct plan *p)
{
	const struct sock_fprog *besides = &p->s->seccomp_besides;
	int r = seccomp_install(p->filters);

	if (r == 0 && besides->len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, besides) < 0)
		r = -errno;
	return r;
}
