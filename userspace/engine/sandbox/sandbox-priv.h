/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a container is made. The caller's side works out everything that needs memory (struct plan:
 * paths, file contents, the filter programs); then a child is cloned into the new namespaces and
 * only makes system calls. It may be the child of a process with threads, so it must not touch
 * malloc, stdio or locks.
 *
 * Each wall is a struct step: flags for clone, a prepare() on the caller's side, an enter() on the
 * child's. The child reports the first step that fails; there is nothing to undo, it is gone.
 */
#ifndef CRATONS_ENGINE_SANDBOX_PRIV_H
#define CRATONS_ENGINE_SANDBOX_PRIV_H

#include "base/fd.h"
#include "base/inet.h"
#include "base/mask.h"
#include "cratons/wire/init.h"
#include "engine/sandbox/sandbox.h"
#include "engine/sandbox/seccomp.h"
#include "prim/vec.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>

/* Which of the caller's descriptors 0 to 2 are terminals, and how the container's is run. */
struct terminal {
	bool wanted;		/* at least one is */
	bool is[3];
	bool lazy;		/* the caller's is left alone until the command reads from its own */
	struct termios settings;
	struct winsize size;
};

#define PORT_RANGES_MAX 64

struct plan {
	const struct sandbox *s;
	struct sandbox with_secrets;	/* what s is then: secrets.c */
	struct mask *mask;		/* of the secrets, or NULL */
	struct arena arena;
	uint64_t namespaces;		/* CLONE_NEW… of all steps */
	uint64_t joined;		/* namespaces that are entered instead: of the process s->join */
	bool trying;			/* doctor: each step is reported, none ends it, nothing is run */
	bool of_root;			/* the caller is the host's root, to whom files are shown by mode */
	bool staged;			/* a process between the caller and the builder is needed */
	VEC(struct sandbox_bind) binds;	/* the base first, then the caller's */
	char uid_map[48], gid_map[48];
	char watchers[24], watches[24];	/* how many of inotify's; "": the kernel has none */
	char tmpfs_size[24], tmpfs_inodes[24];
	struct ports {
		bool limited;
		struct inet_ports ranges[PORT_RANGES_MAX];
		size_t n;
	} connect, listen;
	const char *upper, *work;	/* of the root, where its layer is kept */
	const char *hostname;
	struct terminal terminal;
	struct sock_fprog filters[SECCOMP_PROGRAMS];	/* borrowed code */
	char **init_argv;

	/* Descriptors of the caller's side that the child uses. */
	int init_fd;
	int control[2];			/* [0] the supervisor's end */
	int stdio[3];			/* -1: the caller's own */
	int output;			/* capture: the end to read */
	int streams[2];			/* the ends to read of stdout and stderr; -1: not ours */
	int signals;			/* a signalfd of what is passed on */

	/* The child's side. */
	const char *at;			/* what a step is working on: goes into the report */
	int host;			/* a copy of "/" as the host has it, where that is bound; or -1 */
	int root;			/* the new root's mount */
	int layer;			/* a tmpfs beside it, where the root is not one; or -1 */
	int dev;			/* /dev, while it is filled */
	unsigned made;			/* names used on the layer */
	int slave;			/* the container's terminal */
};

/* Which containers a step is for: one that is made, a further command of one that runs, or both. */
enum step_for { STEP_NEW, STEP_JOIN, STEP_EACH };

struct step {
	const char *wall;
	uint64_t namespace;
	int (*prepare)(struct plan *p, struct diag *d);
	int (*enter)(struct plan *p);	/* 0 or -errno */
	enum step_for whose;
};

/* In the order they are entered; a NULL wall ends the table. */
extern const struct step sandbox_steps[];

static inline bool step_applies(const struct step *s, const struct plan *p)
{
	return s->whose == STEP_EACH || (s->whose == STEP_JOIN) == p->s->joins;
}

int plan_make(struct plan *p, const struct sandbox *s, struct diag *d);
void plan_done(struct plan *p);
int plan_bind(struct plan *p, struct sandbox_bind bind);

/* secrets.c: adds them to the environment, and makes what is written pass this process. */
int secrets_apply(struct plan *p, struct diag *d);
int secrets_bind(struct plan *p);
/* Standard input, where it could be written, for reading only. */
int secrets_stdin(struct plan *p, struct diag *d);

/* Clones the builder. The pid is this process's child, whoever cloned it. */
int sandbox_launch(struct plan *p, pid_t *ret_pid, struct diag *d);
/* Turns the report of a step into a diagnostic; returns its code. */
int sandbox_refused(const struct init_frame *f, struct diag *d);
/* Looks after a container until it has ended. Owns pid and reaps it. */
int sandbox_supervise(struct plan *p, pid_t pid, struct sandbox_result *ret, struct diag *d);

