// SPDX-License-Identifier: GPL-2.0-or-later
/* Seccomp, the last wall: from here on the process itself is bound by it. */
#include "engine/sandbox/sandbox-priv.h"

#include "engine/sandbox/seccomp.h"
#include "prim/embed.h"
#include "prim/err.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

EMBED(policies_seccomp_default_seccomp);
EMBED(policies_seccomp_script_seccomp);

static int find(struct str *ret, const char *name)
{
	if (strcmp(name, "default") == 0)
		*ret = EMBEDDED(policies_seccomp_default_seccomp);
	else if (strcmp(name, "script") == 0)
		*ret = EMBEDDED(policies_seccomp_script_seccomp);
	else
		return -ENOENT;
	return 0;
}

int seccomp_prepare(struct plan *p, struct diag *d)
{
	const char *name = p->s->seccomp ? p->s->seccomp : "default";
	const struct seccomp_blob *blob;
	struct str bytes;
	size_t at = 0;

	if (find(&bytes, name) < 0)
		return diag_fail(d, -ERR_CONTAINER, "there is no seccomp profile '%s'", name);
	blob = (const struct seccomp_blob *)(const void *)bytes.p;
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++) {
		p->filters[i].len = (unsigned short)blob->length[i];
		p->filters[i].filter = (struct sock_filter *)blob->code + at;
		at += blob->length[i];
	}
	return 0;
}

int seccomp_enter(struct plan *p)
{
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p->filters[i]) < 0)
			return -errno;
	return 0;
}
