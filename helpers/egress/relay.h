/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process's part of the connections: by splice(2) between two sockets each, never looked at. */
#ifndef CRATONS_HELPERS_EGRESS_RELAY_H
#define CRATONS_HELPERS_EGRESS_RELAY_H

#include "egress.h"

/* To a worker, with two sockets, or HANDOVER_DRAIN and none: the container has ended. When its link is at its
 * end there will be no more, and it ends when it has none left. */
enum handover_kind { HANDOVER_PAIR = 1, HANDOVER_DRAIN };

struct handover {
	uint8_t kind;
	uint8_t published;
	uint16_t row;		/* of the counts */
	uint32_t number;	/* of the name; 0: none */
};

struct work {
	int link;
	struct shared *shared;
	_Atomic uint32_t *open;	/* its own count in there */
	struct counts *counts;
	uint32_t idle_seconds;
};

/* Does not return. */
_noreturn_ void relay_work(const struct work *work);

#endif
