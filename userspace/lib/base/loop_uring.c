// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop on io_uring: one ring, one system call a step. A watch is a one-shot POLL_ADD armed anew
 * after each event, which makes it level-triggered; changes are collected and go to the kernel with
 * the next wait. A file is written by a chain of linked requests on a direct descriptor, so that no
 * step of it needs a turn of the loop.
 */
#include "base/loop-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 256
#define WRITES_MAX 32		/* files written at once; further ones wait */
#define CHAIN_MAX 5		/* requests a file */
#define WRITE_MAX ((size_t)1 << 30)	/* one write request takes at most 2 GiB - 4 KiB */

/* What a completion belongs to is in the low bits of its user_data. */
enum tag { TAG_NONE, TAG_WAKE, TAG_POLL, TAG_WRITE };
#define TAG_BITS 2

enum chain_step { STEP_OPEN, STEP_WRITE, STEP_SYNC, STEP_CLOSE, STEP_RENAME };

struct file_write {
	struct file_write *next;
	unsigned slot;		/* index of its direct descriptor, and of itself in `writes` */
	unsigned pending;	/* completions to come */
	int results[CHAIN_MAX];	/* by chain_step */
	int dirfd;
	char *temporary, *name;
	const void *bytes;
	size_t len;
	mode_t mode;
	bool sync;
	loop_write_fn fn;
	void *data;
};

struct uring {
	struct io_uring ring;
	uint64_t posts;			/* where the eventfd is read to */
	bool wake_armed;
	VEC(int) dirty;			/* descriptors whose watches changed */
	bool chains;			/* the kernel has what file_write needs */
	struct file_write *writes[WRITES_MAX];
	struct file_write *first, **last;	/* waiting for a slot */
	unsigned nwrites;
};

static uint64_t mark_poll(int fd, uint32_t gen)
{
	return (uint64_t)gen << 32 | (uint64_t)(uint32_t)fd << TAG_BITS | TAG_POLL;
}

static uint64_t mark_step(unsigned slot, enum chain_step step)
{
	return (uint64_t)step << 32 | (uint64_t)slot << TAG_BITS | TAG_WRITE;
}

/* Room for `n` requests that have to be submitted together. */
static int room(struct uring *u, unsigned n)
{
	int r;

	if (io_uring_sq_space_left(&u->ring) >= n)
		return 0;
	r = io_uring_submit(&u->ring);
	if (r < 0)
		return r;
	return io_uring_sq_space_left(&u->ring) >= n ? 0 : -EBUSY;
}

static struct io_uring_sqe *request(struct uring *u)
{
	return room(u, 1) < 0 ? NULL : io_uring_get_sqe(&u->ring);
}

/* Watches */

static int uring_watch(struct loop *l, int fd)
{
	struct uring *u = l->backend;
	struct watch *w = &l->watches.v[fd];
	int r = 0;

	if (!w->dirty)
		r = vec_push(&u->dirty, fd);
	w->dirty = r == 0;
	return r;
}

static int arm_wake(struct loop *l)
{
	struct uring *u = l->backend;
	struct io_uring_sqe *e;

	if (u->wake_armed)
		return 0;
	e = request(u);
	if (!e)
		return -EBUSY;
	io_uring_prep_read(e, l->wake_fd, &u->posts, sizeof(u->posts), 0);
	io_uring_sqe_set_data64(e, TAG_WAKE);
	u->wake_armed = true;
	return 0;
}

/* The removal goes before the new poll: the number may belong to another file by now. */
static int arm_watch(struct uring *u, struct watch *w, int fd)
{
	struct io_uring_sqe *e;

	if (w->armed) {
		e = request(u);
		if (!e)
			return -EBUSY;
		io_uring_prep_poll_remove(e, mark_poll(fd, w->armed_gen));
		io_uring_sqe_set_data64(e, TAG_NONE);
		w->armed = false;
	}
	if (!w->events)
		return 0;
	e = request(u);
	if (!e)
		return -EBUSY;
	io_uring_prep_poll_add(e, fd, w->events);
	io_uring_sqe_set_data64(e, mark_poll(fd, w->gen));
	w->armed = true;
	w->armed_gen = w->gen;
	return 0;
}

static int arm_all(struct loop *l)
{
	struct uring *u = l->backend;
	int r = arm_wake(l);

	while (r == 0 && u->dirty.n) {
		int fd = u->dirty.v[u->dirty.n - 1];
		struct watch *w = &l->watches.v[fd];

		r = arm_watch(u, w, fd);
		if (r < 0)
			break;
		w->dirty = false;
		u->dirty.n--;
	}
	return r;
}

static void on_poll(struct loop *l, uint64_t mark, int result)
{
	int fd = (int)((uint32_t)mark >> TAG_BITS);
	uint32_t gen = (uint32_t)(mark >> 32);
	struct watch *w = &l->watches.v[fd];

	if (!w->armed || w->armed_gen != gen)
		return;
	w->armed = false;
	if (loop_deliver(l, fd, gen, result < 0 ? POLLERR : (unsigned)result))
		(void)uring_watch(l, fd);
}

