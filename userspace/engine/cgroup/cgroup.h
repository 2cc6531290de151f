/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all of a container may use together: one directory of cgroup v2 each, named by the container's id.
 * It is made in the nearest place that this process may use: as root below the root cgroup (v2's mount
 * of a hybrid host too), otherwise in the caller's own cgroup or the nearest above it that is delegated,
 * otherwise in a scope that the user's systemd makes (org.freedesktop.systemd1, StartTransientUnit).
 * In a delegated place this process itself may have to move, as one that gives controllers to its
 * children may hold no processes: into cratons-supervisor beside the containers, with other processes of
 * Cratons that are there, or into the scope. A place where strangers run is none.
 * So it is the process that starts the container (the supervisor) that makes its cgroup.
 *
 * A limit that the host cannot give is -ERR_NO_WALL with what is missing (controller, delegation) and
 * what to do, unless best_effort, when it is told and left out.
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef CRATONS_ENGINE_CGROUP_H
#define CRATONS_ENGINE_CGROUP_H

#include "base/arena.h"
#include "prim/diag.h"

#define CGROUP_UNLIMITED UINT64_MAX

struct cgroup_limits {
	uint64_t memory;	/* bytes; 0: not asked for, as in all of these */
	uint64_t swap;		/* bytes beside memory's; with a memory limit and 0 here there is no swap */
	uint64_t pids;
	uint64_t cpu_micros;	/* processor time a second: 1500000 is one processor and a half */
	uint64_t cpu_weight;	/* 1 to 10000 */
	uint64_t io_weight;	/* 1 to 10000 */
	bool best_effort;
};

struct cgroup_usage {
	uint64_t memory, memory_peak, swap, pids;	/* UINT64_MAX: the host does not count it */
	uint64_t cpu_micros, user_micros, system_micros;
	uint64_t read_bytes, written_bytes;
	uint64_t oom_kills, pids_refused;
};

struct cgroup;

/* Makes the container's. `warn` is called with each limit that was left out (best_effort); may be NULL.
 * -EEXIST when there is one of that id; -EINVAL for an id that is no name of letters, digits, - and _.
 * Without limits the user's systemd is not asked (it takes milliseconds). Where there is no place at
 * all, *ret is NULL if best_effort; functions that take a handle take that. */
int cgroup_make(struct cgroup **ret, const char *id, const struct cgroup_limits *l,
	void (*warn)(void *data, const char *text), void *data, struct diag *d);
/* One that another process made, by cgroup_path. -ENOENT when it is gone; -EINVAL for a path that
 * cgroup_make cannot have given. */
int cgroup_open(struct cgroup **ret, const char *path, struct diag *d);
/* One whose maker may have been killed before it could write its path down: it is looked for where
 * cgroup_make makes them. -ENOENT. */
int cgroup_find(struct cgroup **ret, const char *id, struct diag *d);
/* Before this process starts something in a cgroup that another one made: where that is in a scope of
 * the user's systemd, this process has to move into the scope too. */
int cgroup_reach(const struct cgroup *g, struct diag *d);
void cgroup_free(struct cgroup *g);	/* the handle: the directory stays */
DEFINE_CLEANUP(struct cgroup *, cgroup_free);

/* A borrowed directory descriptor, for CLONE_INTO_CGROUP. */
int cgroup_fd(const struct cgroup *g);
const char *cgroup_path(const struct cgroup *g);

/* Borrowed descriptors that have POLLPRI when something was refused; -1: not counted here. */
int cgroup_memory_events(const struct cgroup *g);
int cgroup_pids_events(const struct cgroup *g);
/* "oom" or "pids" once the kernel has refused memory by killing, or a process; else NULL. To be called
 * after each POLLPRI, which it ends, and once more when the container has ended: the kernel may have
 * killed all of it before the event was heard. */
const char *cgroup_reason(struct cgroup *g);

int cgroup_usage(struct cgroup *g, struct cgroup_usage *ret);
int cgroup_kill(struct cgroup *g);		/* all that is in it; does not wait */
/* Returns when the kernel says that it is so; -ETIMEDOUT (and thawed) after 10 s. */
int cgroup_freeze(struct cgroup *g, bool on);
int cgroup_frozen(struct cgroup *g, bool *ret);
/* Waits until it is empty (30 s), then removes it with what was made below, and the parents that are
 * ours when they are empty; this process goes back to where it was moved from. The handle stays. */
int cgroup_remove(struct cgroup *g);

/* doctor: where cgroups would be made, and which of memory, pids, cpu, io it gives (a text for people in
 * the arena); `fix` is NULL when nothing is missing. */
int cgroup_describe(struct arena *a, const char **ret_text, const char **ret_fix);

/* "512M", "1.5G", "2KiB", plain bytes: binary multiples. -EINVAL. */
int cgroup_parse_size(const char *text, uint64_t *ret);

#endif
