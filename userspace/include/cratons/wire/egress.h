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
#define EGRESS_FD_COUNTS  6	/* what went through: mapped, and written all the time */

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
/* How long it stays when its supervisor has gone, for what the container wrote to arrive; and for how much
 * of that the supervisor waits. */
#define EGRESS_LINGER_MS  60000
#define EGRESS_DRAIN_MS	  2000
#define EGRESS_NAMES	  (1u << (32 - EGRESS_POOL4_BITS))

#define EGRESS_GRANTS_MAX  256
#define EGRESS_PORTS_MAX   64
#define EGRESS_PUBLISH_MAX 64
#define EGRESS_NAME_MAX	   253
#define EGRESS_LISTENERS_MAX 4096
/* Descriptors in one packet. */
#define EGRESS_HANDOUT_MAX 64
/* Of a packet that nothing listens to: its headers. */
#define EGRESS_WATCH_BYTES 128

enum egress_kind {
	/* To the helper, in this order; publish and grants any number of times up to the maximum. */
	EGRESS_GRANT = 1,
	EGRESS_PUBLISH,		/* with a listening socket of the host's */
	EGRESS_START,		/* answered by EGRESS_READY once it is confined */
	EGRESS_BORN,		/* with a pidfd of the container's: only when ports are published */
	EGRESS_READY,
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

/*
 * The file of counts: a head, a row a grant and then one a published port, in their order, and behind them
 * the names of the rows, each with a NUL. The supervisor makes it, the magic last; the helper only adds to
 * the numbers; who reads it believes nothing (door_counts_read).
 */
#define EGRESS_COUNTS_MAGIC "cratons\1"
#define EGRESS_COUNTS_MAX   ((EGRESS_GRANTS_MAX + EGRESS_PUBLISH_MAX) * 2048u)

struct egress_counts_head {
	char magic[8];
	uint32_t rows;
	uint32_t names;		/* bytes */
	uint64_t reserved[6];
};

struct egress_counts {		/* a cache line: several processors count */
	uint64_t connections, refused, bytes_out, bytes_in, open;
	uint64_t reserved[3];
};

struct egress_frame {
	uint32_t kind;
	uint32_t port;		/* EGRESS_PUBLISH: inside */
	union {
		struct egress_grant grant;
		struct egress_start start;
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
_Static_assert(sizeof(struct egress_counts_head) == 64, "wire format");
_Static_assert(sizeof(struct egress_counts) == 64, "wire format");
_Static_assert(sizeof(struct egress_frame) == 540, "wire format");
_Static_assert(sizeof(struct egress_handout) == 8, "wire format");

#endif
