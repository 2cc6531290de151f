/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internet addresses in one form: IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), prefixes in bits of 128. */
#ifndef CRATONS_BASE_INET_H
#define CRATONS_BASE_INET_H

#include "prim/str.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define INET_TEXT INET6_ADDRSTRLEN

struct in6_addr inet_from4(uint32_t host_order);
bool inet_is4(const struct in6_addr *a);

/* Whether the first `bits` of both are the same. */
bool inet_covers(const struct in6_addr *net, unsigned bits, const struct in6_addr *a);

/*
 * False for what RFC 6890's registries and their later entries do not call globally reachable: private,
 * shared, loopback, link-local (where clouds have their metadata), documentation, multicast and so on, and
 * for IPv6 forms that carry an IPv4 address which is not (mapped, translated, 6to4).
 */
bool inet_is_public(const struct in6_addr *a);

/* Whether a grant of the prefix reaches the address: all of a family (0.0.0.0/0, ::/0) means what is public
 * of it, a narrower prefix all that it covers. */
bool inet_reaches(const struct in6_addr *net, unsigned bits, const struct in6_addr *a);

/* Plain text: "192.0.2.1", "2001:db8::1". Reads only whole, ordinary forms: -EINVAL. */
const char *inet_text(const struct in6_addr *a, char text[INET_TEXT]);
int inet_parse(struct str text, struct in6_addr *ret);

/* Port numbers, a list of ranges: "443", "80,443", "8000-8100", none below `least`. The number of ranges,
 * -EINVAL, or -ERR_LIMIT for more than `max` of them. */
struct inet_ports {
	uint16_t from, to;
};
int inet_parse_ports(struct str text, uint16_t least, struct inet_ports *ret, size_t max);

/* To and from what the kernel takes; an IPv4 address becomes AF_INET. */
socklen_t inet_to_sockaddr(const struct in6_addr *a, uint16_t port, struct sockaddr_storage *ret);
int inet_from_sockaddr(const struct sockaddr *sa, struct in6_addr *ret, uint16_t *ret_port);

#endif
