/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container may dial. Written HOST:PORTS, *.HOST:PORTS, ADDRESS/BITS:PORTS or [ADDRESS6/BITS]:PORTS;
 * PORTS is a list of numbers and ranges ("443", "80,443", "8000-8100"). Names are ASCII (an IDN in its
 * A-label form, RFC 5890), compared without case, at most 253 bytes; *.HOST is every name below HOST but
 * not HOST itself. A lone address is a CIDR of all its bits.
 *
 * A name leads only to public addresses (inet_is_public), and a CIDR of everything likewise; what is
 * private, loopback, link-local or multicast is reached only when a narrower CIDR names it, also by a name.
 * A loopback address means the host's, and is granted alone: 127.0.0.1 or ::1.
 */
#ifndef CRATONS_ENGINE_DOOR_GRANT_H
#define CRATONS_ENGINE_DOOR_GRANT_H

#include "base/arena.h"
#include "base/inet.h"
#include "prim/diag.h"
#include "prim/vec.h"

#include <netinet/in.h>

#define GRANTS_MAX	256
#define GRANT_PORTS_MAX	64	/* ranges of one grant */

enum grant_kind { GRANT_NAME, GRANT_BELOW, GRANT_NET };

struct grant {
	enum grant_kind kind;
	struct str text;	/* as written */
	struct str name;	/* lower case, without "*." */
	struct in6_addr net;	/* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;		/* of 128 */
	struct inet_ports *ports;
	size_t nports;
};

struct grants {
	struct arena arena;
	VEC(struct grant) v;
};

/* Adds one; the diagnostic says what of it is wrong. -ERR_USAGE. */
int grants_add(struct grants *g, struct str text, struct diag *d);
void grants_done(struct grants *g);

/* The first grant that covers it, or NULL. The name must be in lower case, without a final dot. */
const struct grant *grants_find_name(const struct grants *g, struct str name, uint16_t port);
const struct grant *grants_find_address(const struct grants *g, const struct in6_addr *a, uint16_t port);
/* Whether a name is granted on any port: whether it exists at all. */
bool grants_know(const struct grants *g, struct str name);

#endif
