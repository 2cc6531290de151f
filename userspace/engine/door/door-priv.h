/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_DOOR_PRIV_H
#define CRATONS_ENGINE_DOOR_PRIV_H

#include "base/fd.h"
#include "base/inet.h"
#include "base/pass.h"
#include "cratons/wire/egress.h"
#include "engine/door/door.h"

struct door {
	struct arena arena;
	struct sandbox_door sandbox;
	const struct grants *grants;
	const struct door_publish *publish;
	size_t npublish;
	pid_t pid;
	int control;		/* to the helper; when it closes, the helper ends */
	int counts;		/* the file of them, or one without a name; -1: none yet */
};

/* What the container's builder is to make for these grants. -ERR_LIMIT. */
int door_plan(struct door *o, struct diag *d);

/* counts.c: the file that the helper counts in, made anew: `given`, or one without a name. */
int counts_make(struct door *o, int given, struct diag *d);

/* publish.c: a listening socket, or a negative code. */
int publish_listen(const struct door_publish *p, struct diag *d);

#endif
