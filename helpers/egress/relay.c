// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread a processor, each with an epoll set of its own, edge-triggered: both sockets of a connection
 * are registered once, and what they said last is remembered. A pipe is held only while bytes are in it,
 * so that an idle connection costs its sockets and a struct relay.
 *
 * Back-pressure: a way is read only when its pipe is empty. A close for sending becomes one at the other
 * side after the last byte; an error becomes a reset of both.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define WORKERS_MAX  8
#define EVENTS	     64
#define PIPES_KEPT   16
#define BULK_KEPT    2
#define BULK_BYTES   (256u << 10)
#define BULK_MAX     64		/* of all threads */
#define BULK_FROM    (48u << 10) /* what fills an ordinary pipe nearly */
#define CHUNK	     (1u << 20)
#define STARVED_MS   20
#define ROUNDS	     32		/* of one connection before the others have their turn */

/*
 * Ordinary ones hold 64 KiB. A connection that fills one gets a large one, which nearly doubles what goes
 * through; few, as the kernel counts them against the user's share (pipe-user-pages-soft), and takes what is
 * beyond it from the pipes of all the user's programs.
 */
struct pipe {
	int r, w;
	bool bulk;
};

struct way {
	int from, to;
	struct pipe pipe;	/* r < 0: none */
	size_t held, filled;	/* in it now; when it was read last */
	bool readable, writable, ended, closed;
	_Atomic uint64_t *bytes;
};

struct relay {
	struct relay *next, *prev;	/* by the last time something moved, the latest last */
	struct relay *next_ready, *next_dead;
	struct way out, in;
	struct counts *counts;
	struct name *name;
	uint64_t moved_ms;
	struct way *leaving;	/* the one from the container; NULL once its end has been passed on */
	bool queued, dead;
	bool starved;		/* waits for a pipe: there are no descriptors */
};

struct worker {
	struct relays *all;
	pthread_t thread;
	int epoll;
	struct pipe kept[PIPES_KEPT], kept_bulk[BULK_KEPT];
	unsigned nkept, nkept_bulk;
	struct relay list;		/* a ring */
	struct relay *ready, *dead, *starved;
	int wake;			/* an eventfd: something came in */
	pthread_mutex_t lock;		/* guards what follows */
	struct relay *incoming;
};

struct relays {
	struct egress *egress;
	struct worker workers[WORKERS_MAX];
	unsigned n;
	_Atomic int bulk;	/* large pipes there are */
	unsigned turn;
};

void socket_reset(int fd)
{
	const struct linger now = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

void counts_begin(struct egress *e, struct counts *c, struct name *name)
{
	atomic_fetch_add(&c->open, 1);
	atomic_fetch_add(&e->open, 1);
	atomic_fetch_add(&e->unsent, 1);
	if (name)
		atomic_fetch_add(&name->used, 1);
}

void counts_sent(struct egress *e)
{
	atomic_fetch_sub(&e->unsent, 1);
}

void counts_end(struct egress *e, struct counts *c, struct name *name)
{
	atomic_fetch_sub(&c->open, 1);
	atomic_fetch_sub(&e->open, 1);
	if (name)
		atomic_fetch_sub(&name->used, 1);
}

static int pipe_take(struct worker *w, struct way *y)
{
	int ends[2];

	if (y->pipe.r >= 0)
		return 0;
	if (w->nkept) {
		y->pipe = w->kept[--w->nkept];
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	y->pipe = (struct pipe){ ends[0], ends[1] };
	return 0;
}

static void pipe_close(struct worker *w, struct pipe *p)
{
	if (p->bulk)
		atomic_fetch_sub(&w->all->bulk, 1);
	p->bulk = false;
	fd_closep(&p->r);
	fd_closep(&p->w);
}

/* An empty one is kept for the next. */
static void pipe_give(struct worker *w, struct way *y)
{
	struct pipe *p = &y->pipe;

	if (p->r < 0)
		return;
	if (y->held == 0 && !p->bulk && w->nkept < PIPES_KEPT)
		w->kept[w->nkept++] = *p;
	else if (y->held == 0 && p->bulk && w->nkept_bulk < BULK_KEPT)
		w->kept_bulk[w->nkept_bulk++] = *p;
	else
		pipe_close(w, p);
	*p = (struct pipe){ -1, -1, false };
}

/* For an empty way whose pipe was full. Refused when the user has many: then it goes on with less. */
static void pipe_enlarge(struct worker *w, struct way *y)
{
	if (w->nkept_bulk) {
		pipe_give(w, y);
		y->pipe = w->kept_bulk[--w->nkept_bulk];
		return;
	}
	if (atomic_fetch_add(&w->all->bulk, 1) < BULK_MAX &&
		fcntl(y->pipe.w, F_SETPIPE_SZ, BULK_BYTES) >= 0)
		y->pipe.bulk = true;
	else
		atomic_fetch_sub(&w->all->bulk, 1);
}

/* From the socket into the empty pipe. 1: bytes came or the end did. */
static int way_fill(struct worker *w, struct way *y)
{
	ssize_t n;
	int r = pipe_take(w, y);

	if (r < 0)
		return r;
	n = splice(y->from, NULL, y->pipe.w, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		y->readable = errno == EINTR;
		return 0;
	}
	if (n < 0)
		return -errno;
	y->ended = n == 0;
	y->held = y->filled = (size_t)n;
	atomic_fetch_add_explicit(y->bytes, (uint64_t)n, memory_order_relaxed);
	return 1;
}

static int way_drain(struct worker *w, struct way *y)
{
	ssize_t n = splice(y->pipe.r, NULL, y->to, NULL, y->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		y->writable = errno == EINTR;
		return 0;
	}
	if (n < 0)
		return -errno;
	y->held -= (size_t)n;
	if (y->held == 0 && y->filled >= BULK_FROM && !y->pipe.bulk)
		pipe_enlarge(w, y);
	return 1;
}

/* As far as it goes without waiting. 1: it has used up its turn. */
static int way_pump(struct worker *w, struct way *y, bool *ret_moved)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		int r;

		if (y->held && y->writable)
			r = way_drain(w, y);
		else if (!y->held && y->readable && !y->ended)
			r = way_fill(w, y);
		else
			r = 0;
		if (r < 0)
			return r;
		if (r == 0 && !((y->held && y->writable) || (!y->held && y->readable && !y->ended)))
			break;
		*ret_moved |= r > 0;
		if (round + 1 == ROUNDS)
			return 1;
	}
	if (y->held == 0)
		pipe_give(w, y);
	if (y->ended && y->held == 0 && !y->closed) {
		y->closed = true;
		if (shutdown(y->to, SHUT_WR) < 0 && errno != ENOTCONN)
			return -errno;
	}
	return 0;
}

