/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loop and its backends share. A backend waits and says what happened; watches, timers,
 * posts and the order of callbacks are the loop's, so that both backends behave the same.
 */
#ifndef CRATONS_BASE_LOOP_PRIV_H
#define CRATONS_BASE_LOOP_PRIV_H

#include "base/loop.h"
#include "prim/vec.h"

#include <pthread.h>

/*
 * `gen` changes with every loop_watch: an event that was on its way when the watch changed, or whose
 * number now belongs to another descriptor, carries an older one and is dropped. Nothing is lost by
 * that, as watches are level-triggered and armed anew.
 */
struct watch {
	loop_fd_fn fn;
	void *data;
	unsigned events;
	uint32_t gen;
	uint32_t armed_gen;	/* loop_uring: of the poll request under way */
	bool armed;		/* a poll is under way; loop_plain: it is in the epoll set */
	bool dirty;
};

struct timer {
	uint64_t at;		/* CLOCK_MONOTONIC, ns */
	uint64_t id;
	loop_fn fn;
	void *data;
};

/* `owned`: the loop frees it. Others belong to who posted them. */
struct post {
	struct post *next;
	loop_fn fn;
	void *data;
	bool owned;
};

struct backend_ops {
	enum loop_backend kind;
	int (*watch)(struct loop *l, int fd);	/* l->watches.v[fd] changed */
	int (*write_file)(struct loop *l, int dirfd, const char *temporary, const char *name,
		const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data);
	/* Waits at most `ns` (UINT64_MAX: for ever) and delivers what happened. */
	int (*wait)(struct loop *l, uint64_t ns);
	void (*done)(struct loop *l);		/* after file writes under way have ended */
};

struct loop {
	const struct backend_ops *ops;
	void *backend;
	VEC(struct watch) watches;	/* by descriptor */
	VEC(struct timer) timers;	/* a binary heap by (at, id) */
	uint64_t timer_id;
	int wake_fd;			/* an eventfd: posts are waiting */
	pthread_mutex_t lock;		/* guards what follows */
	struct post *first, **last;
	size_t nposts;
	bool woken;
};

int loop_plain_init(struct loop *l);
int loop_uring_init(struct loop *l);

/* Calls the watch's function if the event is not stale; true if the watch is still to be armed. */
bool loop_deliver(struct loop *l, int fd, uint32_t gen, unsigned events);

/* The plain form of loop_write_file: at once, and the result comes with the next step. */
int loop_write_file_now(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data);
int loop_write_steps(int dirfd, const char *temporary, const char *name, const void *bytes,
	size_t len, mode_t mode, bool sync);

void loop_post_node(struct loop *l, struct post *p);
void loop_unpost(struct loop *l, struct post *p);

#endif
