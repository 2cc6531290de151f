/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that answers the kernel, and the memory that is its own. */
#ifndef CRATONS_DAEMON_WORKER_H
#define CRATONS_DAEMON_WORKER_H

#include "server.h"

struct ring;

#define LARGE ((size_t)1 << 20)

struct worker {
	struct server *server;
	bool leads;		/* holds server->lead */
	bool guards;		/* must wait for nothing that another worker answers */
	struct ring *ring;	/* whose requests it answers; NULL: the device's */
	uint64_t small_id;	/* the file in `small`; 0: none */
	char small[TREE_CHUNK];
	char ahead[TREE_CHUNK];
	char *large;		/* LARGE bytes, what the kernel asks for at most */
};

#endif
