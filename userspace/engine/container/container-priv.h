/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a container's life on disk. Below $CRATONS_HOME/containers:
 *
 *	lock		shared by whoever is making a container, exclusive for taking a name and for
 *			removing what a killed maker left
 *	.new-<id>	being made; it becomes <id> by a rename, complete with its record and held lock.
 *			One that is to leave nothing behind is it until its command runs, and gets its
 *			record then: until there is more of it than this, there is nothing to be cleaned
 *	<id>		or <id>.<name>
 *
 * A directory without a record is garbage: removing a container begins with its record.
 */
#ifndef CRATONS_ENGINE_CONTAINER_PRIV_H
#define CRATONS_ENGINE_CONTAINER_PRIV_H

#include "base/fault.h"
#include "base/fd.h"
#include "engine/container/container.h"

#define CONTAINERS_DIR "containers"
#define RECORD	       "metadata.json"
#define LOCK	       "lock"
#define STAGING	       ".new-"
#define PLACE_SIZE     (CONTAINER_ID_HEX + 1 + CONTAINER_NAME_MAX + 1)

/* One that this process looks after. */
struct supervised {
	int all, dir, lock;
	char place[PLACE_SIZE];		/* in `all` */
	bool staged;
	struct arena arena;
	struct container_record rec;
	const struct container_spec *spec;
};

/* proc.c */
int process_start(pid_t pid, uint64_t *ret);
/* A pidfd of that very process: -ESRCH when it has ended, whoever has its number now. */
int process_open(pid_t pid, uint64_t start);
int process_boot_id(char ret[37]);
/* Milliseconds of the clock: since the epoch, or monotonic. */
int64_t clock_ms(clockid_t clock);

/* find.c */
bool container_id_valid(struct str id);
/* What its directory is called; `name` may be NULL. */
void container_place(char ret[PLACE_SIZE], const char *id, const char *name);
/* False for what is no container's directory; *ret_name NULL: it has none. Both are parts of the place. */
bool container_place_parse(const char *place, struct str *ret_id, const char **ret_name);
/* Valid, and free: to be asked under the exclusive lock. */
int container_check_name(int all, const char *name, struct diag *d);

/* record.c */
/* -ERR_CONTAINER with the field that is wrong. `id` is what the directory is called. */
int record_parse(struct arena *a, struct str text, const char *id, struct container_record *ret,
	struct diag *d);
int record_print(struct buf *to, const struct container_record *c);
int record_write(int dir, const struct container_record *c);
/* Where nobody sees it yet: without the care that readers need. */
int record_write_staged(int dir, const struct container_record *c);
/* A file of ours in a container's directory: -ELOOP and the like for what is no plain file. */
int own_file_read(int dir, const char *name, struct buf *ret, size_t max);
/* -ENOENT: there is none. The record is of this place. */
int record_read(int dir, struct arena *a, const char *place, struct container_record *ret, struct diag *d);

/* state.c */
int containers_open(int home_fd, struct diag *d);
int containers_lock(int all, int how);	/* a descriptor that holds it; LOCK_SH, LOCK_EX, LOCK_NB */
/* Whether a supervisor lives. */
bool container_is_held(int dir);
int container_open_dir(int all, const char *place);
/* What is known of it, when what was lost has been buried. -ENOENT: it is not there, or no longer. */
int container_look(int all, const char *place, struct arena *a, struct container_record *ret, struct diag *d);
/* c->rec, of what its specification says; in c->arena where the specification does not have it. */
int container_describe(struct supervised *c, const struct container_spec *s);
/* Makes the directory with the lock and the record; `late`: container_save makes the record. */
int container_create(struct supervised *c, int home_fd, bool late, struct diag *d);
/* Writes the record as it is now, and lets others see it. */
int container_save(struct supervised *c);
void container_done(struct supervised *c);	/* lets go of the lock */
DEFINE_CLEANUP(struct supervised *, container_done);
/* Forgets it: `all` is the directory of all. */
int container_forget(int all, const char *place);
/* Ends what its supervisor left, cleans, and writes that down. */
int container_bury(int all, int dir, struct container_record *c);

/* filters.c: writes those that are not a profile's and sets the record's `filters`; and puts them into a
 * sandbox for a further command. */
int filters_save(struct supervised *c);
int filters_load(int home_fd, struct arena *a, const struct container_record *c, struct sandbox *s,
	struct diag *d);

/* signal.c: a pidfd of the pid 1 of one that runs. */
int container_open_init(const struct container_record *c, struct diag *d);

/* logs.c */
struct log_file {
	int dir, fd;
	const char *name;
	uint64_t size, max;
};
void log_append(struct log_file *l, const void *bytes, size_t n);

/* traffic.c: what went through the door, into the record: as counted, or from the file while it runs. */
#define TRAFFIC "net.counts"
void traffic_set(struct container_record *c, struct arena *a, const struct door_count *counts, size_t n);
void traffic_read(int dir, struct arena *a, struct container_record *c);

/* refusals.c: what the network refused, by the spec's `warn`; called when the door is closed. */
void refusals_tell(int dir, const struct container_spec *s);

/* detach.c: what to do in a process that is nobody's child and has no terminal; it does not return there.
 * In the caller it returns when `ready` was told. */
struct detached;
int detach_run(struct supervised *c, int *ret_status, struct diag *d);
void detach_warn(struct detached *t, const char *text);
void detach_tell(struct detached *t, int code, const struct diag *d);

/* run.c */
int container_supervise(struct supervised *c, struct detached *t, int *ret_status, struct diag *d);

#endif
