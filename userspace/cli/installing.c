// SPDX-License-Identifier: GPL-2.0-or-later
#include "installing.h"

#include "base/fd.h"
#include "base/progress.h"
#include "prim/err.h"

#include <time.h>

struct installing arg_installing = { .io = "auto" };

int installing_project(struct cmd *c, struct project *ret)
{
	int fd = cmd_project(c), home;

	if (fd < 0)
		return fd;
	home = cmd_home(c);
	if (home < 0)
		return home;
	*ret = (struct project){ fd, cmd_project_path(c), home, cmd_home_path(c) };
	return 0;
}

struct display {
	struct cmd *cmd;
	int phase[INSTALL_COMPOSE + 1];	/* numbers of struct progress, plus one; 0: not begun */
};

static const struct {
	const char *doing, *done, *noun;
} phases[] = {
	[INSTALL_RESOLVE] = { "Resolving", "Resolved", "packages" },
	[INSTALL_FETCH] = { "Fetching", "Fetched", "packages" },
	[INSTALL_BUILD] = { "Building", "Built", "packages" },
	[INSTALL_COMPOSE] = { "Composing", "Composed", "packages" },
};

static void show(void *data, const struct install_progress *i)
{
	struct display *show = data;
	struct progress *p = cmd_progress(show->cmd);

	if (show->phase[i->phase] == 0) {
		for (int before = 0; before < (int)i->phase; before++)
			if (show->phase[before] > 0) {
				progress_end(p, show->phase[before] - 1);
				show->phase[before] = -1;
			}
		show->phase[i->phase] = 1 + progress_start(p, phases[i->phase].doing,
			phases[i->phase].done, phases[i->phase].noun);
	}
	progress_count(p, show->phase[i->phase] - 1, i->done, i->total);
	progress_bytes(p, show->phase[i->phase] - 1, i->bytes);
	progress_waits(p, show->phase[i->phase] - 1, i->waiting_for);
	progress_tick(p);
}

static void warn(void *data, const char *text)
{
	struct display *show = data;

	progress_hide(cmd_progress(show->cmd));
	cmd_warn(show->cmd, "%s", text);
}

static void detail(void *data, const char *text)
{
	struct display *show = data;

	progress_hide(cmd_progress(show->cmd));
	cmd_detail(show->cmd, "%s", text);
}

void installing_options(struct cmd *c, struct install_options *o)
{
	o->network = arg_installing.offline ? INSTALL_OFFLINE :
		     arg_installing.prefer_offline ? INSTALL_PREFER_OFFLINE : INSTALL_ONLINE;
	o->jobs = (unsigned)arg_installing.jobs;
	o->script_seconds = (unsigned)arg_installing.script_seconds;
	o->backend = strcmp(arg_installing.io, "plain") == 0 ? LOOP_PLAIN :
		     strcmp(arg_installing.io, "uring") == 0 ? LOOP_URING : LOOP_ANY;
}

static void tell_json(struct cmd *c, const struct install_result *r, double seconds)
{
	char hex[DIGEST_HEX];

	json_out_open(&c->json, '{');
	json_out_key(&c->json, "environment");
	json_out_text(&c->json, digest_is_zero(&r->environment) ? NULL :
		digest_hex(&r->environment, hex));
	json_out_key(&c->json, "packages");
	json_out_int(&c->json, r->packages);
	json_out_key(&c->json, "fetched");
	json_out_int(&c->json, r->fetched);
	json_out_key(&c->json, "bytes");
	json_out_int(&c->json, (int64_t)r->bytes);
	json_out_key(&c->json, "lockWritten");
	json_out_bool(&c->json, r->lock_written);
	json_out_key(&c->json, "nothingToDo");
	json_out_bool(&c->json, r->nothing_to_do);
	json_out_key(&c->json, "scriptsWaiting");
	json_out_int(&c->json, r->scripts_waiting);
	json_out_key(&c->json, "leftOut");
	json_out_int(&c->json, r->left_out);
	json_out_key(&c->json, "seconds");
	json_out_double(&c->json, seconds);
	json_out_close(&c->json, '}');
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void tell(struct cmd *c, const struct install_result *r, const struct install_options *o,
	double seconds)
{
	if (r->nothing_to_do) {
		cmd_note(c, "Up to date: %u package%s (%.0f ms)", r->packages, plural(r->packages),
			seconds * 1000);
		return;
	}
	if (o->lock_only)
		cmd_note(c, "%s: %zu package%s (%.2f s)", r->lock_written ? "Wrote " LOCKFILE_NAME :
			LOCKFILE_NAME " is up to date", r->lockfile->npackages,
			plural(r->lockfile->npackages), seconds);
	else
		cmd_note(c, "Installed %u package%s, %u fetched (%.2f s)", r->packages,
			plural(r->packages), r->fetched, seconds);
	if (r->scripts_waiting && !o->lock_only)
		cmd_note(c, "%u package%s install scripts that were not run: "
			"'cratons list --scripts' names them, allow-scripts in " MANIFEST_NAME
			" allows them", r->scripts_waiting, r->scripts_waiting == 1 ? " has" : "s have");
	if (c->person && !o->lock_only)
		cmd_note(c, "See it:  cratons shell  ·  cratons run -- CMD  ·  cratons mount  ·  "
			"cratons install --materialize=auto");
}

int installing_run(struct cmd *c, const struct project *p, const struct install_options *o,
	struct install_result *ret)
{
	struct display display = { .cmd = c };
	struct install_options mine = *o;
	struct timespec start, end;
	double seconds;
	int r;

	mine.progress = show;
	mine.warn = warn;
	mine.detail = detail;
	mine.data = &display;
	clock_gettime(CLOCK_MONOTONIC, &start);
	r = install(p, &mine, ret, &c->diag);
	for (int i = 0; i <= INSTALL_COMPOSE; i++)
		if (display.phase[i] > 0 && r == 0)
			progress_end(cmd_progress(c), display.phase[i] - 1);
	progress_hide(cmd_progress(c));
	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) +
		  (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	if (c->use_json)
		tell_json(c, ret, seconds);
	else
		tell(c, ret, o, seconds);
	return 0;
}

int installing_with_manifest(struct cmd *c, const struct project *p,
	const struct install_options *o, struct str before, struct str after)
{
	struct install_result result = { 0 };
	int r = file_replace(p->fd, MANIFEST_NAME, after.p, after.n, 0644);

	if (r < 0) {
		diag_errno(&c->diag, r, "cannot write " MANIFEST_NAME);
		return diag_where(&c->diag, "%s/" MANIFEST_NAME, p->path);
	}
	r = installing_run(c, p, o, &result);
	if (r < 0 && file_replace(p->fd, MANIFEST_NAME, before.p, before.n, 0644) < 0)
		cmd_warn(c, MANIFEST_NAME " could not be put back as it was");
	install_result_done(&result);
	return r;
}
