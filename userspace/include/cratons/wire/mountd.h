/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user's program and cratons-mountd say to each other on MOUNTD_SOCKET (SOCK_SEQPACKET: a frame
 * is a packet, and one of any other size is an error). A connection carries one request and one reply.
 * With a request goes the descriptor, opened with O_PATH, of the directory that is meant (none with
 * MOUNTD_HELLO); with the reply to MOUNTD_MOUNT comes the descriptor of /dev/fuse whose requests the
 * user's program is to answer. Who asks is told by the kernel (SO_PEERCRED), never by the frame, and
 * no path is ever said.
 *
 * The first eight bytes of both frames never change their meaning, so that any two versions can tell
 * each other apart.
 */
#ifndef CRATONS_WIRE_MOUNTD_H
#define CRATONS_WIRE_MOUNTD_H

#include <stdint.h>

#define MOUNTD_SOCKET	"/run/cratons/mountd.sock"
#define MOUNTD_MAGIC	0x444d5243u	/* "CRMD" */
#define MOUNTD_PROTOCOL 1

enum mountd_operation {
	MOUNTD_HELLO = 1,	/* can the service do its work? */
	MOUNTD_MOUNT,
	MOUNTD_UNMOUNT,
};

/*	name		what it says of a request that was refused */
#define MOUNTD_STATUS_TABLE(X)                                                                     \
	X(DONE,		"done")                                                                    \
	X(MALFORMED,	"it cannot make sense of the request")                                     \
	X(VERSION,	"it is of another version")                                                \
	X(CROWDED,	"too many requests of this user are open already")                         \
	X(ROOT,		"it does nothing for root")                                                \
	X(ELSEWHERE,	"the directory is not one of the host's mounts (a container?)")            \
	X(NO_DIRECTORY,	"it is not a directory")                                                   \
	X(FOREIGN,	"it is not this user's")                                                   \
	X(FILE_SYSTEM,	"nothing may be mounted on this kind of file system")                      \
	X(COVERED,	"something is mounted there")                                              \
	X(TOO_MANY,	"there are too many mounts of this user, or of all users")                 \
	X(NOT_OURS,	"no environment is mounted there")                                         \
	X(IN_USE,	"something else is mounted in it")                                         \
	X(FAILED,	"a system call failed") /* error says how */                               \
	X(OUTSIDER,	"it is asked from another user namespace (a container?)")

enum mountd_status {
	MOUNTD_STATUS_NONE,
#define X(name, sentence) MOUNTD_##name,
	MOUNTD_STATUS_TABLE(X)
#undef X
};

struct mountd_request {
	uint32_t magic;
	uint16_t protocol;
	uint16_t operation;
};

struct mountd_reply {
	uint32_t magic;
	uint16_t protocol;
	uint16_t status;
	int32_t error;		/* a negative errno with MOUNTD_FAILED, otherwise 0 */
	uint32_t reserved;	/* 0 */
};

_Static_assert(sizeof(struct mountd_request) == 8, "wire format");
_Static_assert(sizeof(struct mountd_reply) == 16, "wire format");

#endif
