// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs below `container`: each has its options and its function in cmd/container_<verb>.c, and all
 * share one page. ps and logs are verbs by themselves too. */
#include "container.h"
#include "prim/embed.h"
#include "prim/err.h"

EMBED(userspace_man_cratons_container_1);

const struct opt container_options[] = {
	OPT_ACTION("run|exec|ps|logs|stats|inspect|kill|stop|pause|resume|wait|rm|explain"),
	OPT_ARGS("ARGUMENT", 0, OPT_ANY_NUMBER),
	OPT_END,
};

#define BELOW(name, flags, summary, options, run)                                                  \
	{ "container " name, GROUP_CONTAINER, flags, summary, options, run,                        \
		EMBED_userspace_man_cratons_container_1, container_foreign }

const struct command container_verbs[] = {
	BELOW("run", CMD_JSON | CMD_PASS, "run a command in a container", container_run_options,
		cmd_container_run),
	BELOW("exec", CMD_PASS, "run one more command in a container", container_exec_options,
		cmd_container_exec),
	BELOW("ps", CMD_JSON, "list containers", ps_options, cmd_ps),
	BELOW("logs", 0, "show what a container wrote", logs_options, cmd_logs),
	BELOW("stats", CMD_JSON, "show what containers use", container_stats_options, cmd_container_stats),
	BELOW("inspect", CMD_JSON, "show all that is known of containers", container_inspect_options,
		cmd_container_inspect),
	BELOW("kill", 0, "send a signal to containers", container_kill_options, cmd_container_kill),
	BELOW("stop", 0, "end containers", container_stop_options, cmd_container_stop),
	BELOW("pause", 0, "halt all processes of containers", container_pause_options, cmd_container_pause),
	BELOW("resume", 0, "let paused containers go on", container_pause_options, cmd_container_resume),
	BELOW("wait", CMD_JSON, "wait until containers have ended", container_wait_options,
		cmd_container_wait),
	BELOW("rm", 0, "forget containers", container_rm_options, cmd_container_rm),
	BELOW("explain", CMD_JSON, "show what a seccomp profile allows and refuses",
		container_explain_options, cmd_container_explain),
	{ 0 },
};

/* Only without a verb below it, which the table of options does not let pass. */
int cmd_container(struct cmd *c)
{
	return diag_fail(&c->diag, -ERR_USAGE, "an action is missing");
}
