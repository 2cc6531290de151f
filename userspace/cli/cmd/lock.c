// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"

const struct opt lock_options[] = {
	OPT_INSTALLING,
	OPT_END,
};

int cmd_lock(struct cmd *c)
{
	struct install_options o = { .lock_only = true };
	struct install_result result = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (r < 0)
		return r;
	installing_options(c, &o);
	r = installing_run(c, &p, &o, &result);
	install_result_done(&result);
	return r;
}
