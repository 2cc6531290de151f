// SPDX-License-Identifier: GPL-2.0-or-later
#include "net.h"

#include "prim/err.h"

static bool is_word(const char *text)
{
	return strcmp(text, "none") == 0 || strcmp(text, "host") == 0;
}

int net_choose(struct cmd *c, const struct opt_list *given, enum sandbox_net otherwise,
	struct net_choice *ret)
{
	struct net_choice n = { .net = otherwise };
	int r = 0;

	for (size_t i = 0; i < given->n && r == 0; i++) {
		const char *text = given->v[i];

		if (is_word(text) && given->n > 1)
			r = diag_fail(&c->diag, -ERR_USAGE, "--net %s stands alone: the other --net would "
				"have no meaning", text);
		else if (is_word(text))
			n.net = *text == 'h' ? SANDBOX_NET_HOST : SANDBOX_NET_NONE;
		else
			r = grants_add(&n.grants, str_from(text), &c->diag);
	}
	if (n.grants.v.n)
		n.net = SANDBOX_NET_DOOR;
	if (r < 0) {
		grants_done(&n.grants);
		return r;
	}
	*ret = n;
	return 0;
}

void net_choice_done(struct net_choice *n)
{
	grants_done(&n->grants);
}
