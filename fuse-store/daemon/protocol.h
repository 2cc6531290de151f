/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is needed of the kernel's FUSE protocol beside libfuse, which keeps its own to itself. As in
 * linux/fuse.h 7.43, newer than what the build may find.
 */
#ifndef CRATONS_DAEMON_PROTOCOL_H
#define CRATONS_DAEMON_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_INIT 26	/* opcode */

/* INIT's flags; those from 32 on are in flags2, which is there with the first. */
#define PROTOCOL_INIT_EXT	 (1u << 30)
#define PROTOCOL2_OVER_IO_URING	 (1u << (41 - 32))
#define PROTOCOL2_REQUEST_TIMEOUT (1u << (42 - 32))

struct protocol_in {
	uint32_t len, opcode;
	uint64_t unique, node;
	uint32_t uid, gid, pid;
	uint16_t ext_len, padding;
};
_Static_assert(sizeof(struct protocol_in) == 40, "the kernel's format");

struct protocol_out {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};
_Static_assert(sizeof(struct protocol_out) == 16, "the kernel's format");

struct protocol_init_in {
	uint32_t major, minor, max_readahead, flags, flags2, unused[11];
};
_Static_assert(sizeof(struct protocol_init_in) == 64, "the kernel's format");

struct protocol_init_out {
	uint32_t major, minor, max_readahead, flags;
	uint16_t max_background, congestion_threshold;
	uint32_t max_write, time_gran;
	uint16_t max_pages, map_alignment;
	uint32_t flags2, max_stack_depth;
	uint16_t request_timeout;	/* seconds */
	uint16_t unused[11];
};
_Static_assert(sizeof(struct protocol_init_out) == 64, "the kernel's format");

/* Commands of FUSE over io_uring, in sqe->cmd_op and sqe->cmd. */
#define PROTOCOL_RING_REGISTER 1
#define PROTOCOL_RING_COMMIT   2

struct protocol_ring_command {
	uint64_t flags;
	uint64_t commit_id;
	uint16_t queue;
	uint8_t padding[6];
};
_Static_assert(sizeof(struct protocol_ring_command) == 24, "the kernel's format");

/* The memory of an entry beside its payload. */
struct protocol_ring_header {
	union {
		struct protocol_in in;
		struct protocol_out out;
		char bytes[128];
	};
	char op_in[128];	/* the operation's own header */
	uint64_t flags;
	uint64_t commit_id;
	uint32_t payload_size;
	uint32_t padding;
	uint64_t reserved;
};
_Static_assert(sizeof(struct protocol_ring_header) == 288, "the kernel's format");

#endif
