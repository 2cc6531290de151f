/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: descriptors, timers, file writes and messages from other threads, on io_uring
 * where the host allows it and on plain system calls (epoll, write) where not. One thread runs a
 * loop; only loop_post may be called from others. Callbacks run on the loop's thread.
 */
#ifndef CRATONS_BASE_LOOP_H
#define CRATONS_BASE_LOOP_H

#include "prim/diag.h"

#include <sys/types.h>

enum loop_backend { LOOP_ANY, LOOP_URING, LOOP_PLAIN };

struct loop;
typedef void (*loop_fn)(void *data);
typedef void (*loop_fd_fn)(void *data, int fd, unsigned events);	/* POLLIN | POLLOUT | … */
typedef void (*loop_write_fn)(void *data, int result);	/* 0 or -errno */

/* LOOP_ANY prefers io_uring; LOOP_URING fails with -ENOSYS or -EPERM where it is refused. */
int loop_new(struct loop **ret, enum loop_backend want, struct diag *d);
void loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop *, loop_free);
enum loop_backend loop_backend(const struct loop *l);

/* Level-triggered watch of a descriptor; events 0 ends it. One watch a descriptor. */
int loop_watch(struct loop *l, int fd, unsigned events, loop_fd_fn fn, void *data);

/* One-shot timers; `ms` from now. loop_timer_cancel of one that fired does nothing. */
uint64_t loop_timer(struct loop *l, uint64_t ms, loop_fn fn, void *data);
void loop_timer_cancel(struct loop *l, uint64_t timer);

/*
 * Writes a whole new file: creates dirfd/temporary (O_EXCL), writes, closes, renames to
 * dirfd/name; fn gets the result of the first step that failed, after the temporary was removed.
 * The bytes are borrowed until fn is called. With `sync`, fdatasync before the rename.
 */
int loop_write_file(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data);

/* From any thread: fn runs on the loop's thread. */
int loop_post(struct loop *l, loop_fn fn, void *data);

/* Runs what is ready, waiting at most `timeout_ms` (-1: until something is). 0 or -errno. */
int loop_step(struct loop *l, int timeout_ms);

/* Worker threads whose results come back to the loop: `work` runs on a worker, then `done` on the
 * loop's thread. Jobs start in the order they came. At most `queue_max` jobs wait (-EAGAIN). */
struct pool;
int pool_new(struct pool **ret, struct loop *l, unsigned threads, size_t queue_max);
void pool_free(struct pool *p);		/* waits for the running jobs; drops the waiting ones */
DEFINE_CLEANUP(struct pool *, pool_free);
int pool_run(struct pool *p, loop_fn work, loop_fn done, void *data);

#endif
