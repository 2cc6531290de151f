/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers that other commands can find: $CRATONS_HOME/containers/<id>/, or <id>.<name>/, holds
 *
 *	metadata.json	the record, replaced whole by a rename; written before anything is started
 *	stdout.log, stderr.log	and .1: bounded, rotated (of those that keep logs)
 *	net.log		what the network door refused, NDJSON
 *	net.counts	what goes through it, grant by grant, while it runs
 *	filters		the seccomp programs, of those that have others than a profile's
 *	lock		held (flock) by the supervisor for as long as it lives
 *
 * The record never decides by itself that something runs: it does when the lock is held, and a process
 * is signalled only through a pidfd whose start time is the record's. What a supervisor that was killed
 * left behind (status "running" and nobody holds the lock) the next command reads as "lost" and cleans:
 * processes, cgroup, what was half made. One that was to be forgotten at its end is forgotten.
 */
#ifndef CRATONS_ENGINE_CONTAINER_H
#define CRATONS_ENGINE_CONTAINER_H

#include "base/arena.h"
#include "engine/cgroup/cgroup.h"
#include "engine/door/door.h"
#include "engine/sandbox/sandbox.h"

#define CONTAINER_ID_HEX   12
#define CONTAINER_NAME_MAX 64
#define CONTAINERS_MAX	   10000
#define CONTAINER_LOG_MAX  ((uint64_t)16 << 20)
#define CONTAINER_STOP_SECONDS 10

enum container_status {
	CONTAINER_CREATED,	/* recorded; its command does not run yet */
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_EXITED,
	CONTAINER_LOST,		/* its supervisor or the machine went down while it ran */
};
const char *container_status_name(enum container_status status);

#define CONTAINER_ANNOTATIONS_MAX   1024
#define CONTAINER_ANNOTATIONS_BYTES ((size_t)256 << 10)

/* What a bundle's container has in its state (runtime-spec, runtime.md); no version: it is of none. */
struct container_oci {
	const char *version, *bundle;
	const struct container_annotation {
		const char *name, *value;
	} *annotations;
	size_t nannotations;
};

struct container_spec {
	const char *name;		/* or NULL; unique among those that are there */
	const char *profile;		/* what made it: "container", "run", "shell", "exec", "script" */
	const char *root;		/* for people: where its files come from */
	const char *package;		/* likewise: whose script it is, or NULL */
	struct sandbox sandbox;		/* complete but for cgroup, door and stdio */
	struct cgroup_limits limits;
	struct container_oci oci;
	const struct grants *grants;	/* SANDBOX_NET_DOOR */
	const struct door_publish *publish;
	size_t npublish;
	/* Called in the supervisor, before anything else is made: for what must live as long as that
	 * does (leases, connections). It completes the sandbox; `done` undoes it at the end, whatever
	 * came of it. Both may be NULL. */
	int (*prepare)(void *data, struct sandbox *s, struct diag *d);
	void (*done)(void *data);
	void *data;
	uint64_t log_max;		/* bytes of each log file; 0: CONTAINER_LOG_MAX */
	unsigned stop_seconds;		/* between SIGTERM and SIGKILL; 0: CONTAINER_STOP_SECONDS */
	bool detach;			/* a supervisor of its own, and logs; the call returns when the command runs */
	bool remove;			/* --rm: forgotten when it has ended */
	bool cgroup;			/* one also without limits, where that is to be had: for pause, stats */
	/* A limit that was left out (best_effort) or that ended it, what the network refused; or NULL. */
	void (*warn)(void *data, const char *text);
	void *warn_data;
	bool keep_env;			/* the record has the environment, for `exec` */
	/* All of how it ended, with the output that was captured, which is the caller's to free; or NULL. Not
	 * with `detach`. */
	struct sandbox_result *result;
};

/* All texts are in the caller's arena. */
/* What went through the network door: a row a grant. */
struct container_traffic {
	const char *grant;
	uint64_t connections, refused, bytes_out, bytes_in;
};

