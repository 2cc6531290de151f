/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that other commands can find: $CRATONS_HOME/containers/<id>/ holds
 *
 *	metadata.json	the record, replaced whole by a rename; written before anything is started
 *	stdout.log, stderr.log	and .1: bounded, rotated (of those that keep logs)
 *	lock		held (flock) by the supervisor for as long as it lives
 *
 * The record never decides by itself that something runs: it does when the lock is held, and a process
 * is signalled only through a pidfd whose start time is the record's. What a supervisor that was killed
 * left behind (status "running" and nobody holds the lock) the next command reads as "lost" and cleans:
 * cgroup, staging, overlay's throw-away layer.
 */
#ifndef CRATONS_ENGINE_CONTAINER_H
#define CRATONS_ENGINE_CONTAINER_H

#include "base/arena.h"
#include "engine/cgroup/cgroup.h"
#include "engine/door/door.h"
#include "engine/sandbox/sandbox.h"

#define CONTAINER_ID_HEX 12

enum container_status {
	CONTAINER_CREATED,	/* recorded; nothing runs yet */
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_EXITED,
	CONTAINER_LOST,		/* its supervisor or the machine went down while it ran */
};

struct container_spec {
	const char *name;		/* or NULL; unique among those that are there */
	const char *profile;		/* what made it: "container", "run", "shell", "exec", "script" */
	struct sandbox sandbox;		/* complete but for cgroup, door and stdio */
	struct cgroup_limits limits;
	const struct grants *grants;	/* SANDBOX_NET_DOOR */
	const struct door_publish *publish;
	size_t npublish;
	uint64_t log_max;		/* bytes of each log file; 0: 16 MiB */
	unsigned stop_seconds;		/* between SIGTERM and SIGKILL; 0: 10 */
	bool logs;			/* stdout and stderr go to the logs as well */
	bool detach;			/* a supervisor of its own; the call returns when the command runs */
	bool remove;			/* --rm: forgotten when it has ended */
};

struct container_record {
	const char *id, *name, *profile, *root, *cwd, *cgroup, *hostname;
	const char *const *argv;	/* NULL-terminated */
	enum container_status status;
	pid_t supervisor, init;
	uint64_t init_start, supervisor_start;	/* field 22 of /proc/PID/stat: clock ticks since boot */
	const char *boot_id;
	int64_t created_ms, started_ms, ended_ms;	/* since the epoch; 0: not yet */
	int exit_status;		/* to pass on; valid when ended */
	const char *ended_by;		/* NULL, "oom", "pids", "output", "time", "signal" */
	struct cgroup_limits limits;
};

/* Runs it to its end, or with `detach` until its command runs. *ret_id (in the arena) is set as soon as
 * there is a record. Codes as sandbox_run's. */
int container_run(int home_fd, struct arena *a, const struct container_spec *s, const char **ret_id,
	int *ret_status, struct diag *d);

/* All, the newest first. What was lost is cleaned on the way. */
int container_list(int home_fd, struct arena *a, struct container_record **ret, size_t *ret_n,
	struct diag *d);
/* By name, id or an unambiguous start of the id. -ERR_CONTAINER with the candidates. */
int container_find(int home_fd, struct arena *a, const char *which, struct container_record *ret,
	struct diag *d);

int container_signal(int home_fd, const struct container_record *c, int sig, struct diag *d);
/* SIGTERM, then after the seconds SIGKILL to all that is in it; returns when it has ended. */
int container_stop(int home_fd, const struct container_record *c, unsigned seconds, struct diag *d);
int container_pause(int home_fd, const struct container_record *c, bool on, struct diag *d);
int container_wait(int home_fd, struct container_record *c, struct arena *a, struct diag *d);
int container_remove(int home_fd, const struct container_record *c, bool force, struct diag *d);

#endif
