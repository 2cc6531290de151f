// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"

#include <stdio.h>
#include <time.h>

#define COMMAND_WIDTH 48

static bool arg_all, arg_only;

const struct opt ps_options[] = {
	OPT_FLAG("all", 'a', &arg_all),
	OPT_FLAG("quiet", 'q', &arg_only),
	OPT_END,
};

static void tell_bad(void *data, const char *id, const char *why)
{
	cmd_warn(data, "%s (%s)", why, id);
}

static bool is_shown(const struct container_record *k)
{
	return arg_all || (k->status != CONTAINER_EXITED && k->status != CONTAINER_LOST);
}

/* "3 min": how long it has been so. */
static const char *ago(struct arena *a, int64_t ms)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "days" }, { 3600, "h" }, { 60, "min" } };
	int64_t s = time(NULL) - ms / 1000;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (s >= 2 * units[i].seconds)
			return arena_fmt(a, "%lld %s", (long long)(s / units[i].seconds), units[i].unit).p;
	return arena_fmt(a, "%lld s", (long long)MAX(s, 0)).p;
}

static const char *state(struct arena *a, const struct container_record *k)
{
	const char *name = container_status_name(k->status);

	if (k->status != CONTAINER_EXITED)
		return name;
	/* A signal is in the status already. */
	if (!k->ended_by || strcmp(k->ended_by, "signal") == 0)
		return arena_fmt(a, "exited %d", k->exit_status).p;
	return arena_fmt(a, "exited (%s)", k->ended_by).p;
}

static void print_row(struct cmd *c, struct arena *a, const struct container_record *k)
{
	const char *style = k->status == CONTAINER_RUNNING ? STYLE_GREEN :
		k->status == CONTAINER_PAUSED ? STYLE_YELLOW : STYLE_DIM;

	cmd_print(c, STYLE_BOLD "%s" STYLE_END "  %-16s  %-9s  %s%-14s" STYLE_END "  %-7s  %s\n", k->id,
		k->name ? k->name : k->package ? container_plain(a, k->package) : "-", k->profile, style,
		state(a, k), ago(a, k->created_ms),
		container_command_line(a, k, COMMAND_WIDTH));
}

int cmd_ps(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record *list;
	int home = cmd_home(c), r;
	size_t n;

	if (home < 0)
		return home;
	r = container_list(home, &a, &list, &n, tell_bad, c, &c->diag);
	if (r < 0)
		return r;
	if (c->use_json)
		json_out_open(&c->json, '[');
	else if (!arg_only)
		cmd_print(c, STYLE_DIM "%-12s  %-16s  %-9s  %-14s  %-7s  %s" STYLE_END "\n", "ID", "NAME",
			"PROFILE", "STATUS", "AGE", "COMMAND");
	for (size_t i = 0; i < n; i++) {
		if (!is_shown(&list[i]))
			continue;
		if (c->use_json)
			container_json(c, &list[i]);
		else if (arg_only)
			cmd_print(c, "%s\n", container_shown(&list[i]));
		else
			print_row(c, &a, &list[i]);
	}
	if (c->use_json)
		json_out_close(&c->json, ']');
	return 0;
}
