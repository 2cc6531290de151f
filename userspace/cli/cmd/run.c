// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "container.h"
#include "installing.h"
#include "running.h"
#include "engine/manifest/manifest.h"
#include "prim/err.h"

#include <errno.h>

const struct opt run_options[] = {
	OPT_RUNNING,
	OPT_ARGS("SCRIPT|COMMAND", 0, OPT_ANY_NUMBER),
	OPT_END,
};

static const struct manifest_script *find_script(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->nscripts; i++)
		if (str_is(m->scripts[i].name, name))
			return &m->scripts[i];
	return NULL;
}

static int list_scripts(struct cmd *c, const struct manifest *m)
{
	if (m->nscripts == 0)
		cmd_note(c, MANIFEST_NAME " has no [scripts]");
	for (size_t i = 0; i < m->nscripts; i++) {
		cmd_print(c, STYLE_BOLD "%.*s" STYLE_END "  ", STR_ARG(m->scripts[i].name));
		cmd_print_plain(c, m->scripts[i].command);
		cmd_print(c, "\n");
	}
	return 0;
}

/* As npm does it: sh -c with the arguments appended, each quoted. */
static int shell_line(struct str command, int argc, char *const *argv, struct buf *ret)
{
	int r = buf_addstr(ret, command);

	for (int i = 0; i < argc && r == 0; i++) {
		r = buf_adds(ret, " '");
		for (const char *p = argv[i]; *p && r == 0; p++)
			r = *p == '\'' ? buf_adds(ret, "'\\''") : buf_addc(ret, *p);
		if (r == 0)
			r = buf_addc(ret, '\'');
	}
	return r;
}

/* A script with the scripts that npm would run around it: pre<name> and post<name>. */
static int run_script(struct cmd *c, const struct project *p, const struct manifest *m,
	const struct running_environment *e, const struct manifest_script *s)
{
	static const char *const around[] = { "pre", "", "post" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(around) && r == 0; i++) {
		_cleanup_buf_ struct buf name = BUF_INIT, line = BUF_INIT;
		const struct manifest_script *it;
		bool own = around[i][0] == '\0';

		r = buf_addf(&name, "%s%.*s", around[i], STR_ARG(s->name));
		it = own ? s : find_script(m, buf_text(&name));
		if (r < 0 || !it)
			continue;
		r = shell_line(it->command, own ? c->argc - 1 : 0, c->argv + 1, &line);
		if (r == 0) {
			const char *const argv[] = { "/bin/sh", "-c", buf_text(&line), NULL };

			r = running_run(c, p, e, argv, NULL);
			r = container_outcome(c, r, r);
		}
	}
	return r;
}

static int run_what(struct cmd *c, const struct project *p, const struct manifest *m)
{
	_cleanup_(running_environment_done) struct running_environment e = { 0 };
	const struct manifest_script *script = find_script(m, c->argv[0]);
	int r = running_find(c, p, &e);

	if (r < 0)
		return r;
	if (script)
		return run_script(c, p, m, &e, script);
	r = running_run(c, p, &e, (const char *const *)c->argv, NULL);
	if (r == -ENOENT)
		diag_hint(&c->diag, "it is neither a script of " MANIFEST_NAME " nor a command in "
			"the environment; 'cratons run' lists the scripts");
	return container_outcome(c, r, r);
}

int cmd_run(struct cmd *c)
{
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	struct project p;
	int r = installing_project(c, &p);

	if (r == 0)
		r = manifest_load(&m, p.fd, &c->diag);
	if (r < 0)
		return r;
	return c->argc == 0 ? list_scripts(c, m) : run_what(c, &p, m);
}
