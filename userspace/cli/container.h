/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of containers share. */
#ifndef CRATONS_CLI_CONTAINER_H
#define CRATONS_CLI_CONTAINER_H

#include "commands.h"
#include "engine/container/container.h"

/* The verbs below `container`. */
extern const struct command container_verbs[];

/* Options that other tools for containers have: one table for all verbs. */
extern const struct opt_foreign container_foreign[];

/* The container that an argument names. */
int container_named(struct cmd *c, struct arena *a, const char *which, struct container_record *ret);

/* Its name, or its id. */
const char *container_shown(const struct container_record *k);

/* A text of the record that can drive no terminal, in the arena. */
const char *container_plain(struct arena *a, const char *text);

/* The command in one line that can drive no terminal and feign no second line; at most `width` bytes
 * (0: all), in the arena. */
const char *container_command_line(struct arena *a, const struct container_record *k, size_t width);

/* What a verb returns whose command had a container: its status; where it could not be executed, 127 or
 * 126 as shells have them, told here. */
int container_outcome(struct cmd *c, int r, int status);

/* All of a record as an object of c->json. */
void container_json(struct cmd *c, const struct container_record *k);

/* Its "traffic", for an object of c->json. */
void container_traffic_json(struct cmd *c, const struct container_record *k);

int cmd_container_run(struct cmd *c);
int cmd_container_exec(struct cmd *c);
int cmd_container_stats(struct cmd *c);
int cmd_container_pause(struct cmd *c);
int cmd_container_resume(struct cmd *c);
int cmd_container_kill(struct cmd *c);
int cmd_container_stop(struct cmd *c);
int cmd_container_rm(struct cmd *c);
int cmd_container_wait(struct cmd *c);
int cmd_container_inspect(struct cmd *c);
int cmd_container_explain(struct cmd *c);

extern const struct opt container_run_options[], container_kill_options[], container_stop_options[],
	container_rm_options[], container_wait_options[], container_inspect_options[],
	container_exec_options[], container_stats_options[], container_pause_options[],
	container_explain_options[];

#endif
