/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --net: "none", "host", or any number of grants of the network door. */
#ifndef CRATONS_CLI_NET_H
#define CRATONS_CLI_NET_H

#include "cmd.h"
#include "engine/door/grant.h"
#include "engine/sandbox/sandbox.h"
#include "options.h"

struct net_choice {
	enum sandbox_net net;
	struct grants grants;	/* SANDBOX_NET_DOOR: at least one, or none when only ports are published */
};

/* -ERR_USAGE: a grant that is none, or grants beside "none" or "host". */
int net_choose(struct cmd *c, const struct opt_list *given, enum sandbox_net otherwise,
	struct net_choice *ret);
void net_choice_done(struct net_choice *n);

#endif
