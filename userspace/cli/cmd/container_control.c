// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs that do one thing to each container that they are given: kill, stop, pause, resume, wait,
 * rm, inspect. */
#include "container.h"
#include "prim/err.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define SECONDS_MAX 86400

static const char *arg_signal = "KILL";
static uint64_t arg_time = UINT64_MAX;
static bool arg_force, arg_ended;

const struct opt container_kill_options[] = {
	OPT_TEXT("signal", 's', "SIGNAL", &arg_signal),
	OPT_ARGS("CONTAINER", 1, OPT_ANY_NUMBER),
	OPT_END,
};
const struct opt container_stop_options[] = {
	OPT_NUMBER("time", 't', "SECONDS", 0, SECONDS_MAX, &arg_time),
	OPT_ARGS("CONTAINER", 1, OPT_ANY_NUMBER),
	OPT_END,
};
const struct opt container_pause_options[] = {
	OPT_ARGS("CONTAINER", 1, OPT_ANY_NUMBER),
	OPT_END,
};
const struct opt container_wait_options[] = {
	OPT_ARGS("CONTAINER", 1, OPT_ANY_NUMBER),
	OPT_END,
};
const struct opt container_rm_options[] = {
	OPT_FLAG("force", 'f', &arg_force),
	OPT_FLAG("ended", 0, &arg_ended),
	OPT_ARGS("CONTAINER", 0, OPT_ANY_NUMBER),
	OPT_END,
};
const struct opt container_inspect_options[] = {
	OPT_ARGS("CONTAINER", 1, OPT_ANY_NUMBER),
	OPT_END,
};

/* Does it to each; the first failure is told when the others have had their turn. */
static int each(struct cmd *c, int (*act)(struct cmd *c, int home, const struct container_record *k))
{
	_cleanup_diag_ struct diag first = DIAG_INIT;
	int status = 0;

	for (int i = 0; i < c->argc; i++) {
		_cleanup_arena_ struct arena a = ARENA_INIT;
		struct container_record k;
		int r = container_named(c, &a, c->argv[i], &k);

		if (r == 0)
			r = act(c, cmd_home(c), &k);
		else if (arg_force && container_discard(cmd_home(c), c->argv[i], NULL) == 0)
			r = 0;
		if (r < 0 && first.code == 0)
			diag_copy(&first, &c->diag);
		else if (r < 0)
			cmd_warn(c, "%s", buf_text(&c->diag.what));
		diag_reset(&c->diag);
		status = r > 0 ? r : status;
	}
	return first.code ? diag_copy(&c->diag, &first) : status;
}

static int parse_signal(struct cmd *c, int *ret)
{
	const char *name = strncasecmp(arg_signal, "SIG", 3) == 0 ? arg_signal + 3 : arg_signal;
	uint64_t number;

	if (str_u64(str_from(name), &number) == 0 && number > 0 && number <= (uint64_t)SIGRTMAX) {
		*ret = (int)number;
		return 0;
	}
	for (int i = 1; i < SIGRTMIN; i++)
		if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0) {
			*ret = i;
			return 0;
		}
	diag_fail(&c->diag, -ERR_USAGE, "'%s' is no signal", arg_signal);
	return diag_hint(&c->diag, "TERM, HUP, USR1, KILL or a number");
}

static int kill_one(struct cmd *c, int home, const struct container_record *k)
{
	int sig = 0, r = parse_signal(c, &sig);

	return r < 0 ? r : container_signal(home, k, sig, &c->diag);
}

int cmd_container_kill(struct cmd *c)
{
	return each(c, kill_one);
}

static int stop_one(struct cmd *c, int home, const struct container_record *k)
{
	unsigned seconds = arg_time == UINT64_MAX ? k->stop_seconds : (unsigned)arg_time;

	return container_stop(home, k, seconds, &c->diag);
}

int cmd_container_stop(struct cmd *c)
{
	return each(c, stop_one);
}

static int pause_one(struct cmd *c, int home, const struct container_record *k)
{
	return container_pause(home, k, true, &c->diag);
}

int cmd_container_pause(struct cmd *c)
{
	return each(c, pause_one);
}

static int resume_one(struct cmd *c, int home, const struct container_record *k)
{
	return container_pause(home, k, false, &c->diag);
}

int cmd_container_resume(struct cmd *c)
{
	return each(c, resume_one);
}

static int wait_one(struct cmd *c, int home, const struct container_record *k)
{
	int status, r = container_wait(home, k, &status, &c->diag);

	if (r < 0)
		return r;
	if (!c->use_json) {
		cmd_print(c, "%d\n", status);
		return 0;
	}
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_text(&c->json, k->id);
	json_out_key(&c->json, "exit_status");
	json_out_int(&c->json, status);
	json_out_close(&c->json, '}');
	return 0;
}

int cmd_container_wait(struct cmd *c)
{
	int r;

	if (c->use_json)
		json_out_open(&c->json, '[');
	r = each(c, wait_one);
	if (c->use_json)
		json_out_close(&c->json, ']');
	return r;
}

static int remove_one(struct cmd *c, int home, const struct container_record *k)
{
	return container_remove(home, k, arg_force, &c->diag);
}

static int remove_ended(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record *list;
	int home = cmd_home(c), r;
	size_t n;

	if (home < 0)
		return home;
	r = container_list(home, &a, &list, &n, NULL, NULL, &c->diag);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (list[i].status == CONTAINER_EXITED || list[i].status == CONTAINER_LOST)
			r = container_remove(home, &list[i], false, &c->diag);
	return r;
}

int cmd_container_rm(struct cmd *c)
{
	if (arg_ended && c->argc == 0)
		return remove_ended(c);
	if (c->argc == 0 || arg_ended)
		return diag_fail(&c->diag, -ERR_USAGE, "either containers or --ended are to be named");
	return each(c, remove_one);
}

static int inspect_one(struct cmd *c, int home, const struct container_record *k)
{
	container_json(c, k);
	return 0;
}

/* JSON in any case: there is no better table of so much. */
int cmd_container_inspect(struct cmd *c)
{
	bool asked = c->use_json;
	int r;

	if (!asked)
		json_out_start(&c->json, &c->json_text, true);
	json_out_open(&c->json, '[');
	r = each(c, inspect_one);
	json_out_close(&c->json, ']');
	return r;
}
