// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "cas/cas-write.h"
#include "engine/mount/mount.h"

#include <errno.h>
#include <stdlib.h>

const struct opt umount_options[] = {
	OPT_ARGS("DIRECTORY", 0, 1),
	OPT_END,
};

/* What the mount showed may go. */
static void give_up(struct cmd *c, const char *at)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	_cleanup_buf_ struct buf root = BUF_INIT;
	int home = cmd_home(c);

	if (home >= 0 && cas_writer_open(&w, home, NULL) == 0 && mount_root_name(at, &root) == 0)
		(void)cas_root_remove(w, buf_str(&root), NULL);
}

int cmd_umount(struct cmd *c)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	_cleanup_free_ char *at = NULL;
	int r = 0;

	if (c->argc) {
		r = buf_adds(&place, c->argv[0]);
	} else {
		r = cmd_project(c);
		if (r >= 0)
			r = buf_addf(&place, "%s/node_modules", cmd_project_path(c));
	}
	if (r == 0)
		r = mount_heal(buf_text(&place), &c->diag);
	if (r < 0)
		return r;
	at = realpath(buf_text(&place), NULL);
	if (!at)
		return diag_errno(&c->diag, -errno, "cannot unmount %s", buf_text(&place));
	r = mount_host_remove(at, &c->diag);
	/* Also where the mount itself went with a restart of the machine. */
	if (!mount_is_there(at))
		give_up(c, at);
	return r;
}
