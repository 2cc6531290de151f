/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command and cratons-fused say to each other on $CRATONS_HOME/run/fused.sock (SOCK_SEQPACKET:
 * a frame is a packet, and one of any other size is an error). The command sends one hello; the
 * server answers with one reply, to which it attaches the descriptors of its user and mount
 * namespaces, and then serves for as long as the connection is open.
 *
 * The first eight bytes never change their meaning, so that any two versions can tell each other
 * apart. A server that was not started from the program that the command would start itself (build),
 * or whose store has another index by now, answers FUSED_RETIRES, takes no further connections and
 * goes when its last one closes.
 */
#ifndef CRATONS_WIRE_FUSED_H
#define CRATONS_WIRE_FUSED_H

#include <stdint.h>
#include <sys/stat.h>

#define FUSED_SOCKET   "fused.sock"
#define FUSED_LOCK     "fused.lock"
#define FUSED_LOG      "fused.log"
#define FUSED_DAMAGED  "damaged"	/* lines "object HEX" and "tree HEX": what failed its digest */
#define FUSED_MOUNT    "mnt"

#define FUSED_MAGIC    0x53465243u	/* "CRFS" */
#define FUSED_PROTOCOL 1
#define FUSED_TEXT     4096		/* bytes, with the NUL */
#define FUSED_FDS      2		/* user namespace, mount namespace */

enum fused_status {
	FUSED_READY = 1,	/* text is the path of the mount; descriptors are attached */
	FUSED_RETIRES,
	FUSED_FAILED,		/* code is a negative code (prim/err.h), text says what */
};

enum fused_transport {
	FUSED_BY_DEVICE = 1,
	FUSED_BY_RINGS,		/* io_uring */
};

/* The program a server was started from, told apart without reading it. */
struct fused_build {
	uint64_t device, inode, size, changed_ns;
};

static inline struct fused_build fused_build_of(const struct stat *st)
{
	return (struct fused_build){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.changed_ns = (uint64_t)st->st_ctim.tv_sec * 1000000000 + (uint64_t)st->st_ctim.tv_nsec,
	};
}

struct fused_hello {
	uint32_t magic;
	uint16_t protocol;
	uint16_t reserved;	/* 0 */
	struct fused_build build;
};

struct fused_reply {
	uint32_t magic;
	uint16_t protocol;
	uint16_t status;
	int32_t code;
	uint32_t pid;
	uint32_t transport;	/* how the kernel's requests come */
	uint32_t reserved;	/* 0 */
	char text[FUSED_TEXT];
	char hint[FUSED_TEXT / 4];
};

_Static_assert(sizeof(struct fused_build) == 32, "wire format");
_Static_assert(sizeof(struct fused_hello) == 40, "wire format");
_Static_assert(sizeof(struct fused_reply) == 24 + FUSED_TEXT + FUSED_TEXT / 4, "wire format");

#endif
