/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that move bytes, as the one that judges sees them. Each has a table of descriptors of its
 * own, so that a low limit of open files bounds a process and not the door. They are made when there is work
 * for them; one that dies takes the helper with it.
 */
#ifndef CRATONS_HELPERS_EGRESS_WORKERS_H
#define CRATONS_HELPERS_EGRESS_WORKERS_H

#include "egress.h"

int workers_new(struct workers **ret, struct egress *e);

/* How many connections they can hold together. */
uint32_t workers_room(const struct egress *e);

/* Takes both sockets (non-blocking) and ends the count. `published`: it was begun from outside, and `second`
 * is the container's. */
void workers_add(struct workers *w, int first, int second, bool published, struct counts *counts,
	const struct name *name);

/* The container has ended. Connections may still be added, until workers_drained() is first asked. */
void workers_drain(struct workers *w);
/* Whether all that it sent has arrived, or has nowhere to go. */
bool workers_drained(struct workers *w);

#endif