static void list_add(struct worker *w, struct relay *r)
{
	r->prev = w->list.prev;
	r->next = &w->list;
	w->list.prev->next = r;
	w->list.prev = r;
}

static void list_remove(struct relay *r)
{
	r->prev->next = r->next;
	r->next->prev = r->prev;
}

/* Its memory stays until the events at hand have been looked at: more of them may name it. */
static void relay_end(struct worker *w, struct relay *r, bool reset)
{
	if (r->dead)
		return;
	r->dead = true;
	pipe_give(w, &r->out);
	pipe_give(w, &r->in);
	if (reset) {
		socket_reset(r->out.from);
		socket_reset(r->out.to);
	} else {
		close(r->out.from);
		close(r->out.to);
	}
	if (r->leaving)
		counts_sent(w->all->egress);
	counts_end(w->all->egress, r->counts, r->name);
	list_remove(r);
	r->next_dead = w->dead;
	w->dead = r;
}

static void touch(struct worker *w, struct relay *r)
{
	uint64_t now = now_ms();

	/* Seconds matter here; a busy connection need not be moved in the list for each packet. */
	if (now - r->moved_ms < 1000)
		return;
	r->moved_ms = now;
	list_remove(r);
	list_add(w, r);
}

/* Descriptors have run out: its bytes wait in the socket until others have gone through theirs. */
static void starve(struct worker *w, struct relay *r)
{
	if (r->starved)
		return;
	r->starved = true;
	r->next_ready = w->starved;
	w->starved = r;
}

static void relay_pump(struct worker *w, struct relay *r)
{
	bool moved = false;
	int out, in = 0;

	if (r->dead)
		return;
	out = way_pump(w, &r->out, &moved);
	if (out >= 0 || out == -EMFILE || out == -ENFILE)
		in = way_pump(w, &r->in, &moved);
	if (out == -EMFILE || out == -ENFILE || in == -EMFILE || in == -ENFILE) {
		starve(w, r);
		out = MAX(out, 0);
		in = MAX(in, 0);
	}
	if (out < 0 || in < 0) {
		relay_end(w, r, true);
		return;
	}
	if (r->leaving && r->leaving->closed) {
		r->leaving = NULL;
		counts_sent(w->all->egress);
	}
	if (r->out.closed && r->in.closed) {
		relay_end(w, r, false);
		return;
	}
	if (moved)
		touch(w, r);
	if ((out || in) && !r->queued && !r->starved) {
		r->queued = true;
		r->next_ready = w->ready;
		w->ready = r;
	}
}

