/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's resolver, bytes to bytes (RFC 1035, RFC 6891 for EDNS): A and AAAA of granted names.
 * Nothing is asked of anybody, so a name is not a way to tell something to the outside.
 */
#ifndef CRATONS_HELPERS_EGRESS_DNS_H
#define CRATONS_HELPERS_EGRESS_DNS_H

#include "prim/str.h"

#define DNS_MESSAGE_MAX 1232	/* also what is announced by EDNS: fits any path's packets */
#define DNS_NAME_MAX	253
#define DNS_TTL		60

enum dns_code {
	DNS_OK = 0,
	DNS_MALFORMED = 1,
	DNS_FAILED = 2,
	DNS_NO_NAME = 3,
	DNS_NOT_IMPLEMENTED = 4,
	DNS_REFUSED = 5,
	DNS_BAD_VERSION = 16,
};

/* The addresses of a name: either may be absent (NODATA). */
struct dns_found {
	uint32_t a;		/* host byte order; 0: none */
	uint8_t aaaa[16];
	bool has_aaaa;
};

/* `name` is in lower case, without a final dot. DNS_OK, DNS_NO_NAME, DNS_FAILED. */
typedef enum dns_code (*dns_lookup_fn)(void *data, struct str name, struct dns_found *ret);

/* The length of the answer, of at most DNS_MESSAGE_MAX bytes; 0: there is none to this. */
size_t dns_answer(const uint8_t *query, size_t len, dns_lookup_fn lookup, void *data,
	uint8_t answer[DNS_MESSAGE_MAX]);

#endif
