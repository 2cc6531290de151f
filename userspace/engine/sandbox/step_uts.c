// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>

/* HOST_NAME_MAX of Linux. */
#define HOSTNAME_MAX 64

/* It goes into files whose lines have fields. */
static int check_name(const char *name, struct diag *d)
{
	static const char made_of[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (*name && !name[strspn(name, made_of)])
		return 0;
	diag_fail(d, -ERR_CONTAINER, "'%s' is no host name", name);
	return diag_hint(d, "letters, digits, '-', '.' and '_', at most 64");
}

int uts_prepare(struct plan *p, struct diag *d)
{
	p->hostname = p->s->hostname ? p->s->hostname : "cratons";
	if (strlen(p->hostname) > HOSTNAME_MAX)
		return diag_fail(d, -ERR_CONTAINER, "the host name '%s' is too long", p->hostname);
	if (p->s->domainname && strlen(p->s->domainname) > HOSTNAME_MAX)
		return diag_fail(d, -ERR_CONTAINER, "the domain name '%s' is too long",
			p->s->domainname);
	return check_name(p->hostname, d);
}

int uts_enter(struct plan *p)
{
	const char *domain = p->s->domainname ? p->s->domainname : "(none)";

	if (sethostname(p->hostname, strlen(p->hostname)) < 0 ||
		setdomainname(domain, strlen(domain)) < 0)
		return -errno;
	return 0;
}