struct container_record {
	const char *place;		/* its directory's name among all; of those that were found */
	const char *id, *name, *profile, *package, *root, *cwd, *hostname;
	const char *cgroup;		/* its path; "" while it is being made; NULL: none */
	const char *net;		/* "none", "host", "grants" */
	const char *const *grants;	/* as written; NULL-terminated, or NULL */
	const char *const *published;	/* likewise: "127.0.0.1:8080:80" */
	const char *const *binds;	/* likewise: "ro:SOURCE:TARGET" */
	struct container_traffic *traffic;	/* so far, or when it has ended */
	size_t ntraffic;
	const char *const *argv;	/* NULL-terminated; what is too long is cut, and ends with "…" */
	enum container_status status;
	pid_t supervisor, init;
	uint64_t init_start, supervisor_start;	/* field 22 of /proc/PID/stat: clock ticks since boot */
	const char *boot_id;
	int64_t created_ms, started_ms, ended_ms;	/* since the epoch; 0: not yet */
	int exit_status;		/* to pass on; valid when ended */
	const char *ended_by;		/* NULL, "oom", "pids", "output", "time", "signal" */
	struct cgroup_limits limits;
	unsigned stop_seconds;
	bool logs, remove;
	struct container_oci oci;

	/* What `exec` makes its walls of. */
	const char *seccomp, *user, *home;
	const char *filters;		/* the digest of its own seccomp programs' file; NULL: the profile's alone */
	const char *tcp_connect, *tcp_listen;	/* struct sandbox's */
	uid_t uid;
	gid_t gid;
	struct sandbox_limits rlimits;
	struct sandbox_rlimit *more;	/* struct sandbox's `rlimits` */
	size_t nmore;
	const char *const *env;		/* NULL: not kept */
};

/* "[a-zA-Z0-9][a-zA-Z0-9_.-]*", at most CONTAINER_NAME_MAX. */
bool container_name_valid(const char *name);

/* Runs it to its end, or with `detach` until its command runs. *ret_id (in the arena) is set as soon as
 * there is a record. Codes as sandbox_run's; of one whose command never ran there is no record left. */
int container_run(int home_fd, struct arena *a, const struct container_spec *s, const char **ret_id,
	int *ret_status, struct diag *d);

/* All, the newest first. What was lost is cleaned on the way. One whose record cannot be believed is
 * told to `bad` (may be NULL) and left out. */
int container_list(int home_fd, struct arena *a, struct container_record **ret, size_t *ret_n,
	void (*bad)(void *data, const char *id, const char *why), void *data, struct diag *d);
/* By name, id or an unambiguous start of the id. -ERR_CONTAINER with the candidates. */
int container_find(int home_fd, struct arena *a, const char *which, struct container_record *ret,
	struct diag *d);

int container_signal(int home_fd, const struct container_record *c, int sig, struct diag *d);
/* SIGTERM, then after the seconds SIGKILL to all that is in it; returns when it has ended. */
int container_stop(int home_fd, const struct container_record *c, unsigned seconds, struct diag *d);
int container_pause(int home_fd, const struct container_record *c, bool on, struct diag *d);
/* Returns when it has ended, with its exit status (137 when that is not known: it was lost). */
int container_wait(int home_fd, const struct container_record *c, int *ret_status, struct diag *d);
int container_remove(int home_fd, const struct container_record *c, bool force, struct diag *d);

/* Forgets one whose record cannot be read, by its whole id. -ENOENT: nothing of that id that nobody looks
 * after is there. */
int container_discard(int home_fd, const char *id, struct diag *d);
/* One more command in it. Codes as sandbox_run's. */
struct container_exec {
	const char *const *argv;
	const char *const *env;		/* added to what the container started with; NULL: nothing */
	const char *cwd;		/* NULL: the container's */
	const struct sandbox_secret *secrets;	/* none of them a file */
	size_t nsecrets;
};
int container_exec(int home_fd, const struct container_record *c, const struct container_exec *e,
	int *ret_status, struct diag *d);
/* -ERR_NO_WALL for one without a cgroup. */
int container_usage(const struct container_record *c, struct cgroup_usage *ret, struct diag *d);

/* Its logs, the older file first, or the last lines of each stream; with `follow` until it has ended. `put` is called
 * with stream 1 or 2; a failure of it ends the call. */
#define CONTAINER_LINES_ALL UINT64_MAX
int container_logs(int home_fd, const struct container_record *c, bool follow, uint64_t lines,
	int (*put)(void *data, int stream, const void *bytes, size_t n), void *data, struct diag *d);

#endif
