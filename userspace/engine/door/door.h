/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network door of one container: cratons-egress outside, on the host's network, and inside nothing but
 * an interface that leads to a namespace of its own (struct sandbox_door), where sockets listen that the
 * container's network step made and handed out. No socket of the host's goes in.
 *
 * When the helper dies, the container has lost its network and nothing else.
 */
#ifndef CRATONS_ENGINE_DOOR_H
#define CRATONS_ENGINE_DOOR_H

#include "engine/door/grant.h"
#include "engine/sandbox/sandbox.h"

struct door;

/* "PORT", "HOSTPORT:PORT" or "ADDRESS:HOSTPORT:PORT"; TCP. The address defaults to 127.0.0.1. */
struct door_publish {
	struct sockaddr_storage host;
	uint16_t port;
};
int door_parse_publish(const char *text, struct door_publish *ret, struct diag *d);

struct door_options {
	const struct grants *grants;
	const struct door_publish *publish;
	size_t npublish;
	const char *container;	/* named in the log */
	int log;		/* a line a refusal is appended: NDJSON; borrowed, -1: none */
	int counts;		/* an empty file for door_counts_read; borrowed, -1: none */
	unsigned connections;	/* at once; 0: 16384 */
	unsigned idle_seconds;	/* a connection on which nothing moved; 0: 3600 */
};

/* Starts the helper; it holds the published ports already. -ERR_NO_WALL, -EADDRINUSE with the port. */
int door_open(struct door **ret, const struct door_options *o, struct diag *d);
/* What the sandbox is to make: for struct sandbox.door. Borrowed, for as long as the door is open. */
const struct sandbox_door *door_sandbox(const struct door *o);
/* In struct sandbox.born: waits until the helper is confined, and has published ports lead inside.
 * -ERR_NO_WALL. */
int door_born(struct door *o, int pidfd, struct diag *d);

struct door_count {
	const char *grant;	/* as written; "publish PORT" for those */
	uint64_t connections, refused, bytes_out, bytes_in;
	unsigned open;
};
/* What went through so far, a row a grant and then a row a published port; in the arena. */
int door_counts(const struct door *o, struct arena *a, struct door_count **ret, size_t *ret_n);
/* The same of door_options' file, at any time and by anybody: -EBADMSG when it is not whole, or no such file. */
int door_counts_read(int fd, struct arena *a, struct door_count **ret, size_t *ret_n);

/* The container has ended: waits a moment for what it sent to arrive. After that the counts hold still. */
void door_drain(struct door *o);

/* Ends the helper and what goes through it; if it is not done, it stays for a minute to bring it to its end. */
void door_close(struct door *o);
DEFINE_CLEANUP(struct door *, door_close);

#endif