/* File writes */

static void write_free(struct file_write *w)
{
	if (!w)
		return;
	free(w->temporary);
	free(w->name);
	free(w);
}
DEFINE_CLEANUP(struct file_write *, write_free);

static struct io_uring_sqe *chain_next(struct uring *u, struct file_write *w)
{
	w->pending++;
	return io_uring_get_sqe(&u->ring);	/* start_write made room */
}

static void chain_mark(struct io_uring_sqe *e, struct file_write *w, enum chain_step step)
{
	io_uring_sqe_set_data64(e, mark_step(w->slot, step));
	if (step != STEP_RENAME)
		e->flags |= IOSQE_IO_LINK;
	if (step == STEP_WRITE || step == STEP_SYNC)
		e->flags |= IOSQE_FIXED_FILE;
}

/* Direct descriptors are not in the process's table, so O_CLOEXEC does not apply (and is refused). */
static int start_write(struct uring *u, struct file_write *w)
{
	struct io_uring_sqe *e;
	int r = room(u, CHAIN_MAX);

	if (r < 0)
		return r;
	e = chain_next(u, w);
	io_uring_prep_openat_direct(e, w->dirfd, w->temporary, O_WRONLY | O_CREAT | O_EXCL,
		w->mode, w->slot);
	chain_mark(e, w, STEP_OPEN);
	e = chain_next(u, w);
	io_uring_prep_write(e, (int)w->slot, w->bytes, (unsigned)w->len, 0);
	chain_mark(e, w, STEP_WRITE);
	if (w->sync) {
		e = chain_next(u, w);
		io_uring_prep_fsync(e, (int)w->slot, IORING_FSYNC_DATASYNC);
		chain_mark(e, w, STEP_SYNC);
	}
	e = chain_next(u, w);
	io_uring_prep_close_direct(e, w->slot);
	chain_mark(e, w, STEP_CLOSE);
	e = chain_next(u, w);
	io_uring_prep_renameat(e, w->dirfd, w->temporary, w->dirfd, w->name, 0);
	chain_mark(e, w, STEP_RENAME);
	u->writes[w->slot] = w;
	u->nwrites++;
	return 0;
}

static void start_waiting(struct uring *u)
{
	for (unsigned i = 0; i < WRITES_MAX && u->first; i++) {
		struct file_write *w = u->first;

		if (u->writes[i])
			continue;
		w->slot = i;
		if (start_write(u, w) < 0)
			return;		/* the ring is full: the next step tries again */
		u->first = w->next;
		if (!u->first)
			u->last = &u->first;
	}
}

/*
 * A chain breaks at its first failure, and a short write is one (a full disk). What is left behind
 * is cleared away here; for a short write the plain way then tells the errno.
 */
static int chain_result(struct uring *u, struct file_write *w)
{
	int none = -1, r = 0;

	for (unsigned i = 0; r == 0 && i < CHAIN_MAX; i++)
		r = i == STEP_WRITE && w->results[i] >= 0 && (size_t)w->results[i] < w->len ?
			-EIO : MIN(w->results[i], 0);
	if (r == 0 || w->results[STEP_OPEN] < 0)
		return r;
	(void)io_uring_register_files_update(&u->ring, w->slot, &none, 1);
	unlinkat(w->dirfd, w->temporary, 0);
	if (w->results[STEP_WRITE] < 0 || (size_t)w->results[STEP_WRITE] == w->len)
		return r;
	return loop_write_steps(w->dirfd, w->temporary, w->name, w->bytes, w->len, w->mode,
		w->sync);
}

static void on_write(struct uring *u, uint64_t mark, int result, bool tell)
{
	unsigned slot = (uint32_t)mark >> TAG_BITS;
	struct file_write *w = u->writes[slot];

	w->results[mark >> 32] = result;
	if (--w->pending)
		return;
	result = chain_result(u, w);
	u->writes[slot] = NULL;
	u->nwrites--;
	if (tell)
		w->fn(w->data, result);
	write_free(w);
}

static int uring_write_file(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data)
{
	_cleanup_(write_free_p) struct file_write *w = NULL;
	struct uring *u = l->backend;

	if (!u->chains || len > WRITE_MAX)
		return loop_write_file_now(l, dirfd, temporary, name, bytes, len, mode, sync, fn,
			data);
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct file_write){ .dirfd = dirfd, .bytes = bytes, .len = len, .mode = mode,
		.sync = sync, .fn = fn, .data = data };
	w->temporary = str_dup(str_from(temporary));
	w->name = str_dup(str_from(name));
	if (!w->temporary || !w->name)
		return -ENOMEM;
	*u->last = w;
	u->last = &w->next;
	w = NULL;
	start_waiting(u);
	return 0;
}

/* Waiting */

