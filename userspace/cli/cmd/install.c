// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "engine/env/materialize.h"
#include "prim/err.h"

static bool arg_frozen, arg_production;
static const char *arg_materialize;

const struct opt install_options[] = {
	OPT_FLAG("frozen", 0, &arg_frozen),
	OPT_FLAG("production", 0, &arg_production),
	OPT_CHOICE("materialize", 0, "auto|reflink|hardlink|copy", &arg_materialize),
	OPT_INSTALLING,
	OPT_ARGS("PACKAGE", 0, 0),
	OPT_END,
};

static enum materialize_how how(void)
{
	switch (arg_materialize[0]) {
	case 'r':
		return MATERIALIZE_REFLINK;
	case 'h':
		return MATERIALIZE_HARDLINK;
	case 'c':
		return MATERIALIZE_COPY;
	default:
		return MATERIALIZE_AUTO;
	}
}

static int write_out(struct cmd *c, const struct project *p, const struct digest *tree)
{
	_cleanup_(cas_free_p) struct cas *cas = NULL;
	struct materialize_result m = { 0 };
	int r = cas_open(&cas, p->home_fd, &c->diag);

	if (r == 0)
		r = materialize(cas, p->fd, "node_modules", tree, how(), &m, &c->diag);
	if (r == 0)
		cmd_note(c, "Wrote node_modules: %llu files, %llu of them new",
			(unsigned long long)m.files, (unsigned long long)m.written);
	return r;
}

int cmd_install(struct cmd *c)
{
	struct install_options o = { .frozen = arg_frozen, .production = arg_production };
	struct install_result result = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (r < 0)
		return r;
	installing_options(c, &o);
	r = installing_run(c, &p, &o, &result);
	if (r == 0 && arg_materialize)
		r = write_out(c, &p, &result.environment);
	install_result_done(&result);
	return r;
}
