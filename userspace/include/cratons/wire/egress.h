/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container's supervisor and cratons-egress say to each other (SOCK_SEQPACKET: a frame is a
 * packet of exactly sizeof(struct egress_frame) bytes, and anything else ends the helper), and what
 * comes from the process that builds the container: its sockets.
 *
 * The helper takes nothing else for granted: what may be dialled arrives here, compiled.
 */
#ifndef CRATONS_WIRE_EGRESS_H
#define CRATONS_WIRE_EGRESS_H

#include <stdint.h>

/* The descriptors that the helper starts with beside 0 to 2. */
#define EGRESS_FD_CONTROL 3
#define EGRESS_FD_DOOR	  4	/* the builder's sockets come here */
#define EGRESS_FD_LOG	  5	/* EGRESS_START says whether it is there */

/*
 * Addresses that nobody routes: for measuring (RFC 2544, RFC 5180). The first few of a pool are the
 * container's own and its resolver's, the others stand for names.
 */
#define EGRESS_POOL4	  0xc6120000u	/* 198.18.0.0/15, host byte order */
#define EGRESS_POOL4_BITS 15
#define EGRESS_POOL6	  { 0x20, 0x01, 0, 2 }	/* 2001:2::/48; the number is in the last four bytes */
#define EGRESS_POOL6_BITS 48
#define EGRESS_OWN	  1u
#define EGRESS_RESOLVER	  2u
#define EGRESS_FIRST_NAME 16u
/* How long it stays when its supervisor has gone, for what the container wrote to leave. */
#define EGRESS_DRAIN_MS	  2000
#define EGRESS_NAMES	  (1u << (32 - EGRESS_POOL4_BITS))

#define EGRESS_GRANTS_MAX  256
#define EGRESS_PORTS_MAX   64
#define EGRESS_PUBLISH_MAX 64
#define EGRESS_NAME_MAX	   253
#define EGRESS_LISTENERS_MAX 4096
/* Descriptors in one packet; SCM_RIGHTS allows 253. */
#define EGRESS_HANDOUT_MAX 64
/* Of a packet that nothing listens to: its headers. */
#define EGRESS_WATCH_BYTES 128

enum egress_kind {
	/* To the helper, in this order; publish and grants any number of times up to the maximum. */
	EGRESS_GRANT = 1,
	EGRESS_PUBLISH,		/* with a listening socket of the host's */
	EGRESS_START,		/* answered by EGRESS_READY once it is confined */
	EGRESS_BORN,		/* with a pidfd of the container's: only when ports are published */
	EGRESS_COUNT,		/* answered by one EGRESS_COUNTED a row, grants first */
	EGRESS_READY,
	EGRESS_COUNTED,
};

enum egress_grant_kind { EGRESS_HOST, EGRESS_BELOW, EGRESS_NET };

struct egress_ports {
	uint16_t from, to;
};

struct egress_grant {
	uint8_t kind;
	uint8_t bits;		/* of 128 */
	uint8_t length;		/* of name */
	uint8_t nports;
	uint8_t net[16];
	char name[EGRESS_NAME_MAX + 3];	/* lower case, zeroes behind it */
	struct egress_ports ports[EGRESS_PORTS_MAX];
};

struct egress_start {
	uint32_t connections, idle_seconds;
	uint8_t log;		/* EGRESS_FD_LOG is there */
	uint8_t reserved[7];
	char container[64];	/* with a NUL */
};

struct egress_count {
	uint32_t row, rows;
	uint64_t connections, refused, bytes_out, bytes_in;
	uint64_t open;
};

struct egress_frame {
	uint32_t kind;
	uint32_t port;		/* EGRESS_PUBLISH: inside */
	union {
		struct egress_grant grant;
		struct egress_start start;
		struct egress_count count;
	} u;
};

/* From the builder: `count` sockets are attached. */
struct egress_handout {
	uint32_t count;
	uint8_t last;
	uint8_t ipv6;		/* AAAA may be answered */
	uint8_t reserved[2];
};

_Static_assert(sizeof(struct egress_grant) == 4 + 16 + 256 + 256, "wire format");
_Static_assert(sizeof(struct egress_start) == 80, "wire format");
_Static_assert(sizeof(struct egress_count) == 48, "wire format");
_Static_assert(sizeof(struct egress_frame) == 544, "wire format");
_Static_assert(sizeof(struct egress_handout) == 8, "wire format");

#endif