static void on_completion(struct loop *l, uint64_t mark, int result, bool tell)
{
	struct uring *u = l->backend;

	switch ((enum tag)(mark & ((1 << TAG_BITS) - 1))) {
	case TAG_NONE:
		break;
	case TAG_WAKE:
		u->wake_armed = false;
		break;
	case TAG_POLL:
		if (tell)
			on_poll(l, mark, result);
		break;
	case TAG_WRITE:
		on_write(u, mark, result, tell);
		break;
	}
}

/* Each is consumed before its callback runs, which may itself submit. */
static void deliver_all(struct loop *l, bool tell)
{
	struct uring *u = l->backend;
	struct io_uring_cqe *c;
	unsigned n = io_uring_cq_ready(&u->ring);

	while (n-- && io_uring_peek_cqe(&u->ring, &c) == 0) {
		uint64_t mark = c->user_data;
		int result = c->res;

		io_uring_cqe_seen(&u->ring, c);
		on_completion(l, mark, result, tell);
	}
}

static int uring_wait(struct loop *l, uint64_t ns)
{
	struct uring *u = l->backend;
	struct __kernel_timespec t = { .tv_sec = (int64_t)(ns / 1000000000),
		.tv_nsec = (int64_t)(ns % 1000000000) };
	struct io_uring_cqe *c;
	int r;

	start_waiting(u);
	r = arm_all(l);
	if (r < 0)
		return r;
	r = io_uring_submit_and_wait_timeout(&u->ring, &c, 1, ns == UINT64_MAX ? NULL : &t, NULL);
	if (r < 0 && r != -ETIME && r != -EINTR && r != -EBUSY && r != -EAGAIN)
		return r;
	deliver_all(l, true);
	return 0;
}

/* The bytes of writes under way are borrowed: they have to end before the caller goes on. */
static void uring_done(struct loop *l)
{
	struct uring *u = l->backend;
	struct io_uring_cqe *c;

	while (u->first) {
		struct file_write *w = u->first;

		u->first = w->next;
		write_free(w);
	}
	while (u->nwrites && (io_uring_submit(&u->ring), io_uring_wait_cqe(&u->ring, &c)) == 0)
		deliver_all(l, false);
	io_uring_queue_exit(&u->ring);
	vec_done(&u->dirty);
	free(u);
}

static const struct backend_ops uring_ops = {
	.kind = LOOP_URING,
	.watch = uring_watch,
	.write_file = uring_write_file,
	.wait = uring_wait,
	.done = uring_done,
};

/* Completions handled in the wait itself, without interrupting (Linux 6.1), where that is known. */
static int setup(struct uring *u)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		IORING_SETUP_COOP_TASKRUN,
		0,
	};
	int r = -EINVAL;

	for (size_t i = 0; r == -EINVAL && i < ARRAY_SIZE(flags); i++)
		r = io_uring_queue_init(ENTRIES, &u->ring,
			IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED | flags[i]);
	return r;
}

static bool has_chains(struct uring *u)
{
	int slots[WRITES_MAX];

	if (!(u->ring.features & IORING_FEAT_LINKED_FILE))
		return false;
	for (unsigned i = 0; i < WRITES_MAX; i++)
		slots[i] = -1;
	return io_uring_register_files(&u->ring, slots, WRITES_MAX) == 0;
}

/* The ring takes only what this file asks of it: seccomp does not see what a ring does, so that one
 * which could do all would be a way past a filter. */
static int restrict_ring(struct uring *u)
{
	static const uint8_t operations[] = { IORING_OP_READ, IORING_OP_POLL_ADD,
		IORING_OP_POLL_REMOVE, IORING_OP_OPENAT, IORING_OP_WRITE, IORING_OP_FSYNC,
		IORING_OP_CLOSE, IORING_OP_RENAMEAT };
	struct io_uring_restriction all[ARRAY_SIZE(operations) + 3] = {
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
			.sqe_flags = IOSQE_IO_LINK | IOSQE_FIXED_FILE },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_FILES_UPDATE },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_ENABLE_RINGS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		all[i + 3] = (struct io_uring_restriction){ .opcode = IORING_RESTRICTION_SQE_OP,
			.sqe_op = operations[i] };
	/* liburing 2.3 declares both calls, and does not export them. */
	if (syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, all,
			ARRAY_SIZE(all)) < 0 ||
			syscall(SYS_io_uring_register, u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS,
			NULL, 0) < 0)
		return -errno;
	return 0;
}

int loop_uring_init(struct loop *l)
{
	struct uring *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	r = setup(u);
	if (r == 0 && (~u->ring.features & (IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP))) {
		io_uring_queue_exit(&u->ring);
		r = -ENOSYS;
	}
	if (r == 0) {
		u->chains = has_chains(u);
		r = restrict_ring(u);
		if (r < 0)
			io_uring_queue_exit(&u->ring);
	}
	if (r < 0) {
		free(u);
		return r;
	}
	u->last = &u->first;
	l->backend = u;
	l->ops = &uring_ops;
	return 0;
}