/* share.c: lowers this process's soft limits to a container's share of its user's, for the moment in which
 * the user namespace is made; and back. System calls only. */
#define SHARED_LIMITS 4
struct share {
	struct rlimit limits[SHARED_LIMITS];
};
int share_lower(struct share *ret_was);
void share_restore(const struct share *was);

/* What was read from one descriptor and not yet taken by another. */
#define COPY_SIZE 65536
struct copy {
	char *at;		/* what is left, in `data` or in `masked` */
	size_t left;
	struct mask_stream mask;	/* all zero: it passes as it is */
	struct buf masked;
	char *data;		/* COPY_SIZE bytes, from the first read on */
};
static inline bool copy_empty(const struct copy *c)
{
	return c->left == 0;
}
/* What there is: 1; 0: nothing now; -1: nothing any more. */
int copy_read(struct copy *c, int fd);
/* As much as is taken now, or all of it; false when nothing will be any more. */
bool copy_write(struct copy *c, int fd);
bool copy_flush(struct copy *c, int fd);
/* Replaces what was read by what of it may be shown now; _idle when nothing came for a while, _end when
 * nothing more will. */
void copy_mask(struct copy *c);
void copy_mask_idle(struct copy *c);
void copy_mask_end(struct copy *c);
void copy_done(struct copy *c);

/* Puts the caller's terminal into raw mode, and back as it was. */
void terminal_raw(const struct terminal *t);
void terminal_restore(const struct terminal *t);
bool terminal_is_ours(const struct terminal *t);

/* place.c: a place of the host's; no_links as in struct sandbox_bind. */
int open_source(const char *path, bool no_links);
/* place.c: opens what `path` names below `root`, following no link out of it. */
int open_inside(int root, const char *path, uint64_t flags);
/* place.c: makes it the working directory, following no link out of `root`. */
int enter_directory(int root, const char *path);
/* place.c: opens the place that `target` names below the new root, making it if need be. */
int place_open(struct plan *p, const char *target, bool dir);
/* place.c: makes the directories above `path`. */
int make_parents(const struct plan *p, const char *path);
/* place.c: an empty directory on the layer; its descriptor. */
int layer_dir_new(struct plan *p);
/* place.c: an empty directory on the container's tmpfs that becomes a mount at `target`; its descriptor. */
int scratch_at(struct plan *p, const char *target, mode_t mode, uint64_t attributes);
/* place.c: a detached copy of the mount at `source` with the attributes set, all below it too. */
int mount_copy(const char *source, uint64_t attributes, bool no_links);
/* place.c: attaches to what an open place is; passes a negative place on. */
int mount_onto(int mount, int place);
int mount_attach(struct plan *p, int mount, const char *target, bool dir);
/* place.c: covers what is at `target` with a read-only file of this text; there is a layer. */
int file_at(struct plan *p, const char *target, const char *text, mode_t mode);
/* place.c: an overlay, not attached. The layers are descriptors; `above`, which lies on `lower`, may be -1. */
int overlay_make(int lower, int above, int upper, int work);
/* skeleton.c: a directory on the layer with the places to mount on that a foreign root lacks; *ret is -1,
 * also after a failure, when it lacks none. */
int skeleton_make(struct plan *p, int root, int *ret);

/* step_user.c: in the host's /proc. */
int out_of_memory_score(struct plan *p);
/* The namespaces in which a process is and this one is not. */
uint64_t join_namespaces(pid_t pid);

int base_prepare(struct plan *p, struct diag *d);
int etc_prepare(struct plan *p, struct diag *d);
int root_prepare(struct plan *p, struct diag *d);
int user_prepare(struct plan *p, struct diag *d);
int uts_prepare(struct plan *p, struct diag *d);
int landlock_prepare(struct plan *p, struct diag *d);
int seccomp_prepare(struct plan *p, struct diag *d);

int user_enter(struct plan *p);
int uts_enter(struct plan *p);
int net_prepare(struct plan *p, struct diag *d);
int net_enter(struct plan *p);
int time_enter(struct plan *p);
/* step_door.c: from the namespace that becomes the door's, into one of the container's own. */
int door_enter(struct plan *p);
int root_enter(struct plan *p);
int dev_enter(struct plan *p);
int proc_enter(struct plan *p);
int binds_enter(struct plan *p);
int join_enter(struct plan *p);
int terminal_enter(struct plan *p);
int pivot_enter(struct plan *p);
int limits_enter(struct plan *p);
int session_enter(struct plan *p);
int caps_enter(struct plan *p);
int landlock_enter(struct plan *p);
int seccomp_enter(struct plan *p);

#endif
