// SPDX-License-Identifier: GPL-2.0-or-later
/* The compiled profiles that are linked in, and putting one into force. */
#include "engine/sandbox/seccomp.h"

#include "prim/embed.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

EMBED(policies_seccomp_default_seccomp);
EMBED(policies_seccomp_script_seccomp);
EMBED(policies_seccomp_fetch_seccomp);

static int find(struct str *ret, const char *name)
{
	if (strcmp(name, "default") == 0)
		*ret = EMBEDDED(policies_seccomp_default_seccomp);
	else if (strcmp(name, "script") == 0)
		*ret = EMBEDDED(policies_seccomp_script_seccomp);
	else if (strcmp(name, "fetch") == 0)
		*ret = EMBEDDED(policies_seccomp_fetch_seccomp);
	else
		return -ENOENT;
	return 0;
}

int seccomp_find(const char *name, struct sock_fprog ret[SECCOMP_PROGRAMS])
{
	const struct seccomp_blob *blob;
	struct str bytes;
	size_t at = 0;
	int r = find(&bytes, name);

	if (r < 0)
		return r;
	blob = (const struct seccomp_blob *)(const void *)bytes.p;
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++) {
		ret[i].len = (unsigned short)blob->length[i];
		ret[i].filter = (struct sock_filter *)blob->code + at;
		at += blob->length[i];
	}
	return 0;
}

int seccomp_install(const struct sock_fprog programs[SECCOMP_PROGRAMS])
{
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[i]) < 0)
			return -errno;
	return 0;
}
