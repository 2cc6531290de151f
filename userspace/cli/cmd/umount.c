// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "engine/mount/mount.h"

const struct opt umount_options[] = {
	OPT_ARGS("DIRECTORY", 0, 1),
	OPT_END,
};

int cmd_umount(struct cmd *c)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	int r = 0;

	if (c->argc) {
		r = buf_adds(&place, c->argv[0]);
	} else {
		r = cmd_project(c);
		if (r >= 0)
			r = buf_addf(&place, "%s/node_modules", cmd_project_path(c));
	}
	return r < 0 ? r : mount_host_remove(buf_text(&place), &c->diag);
}
