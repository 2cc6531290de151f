// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "base/fd.h"
#include "engine/mount/mount.h"
#include "prim/err.h"

#include <errno.h>
#include <sys/stat.h>

static bool arg_production;

const struct opt mount_options[] = {
	OPT_FLAG("production", 0, &arg_production),
	OPT_ARGS("DIRECTORY", 0, 1),
	OPT_END,
};

static int default_place(const struct project *p, struct buf *ret)
{
	int r = buf_addf(ret, "%s/node_modules", p->path);

	if (r == 0 && mkdirat(p->fd, "node_modules", 0755) < 0 && errno != EEXIST)
		r = -errno;
	return r;
}

int cmd_mount(struct cmd *c)
{
	_cleanup_buf_ struct buf place = BUF_INIT;
	struct install_options o = { .frozen = true, .production = arg_production,
		.network = INSTALL_OFFLINE };
	struct install_result found = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = c->argc ? buf_adds(&place, c->argv[0]) : default_place(&p, &place);
	if (r == 0)
		r = install(&p, &o, &found, &c->diag);
	if (r < 0)
		return r == -ERR_OFFLINE ? diag_hint(&c->diag, "cratons install") : r;
	r = mount_heal(buf_text(&place), &c->diag);
	if (r >= 0)
		r = mount_host(p.home_fd, p.home, &found.environment, buf_text(&place), &c->diag);
	if (r == 0)
		cmd_note(c, "Mounted at %s", buf_text(&place));
	install_result_done(&found);
	return r;
}
