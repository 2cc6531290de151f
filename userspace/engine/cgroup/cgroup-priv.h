/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names below the place that was found, all of them ours:
 *
 *	<place>/cratons/<id>		a container; its limits
 *	<place>/cratons-supervisor	where this process goes when the place is its own cgroup, because
 *					a cgroup that gives controllers to its children may have no
 *					processes ("no internal processes"; the root is exempt)
 */
#ifndef CRATONS_ENGINE_CGROUP_PRIV_H
#define CRATONS_ENGINE_CGROUP_PRIV_H

#include "base/fd.h"
#include "engine/cgroup/cgroup.h"

#define CGROUP_OURS	  "cratons"
#define CGROUP_SUPERVISOR "cratons-supervisor"
#define CGROUP_FILE_MAX	  ((size_t)1 << 20)	/* cgroup.procs of a whole machine fits */

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_IO, CGROUP_CONTROLLERS };
#define CGROUP_BIT(c) (1U << (c))
#define CGROUP_ALL    (CGROUP_BIT(CGROUP_CONTROLLERS) - 1)

extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS];

/* What finding a place looks at; the tests have trees of their own. */
struct cgroup_view {
	const char *proc;		/* "/proc" */
	const char *const *mounts;	/* where v2 may be mounted; ends with NULL */
	uid_t uid;
	pid_t pid;
};
extern const struct cgroup_view cgroup_host;

struct cgroup_place {
	struct buf path;
	unsigned has;		/* controllers that are there */
	unsigned gives;		/* of them, those that a child can have */
	unsigned others;	/* processes in it that are neither this one nor its kin */
	bool self;		/* this process is in it */
	bool root;		/* of the whole hierarchy: it may have processes */
};
#define CGROUP_PLACE_INIT { 0 }

/* The nearest place that gives all of `wanted`, else the one that gives the most of it. -ENOENT when
 * there is no v2 hierarchy, -EACCES when no place may be written. */
int cgroup_place_find(const struct cgroup_view *w, unsigned wanted, struct cgroup_place *ret);
void cgroup_place_done(struct cgroup_place *p);
#define _cleanup_place_ _cleanup_(cgroup_place_done)

/* Moves this program's other processes and its helpers' from one cgroup to another. */
int cgroup_move_kin(const struct cgroup_view *w, const char *from, const char *to);

/* The controllers that the hierarchy has at its root, whoever may use them. */
unsigned cgroup_host_has(const struct cgroup_view *w);
/* The controllers named in a file like cgroup.controllers; 0 when it cannot be read. */
unsigned cgroup_read_mask(int dirfd, const char *path);
/* Why there is no such controller at a place (NULL: no place at all), and the remedy; texts that stay
 * or are in the buffers. */
int cgroup_lacks(const struct cgroup_view *w, const struct cgroup_place *p, enum cgroup_controller c,
	struct buf *why, struct buf *fix);

/* One of the numbers in a file of lines "key value"; UINT64_MAX when there is none. */
uint64_t cgroup_field(const char *text, const char *key);
/* The sum of "key=value" over all lines: io.stat. */
uint64_t cgroup_sum(const char *text, const char *key);

struct cgroup {
	int fd;				/* of the directory */
	int memory_events, pids_events;
	struct buf path;
	struct buf moved;		/* the place that this process left for its supervisor cgroup */
};

/* Needed controllers of what is asked for. */
unsigned cgroup_limits_need(const struct cgroup_limits *l);
/* Writes those limits whose controller is in `given`. */
int cgroup_limits_set(int dirfd, const struct cgroup_limits *l, unsigned given,
	void (*warn)(void *data, const char *text), void *data, struct diag *d);
int cgroup_write(int dirfd, const char *file, const char *text);

/* Moves this process into a scope of its own that its user's systemd makes and delegates. */
int cgroup_scope_enter(const char *id, struct diag *d);
/* 0 when the user's systemd answers; `ret_cgroup` is the cgroup of the manager, in the buffer. */
int cgroup_scope_probe(struct buf *ret_cgroup, struct diag *d);

#endif
