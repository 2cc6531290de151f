/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving bytes between two connected sockets, both ways, by splice(2): the bytes are never looked at. */
#ifndef CRATONS_HELPERS_EGRESS_RELAY_H
#define CRATONS_HELPERS_EGRESS_RELAY_H

#include "egress.h"

/* Starts the threads. */
int relays_new(struct relays **ret, struct egress *e);

/* A connection is counted, and its name (may be NULL) kept, from when it is accepted until it has ended. */
void counts_begin(struct egress *e, struct counts *c, struct name *name);
void counts_end(struct egress *e, struct counts *c, struct name *name);

/* All that the container had to say there is with the host's kernel, or lost. Once a connection. */
void counts_sent(struct egress *e);

/* Takes both sockets (non-blocking), which it closes, and ends the count. By the loop's thread.
 * `published`: it was begun from outside, and `second` is the container's. */
void relays_add(struct relays *r, int first, int second, bool published, struct counts *counts,
	struct name *name);

/* Closes so that the other side sees a reset. */
void socket_reset(int fd);

#endif
