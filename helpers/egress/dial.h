/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an accepted connection to a connected pair: the name is resolved on the host (resolve.c), and the
 * addresses are tried as RFC 8305 has it, IPv6 and IPv4 in turn, a quarter of a second apart. Each address
 * is judged right before it is dialled, and that very address is dialled: there is no second look-up that
 * could give another one.
 */
#ifndef CRATONS_HELPERS_EGRESS_DIAL_H
#define CRATONS_HELPERS_EGRESS_DIAL_H

#include "egress.h"

/* Both take the accepted socket. */
void dial_name(struct egress *e, int inside, struct rule *rule, struct name *name, uint16_t port);
void dial_address(struct egress *e, int inside, struct rule *rule, const struct in6_addr *a, uint16_t port);

/* For published ports: one address, a socket that was made inside. */
void dial_inside(struct egress *e, int outside, struct counts *counts, int socket, uint16_t port);

/* resolve.c */
#define RESOLVED_MAX 16
typedef void (*resolved_fn)(void *data, int error, const struct in6_addr *all, size_t n);
/* Calls back on the loop's thread, perhaps at once. error: an EAI_ number, 0: there are some. */
int resolve(struct egress *e, struct str name, resolved_fn fn, void *data);

#endif
