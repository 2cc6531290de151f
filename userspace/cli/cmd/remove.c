// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>

const struct opt remove_options[] = {
	OPT_INSTALLING,
	OPT_ARGS("PACKAGE", 1, OPT_ANY_NUMBER),
	OPT_END,
};

/* "npm:name" or "name", which is npm's. */
static struct str ecosystem_of(struct str *spec)
{
	size_t colon = str_find(*spec, ':', 0);
	struct str ecosystem = STR("npm");

	if (colon < spec->n) {
		ecosystem = str_slice(*spec, 0, colon);
		*spec = str_slice(*spec, colon + 1, spec->n);
	}
	return ecosystem;
}

static int remove_each(struct cmd *c, struct buf *text)
{
	for (int i = 0; i < c->argc; i++) {
		_cleanup_buf_ struct buf changed = BUF_INIT;
		struct str name = str_from(c->argv[i]), ecosystem = ecosystem_of(&name);
		int r = manifest_remove_dependency(buf_str(text), MANIFEST_NAME, ecosystem, name,
			&changed, &c->diag);

		if (r == -ENOENT) {
			diag_fail(&c->diag, -ERR_NO_PACKAGE, MANIFEST_NAME
				" does not name '%.*s'", STR_ARG(name));
			return diag_hint(&c->diag, "'cratons list' shows what it names");
		}
		if (r < 0)
			return r;
		buf_done(text);
		*text = changed;
		changed = (struct buf)BUF_INIT;
	}
	return 0;
}

int cmd_remove(struct cmd *c)
{
	_cleanup_buf_ struct buf before = BUF_INIT, after = BUF_INIT;
	struct install_options o = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = file_slurp(p.fd, MANIFEST_NAME, &before, 64 << 20);
	if (r == 0)
		r = buf_addstr(&after, buf_str(&before));
	if (r == 0)
		r = remove_each(c, &after);
	if (r < 0)
		return r;
	installing_options(c, &o);
	return installing_with_manifest(c, &p, &o, buf_str(&before), buf_str(&after));
}
