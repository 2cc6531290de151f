// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "base/fd.h"
#include "engine/mount/mount.h"
#include "engine/run/find.h"
#include "prim/err.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool arg_production;

const struct opt mount_options[] = {
	OPT_FLAG("production", 0, &arg_production),
	OPT_ARGS("DIRECTORY", 0, 1),
	OPT_END,
};

static int default_place(const struct project *p, struct buf *ret, struct diag *d)
{
	int r = buf_addf(ret, "%s/node_modules", p->path);

	if (r == 0 && mkdirat(p->fd, "node_modules", 0755) < 0 && errno != EEXIST)
		r = diag_errno(d, -errno, "cannot make %s", buf_text(ret));
	return r;
}

/* The root is set before there is something to keep, and taken back when there is nothing. */
static int mount_kept(struct cmd *c, const struct project *p, struct cas_writer *w,
	const struct digest *tree, const char *at)
{
	_cleanup_buf_ struct buf root = BUF_INIT;
	int r = mount_root_name(at, &root);

	if (r == 0)
		r = cas_root_set(w, buf_str(&root), tree, 1, &c->diag);
	if (r < 0)
		return r;
	r = mount_host(p->home_fd, p->home, tree, at, &c->diag);
	if (r < 0)
		(void)cas_root_remove(w, buf_str(&root), NULL);
	return r;
}

static int mount_at(struct cmd *c, const struct project *p, const char *place)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	_cleanup_free_ char *at = NULL;
	struct install_result found = { 0 };
	int r = mount_heal(place, &c->diag);

	if (r < 0)
		return r;
	at = realpath(place, NULL);
	if (!at)
		return diag_errno(&c->diag, -errno, "cannot mount at %s", place);
	if (mount_is_there(at))
		return diag_fail(&c->diag, -EBUSY, "an environment is mounted at %s already", at);
	r = cas_writer_open(&w, p->home_fd, &c->diag);
	if (r == 0)
		r = run_find(p, arg_production, w, &found, &c->diag);
	if (r == 0)
		r = mount_kept(c, p, w, &found.environment, at);
	if (r == 0)
		cmd_note(c, "Mounted at %s", at);
	install_result_done(&found);
	return r;
}

int cmd_mount(struct cmd *c)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = c->argc ? buf_adds(&place, c->argv[0]) : default_place(&p, &place, &c->diag);
	return r < 0 ? r : mount_at(c, &p, buf_text(&place));
}