/* The lowest bit of the mark says which of the two sockets it is. */
static void event(struct worker *w, uint64_t mark, unsigned events)
{
	struct relay *r = (struct relay *)(uintptr_t)(mark & ~(uint64_t)1);
	struct way *from = mark & 1 ? &r->in : &r->out, *to = mark & 1 ? &r->out : &r->in;

	if (r->dead)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		from->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		to->writable = true;
	if (!r->queued && !r->starved)
		relay_pump(w, r);
}

static void run_list(struct worker *w, struct relay **list)
{
	struct relay *r = *list, *next;

	*list = NULL;
	for (; r; r = next) {
		next = r->next_ready;
		r->queued = r->starved = false;
		relay_pump(w, r);
	}
}

static void free_dead(struct worker *w)
{
	while (w->dead) {
		struct relay *r = w->dead;

		w->dead = r->next_dead;
		free(r);
	}
}

/* The time to sleep at most, -1 for ever, after ending those on which nothing moved for too long. */
static int end_idle(struct worker *w)
{
	uint64_t limit = (uint64_t)w->all->egress->idle_seconds * 1000, now = now_ms();

	while (w->list.next != &w->list) {
		struct relay *first = w->list.next;

		if (now - first->moved_ms < limit)
			return (int)MIN(limit - (now - first->moved_ms) + 1000, 3600000u);
		relay_end(w, first, true);
	}
	return -1;
}

static int watch(struct worker *w, int fd, void *p, unsigned bit)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = (uint64_t)(uintptr_t)p | bit };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* By this thread, so that no event meets a connection that is half registered. */
static void take_in(struct worker *w)
{
	struct relay *r, *next;
	eventfd_t count;

	(void)eventfd_read(w->wake, &count);
	pthread_mutex_lock(&w->lock);
	r = w->incoming;
	w->incoming = NULL;
	pthread_mutex_unlock(&w->lock);
	for (; r; r = next) {
		next = r->next;
		list_add(w, r);
		if (watch(w, r->out.from, r, 0) < 0 || watch(w, r->out.to, r, 1) < 0) {
			relay_end(w, r, true);
			continue;
		}
		/* What is there already is moved without asking. */
		r->out.readable = r->out.writable = r->in.readable = r->in.writable = true;
		relay_pump(w, r);
	}
}

static void *work(void *data)
{
	struct epoll_event events[EVENTS];
	struct worker *w = data;

	for (;;) {
		/* None that is in a list is ended from elsewhere: their links would dangle. */
		int wait = w->ready ? 0 : w->starved ? STARVED_MS : end_idle(w), n;

		n = epoll_wait(w->epoll, events, EVENTS, wait);

		for (int i = 0; i < n; i++)
			if (events[i].data.u64)
				event(w, events[i].data.u64, events[i].events);
			else
				take_in(w);
		run_list(w, &w->ready);
		run_list(w, &w->starved);
		free_dead(w);
	}
	return NULL;
}

static int worker_start(struct relays *all, struct worker *w)
{
	w->all = all;
	w->list.next = w->list.prev = &w->list;
	pthread_mutex_init(&w->lock, NULL);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll < 0 || w->wake < 0 || watch(w, w->wake, NULL, 0) < 0)
		return -errno;
	return -pthread_create(&w->thread, NULL, work, w);
}

int relays_new(struct relays **ret, struct egress *e)
{
	struct relays *all = calloc(1, sizeof(*all));
	cpu_set_t set;
	unsigned n = 1;
	int r = all ? 0 : -ENOMEM;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = MIN((unsigned)CPU_COUNT(&set), (unsigned)WORKERS_MAX);
	if (r == 0)
		all->egress = e;
	while (r == 0 && all->n < n) {
		r = worker_start(all, &all->workers[all->n]);
		if (r == 0)
			all->n++;
	}
	*ret = all;
	return r;
}

static void hand_over(struct worker *w, struct relay *r)
{
	bool first;

	pthread_mutex_lock(&w->lock);
	first = !w->incoming;
	r->next = w->incoming;
	w->incoming = r;
	pthread_mutex_unlock(&w->lock);
	if (first)
		(void)eventfd_write(w->wake, 1);
}

void relays_add(struct relays *all, int first, int second, bool published, struct counts *counts,
	struct name *name)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r) {
		socket_reset(first);
		socket_reset(second);
		counts_sent(all->egress);
		counts_end(all->egress, counts, name);
		return;
	}
	r->out = (struct way){ first, second, { -1, -1, false }, .bytes = &counts->out };
	r->in = (struct way){ second, first, { -1, -1, false }, .bytes = &counts->in };
	r->leaving = published ? &r->in : &r->out;
	r->counts = counts;
	r->name = name;
	r->moved_ms = now_ms();
	hand_over(&all->workers[all->turn++ % all->n], r);
}
