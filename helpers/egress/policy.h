/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be dialled: the frames as they came, checked, and what went through each. */
#ifndef CRATONS_HELPERS_EGRESS_POLICY_H
#define CRATONS_HELPERS_EGRESS_POLICY_H

#include "base/inet.h"
#include "cratons/wire/egress.h"

#include <stdatomic.h>

/* A row of struct egress_counts, as several processes add to it. */
struct counts {
	_Atomic uint64_t connections, refused, out, in, open;
	uint64_t reserved[3];
};

_Static_assert(sizeof(struct counts) == sizeof(struct egress_counts), "the same bytes");

struct rule {
	struct egress_grant grant;
	struct in6_addr net;
	struct counts *counts;	/* the user's */
};

struct policy {
	struct rule *rules[EGRESS_GRANTS_MAX];
	unsigned n;
};

/* Takes a grant over. -EPROTO: nothing that the supervisor makes. */
int policy_add(struct policy *p, const struct egress_grant *g);
void policy_done(struct policy *p);

/* The first rule that covers it, or NULL. Names in lower case. */
struct rule *policy_find_name(const struct policy *p, struct str name, uint16_t port);
struct rule *policy_find_address(const struct policy *p, const struct in6_addr *a, uint16_t port);
/* The first rule for the name, whatever the port; NULL: there is no such name. */
struct rule *policy_knows(const struct policy *p, struct str name);

#endif
