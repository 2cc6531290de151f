// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/find.h"

#include "engine/mount/mount.h"
#include "prim/err.h"

#include <errno.h>

/* The index says that it is complete; its own file is looked at too, as nothing could be mounted
 * without it. What is missing deeper shows when it is read. */
static bool is_whole(struct cas_writer *lease, const struct digest *tree)
{
	const struct tree *t;

	if (cas_writer_want(lease, tree) && cas_tree(cas_writer_cas(lease), tree, &t, NULL) == 0)
		return true;
	(void)cas_quarantine(lease, tree, NULL);
	return false;
}

int run_keep(struct cas_writer *lease, const struct digest *tree, struct diag *d)
{
	char hex[DIGEST_HEX];

	if (is_whole(lease, tree))
		return 0;
	diag_fail(d, -ERR_STORE_MISSING, "the tree %s is not whole in the store",
		digest_hex(tree, hex));
	return diag_hint(d, "cratons install");
}

static int find(const struct project *p, bool production, struct cas_writer *lease,
	struct install_result *ret, struct diag *d)
{
	struct install_options o = {
		.frozen = true,
		.production = production,
		.network = INSTALL_OFFLINE,
		.as_it_is = true,
	};
	struct install_result found = { 0 };
	int r = install(p, &o, &found, d);

	if (r < 0)
		return r;
	if (is_whole(lease, &found.environment) &&
			(digest_is_zero(&found.node) || is_whole(lease, &found.node))) {
		*ret = found;
		return 0;
	}
	install_result_done(&found);
	return -ERR_STORE_MISSING;
}

int run_find(const struct project *p, bool production, struct cas_writer *lease,
	struct install_result *ret, struct diag *d)
{
	unsigned healed;
	int r = mount_damage_heal(lease, p->home_fd, &healed, d);

	if (r < 0)
		return r;
	/* Between finding and keeping it gc may have taken it, or it turned out to be damaged: then it
	 * is composed again. */
	for (int attempt = 0; attempt < 2; attempt++) {
		diag_reset(d);
		r = find(p, production, lease, ret, d);
		if (r != -ERR_STORE_MISSING)
			break;
	}
	if (r == -ERR_LOCK_STALE || r == -ERR_OFFLINE || r == -ERR_STORE_MISSING) {
		diag_fail(d, r, "the environment of %s is not installed", p->path);
		return diag_hint(d, "cratons install");
	}
	return r;
}
