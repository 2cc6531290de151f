// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread and an epoll set, edge-triggered: both sockets of a connection are registered once, and what
 * they said last is remembered. An idle connection costs its sockets and a struct relay.
 *
 * Back-pressure: a way is read only when its pipe is empty. A close for sending becomes one at the other
 * side after the last byte. A socket that breaks ends the way into it at once, and the way from it as a reset
 * of the other side, behind what it had said before: who reads slowly loses nothing by it.
 */
#include "relay.h"

#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define EVENTS	     64
#define HANDOVERS    64		/* a turn */
#define BULK_FROM    (PIPE_BYTES / 4 * 3)	/* what fills an ordinary pipe nearly */
#define CHUNK	     (1u << 20)
#define STARVED_MS   20
#define LINGER_MS    20
#define ROUNDS	     32		/* of one connection before the others have their turn */

struct way {
	int from, to;
	struct pipe pipe;
	size_t held, filled;	/* in it now; when it was read last */
	bool readable, writable;
	bool ended, reset;	/* nothing more will come: by a reset */
	bool closed;		/* its end has been passed on */
	bool dropped;		/* nothing can be passed on */
	bool urgent;		/* there is a byte of urgent data */
	_Atomic uint64_t *bytes;
};

struct relay {
	struct relay *next, *prev;	/* by the last time something moved, the latest last */
	struct relay *next_ready, *next_dead, *next_linger;
	struct way out, in;
	struct counts *counts;
	uint32_t number;
	uint64_t moved_ms;
	uint64_t linger_ms;	/* since when it has waited for its last bytes to be acknowledged; 0: not yet */
	bool published, queued, dead;
	bool starved;		/* waits for a pipe: there are no descriptors */
};

struct worker {
	const struct work *work;
	struct pipes pipes;
	int epoll;
	bool draining, last;	/* the container has ended; no more connections come */
	struct relay list;	/* a ring */
	struct relay *ready, *dead, *starved, *linger;
};

static int way_filled(struct way *y, ssize_t n)
{
	if (n > 0) {
		y->held = y->filled = (size_t)n;
		atomic_fetch_add_explicit(y->bytes, (uint64_t)n, memory_order_relaxed);
	} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		y->readable = errno == EINTR;
	} else {
		y->ended = true;
		y->reset |= n < 0;
	}
	return n > 0;
}

/*
 * splice() stops before a byte of urgent data for good, and calls that the end once the end has come (Linux,
 * tcp_read_sock()): all that follows would be lost, and nobody told. The byte is passed on as what it is;
 * recv() goes past it.
 */
static int way_pass_mark(struct way *y)
{
	char bytes[4096];
	ssize_t n;

	y->urgent = false;
	if (recv(y->from, bytes, 1, MSG_OOB | MSG_DONTWAIT) == 1)
		(void)send(y->to, bytes, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
	n = recv(y->from, bytes, sizeof(bytes), MSG_DONTWAIT);
	/* It fits: the pipe is empty. */
	if (n > 0)
		n = write(y->pipe.w, bytes, (size_t)n);
	return way_filled(y, n);
}

/* From the socket into the empty pipe. 1: bytes came; 0: none, or the end did; -EMFILE. */
static int way_fill(struct worker *w, struct way *y)
{
	ssize_t n;
	int r = pipe_take(&w->pipes, &y->pipe);

	if (r < 0)
		return -EMFILE;
	n = splice(y->from, NULL, y->pipe.w, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n == 0 || (n < 0 && errno == EAGAIN && y->urgent))
		return way_pass_mark(y);
	return way_filled(y, n);
}

static void way_drop(struct worker *w, struct way *y)
{
	y->dropped = true;
	pipe_give(&w->pipes, &y->pipe, y->held == 0);
	y->held = 0;
}

/* 1: bytes went. */
static int way_drain(struct worker *w, struct way *y)
{
	ssize_t n = splice(y->pipe.r, NULL, y->to, NULL, y->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		y->writable = errno == EINTR;
		return 0;
	}
	if (n < 0) {
		way_drop(w, y);
		return 0;
	}
	y->held -= (size_t)n;
	if (y->held == 0 && y->filled >= BULK_FROM && !y->pipe.bulk)
		pipe_enlarge(&w->pipes, &y->pipe);
	return 1;
}

static bool can_drain(const struct way *y)
{
	return y->held && y->writable && !y->dropped;
}

static bool can_fill(const struct way *y)
{
	return !y->held && y->readable && !y->ended && !y->dropped;
}

/* As far as it goes without waiting. 1: it has used up its turn; -EMFILE. */
static int way_pump(struct worker *w, struct way *y, bool *ret_moved)
{
	for (unsigned round = 0; can_drain(y) || can_fill(y); round++) {
		int r = can_drain(y) ? way_drain(w, y) : way_fill(w, y);

		if (r < 0)
			return r;
		*ret_moved |= r > 0;
		if (round + 1 == ROUNDS)
			return 1;
	}
	if (y->held == 0)
		pipe_give(&w->pipes, &y->pipe, true);
	if (y->ended && y->held == 0 && !y->closed && !y->dropped && !y->reset) {
		y->closed = true;
		if (shutdown(y->to, SHUT_WR) < 0)
			y->dropped = true;
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

static void uncount(struct worker *w, struct counts *c, uint32_t number)
{
	atomic_fetch_sub(w->work->open, 1);
	counts_end(w->work->shared, c, number);
}

/* Its memory stays until the events at hand have been looked at: more of them may name it. */
static void relay_end(struct worker *w, struct relay *r, bool reset)
{
	if (r->dead)
		return;
	r->dead = true;
	way_drop(w, &r->out);
	way_drop(w, &r->in);
	if (reset) {
		socket_reset(r->out.from);
		socket_reset(r->out.to);
	} else {
		close(r->out.from);
		close(r->out.to);
	}
	uncount(w, r->counts, r->number);
	list_remove(r);
	r->next_dead = w->dead;
	w->dead = r;
}

/* All that was sent is with the other's kernel, or will never be. */
static bool is_acknowledged(int fd)
{
	socklen_t len = 1;
	uint8_t state = 0;	/* of struct tcp_info the first */
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) < 0 || n == 0 ||
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) < 0 || state == TCP_CLOSE;
}

/* What came for a container that is no more: a socket that is closed with bytes unread resets, and what it
 * still has to send is lost. */
static void discard(int fd)
{
	for (int i = 0; i < ROUNDS && recv(fd, NULL, CHUNK, MSG_TRUNC | MSG_DONTWAIT) > 0; i++)
		;
}

/* 1: it has ended. `y` is the way that was left, at its end. */
static bool linger(struct worker *w, struct relay *r, struct way *y)
{
	uint64_t now = now_ms();

	if (!is_acknowledged(y->to) && (!r->linger_ms || now - r->linger_ms < EGRESS_LINGER_MS)) {
		r->linger_ms = r->linger_ms ? r->linger_ms : now;
		return false;
	}
	discard(y->to);
	relay_end(w, r, y->reset);
	return true;
}

static bool is_over(const struct way *y)
{
	return y->dropped || y->closed || (y->ended && y->reset && y->held == 0);
}

/* Both ways are at their ends: closed alike, or one cannot be and the other has to be passed on as it was. */
static void finish(struct worker *w, struct relay *r)
{
	struct way *left = r->out.dropped ? &r->in : &r->out;

	if (r->out.dropped && r->in.dropped) {
		relay_end(w, r, true);
	} else if (r->out.closed && r->in.closed) {
		relay_end(w, r, false);
	} else if (!r->linger_ms && !linger(w, r, left)) {
		r->next_linger = w->linger;
		w->linger = r;
	}
}

/* One that broke: what goes to it is lost, and what comes from it ends by a reset, be it that the error was
 * told to who wrote. */
static void settle(struct worker *w, struct relay *r)
{
	struct way *ways[] = { &r->out, &r->in };

	for (int i = 0; i < 2; i++) {
		struct way *y = ways[i], *back = ways[1 - i];

		if (y->reset && y->ended && !back->dropped)
			way_drop(w, back);
		if (y->dropped && !back->reset && !w->draining) {
			back->reset = true;
			back->readable = true;
		}
	}
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

static void enqueue(struct relay **list, struct relay *r)
{
	r->next_ready = *list;
	*list = r;
}

static void relay_pump(struct worker *w, struct relay *r)
{
	bool moved = false;
	int out, in;

	if (r->dead)
		return;
	out = way_pump(w, &r->out, &moved);
	in = way_pump(w, &r->in, &moved);
	settle(w, r);
	if (moved)
		touch(w, r);
	if (is_over(&r->out) && is_over(&r->in)) {
		finish(w, r);
	} else if ((out < 0 || in < 0) && !r->starved) {
		/* Its bytes wait in the socket until others have gone through theirs. */
		r->starved = true;
		enqueue(&w->starved, r);
	} else if ((out || in || can_fill(&r->out) || can_fill(&r->in)) && !r->queued && !r->starved) {
		r->queued = true;
		enqueue(&w->ready, r);
	}
}

/* The lowest bit of the mark says which of the two sockets it is. */
static void event(struct worker *w, uint64_t mark, unsigned events)
{
	struct relay *r = (struct relay *)(uintptr_t)(mark & ~(uint64_t)1);
	struct way *from = mark & 1 ? &r->in : &r->out, *to = mark & 1 ? &r->out : &r->in;

	if (r->dead)
		return;
	from->urgent |= events & EPOLLPRI;
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
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

static void run_linger(struct worker *w)
{
	struct relay **at = &w->linger;

	while (*at) {
		struct relay *r = *at;

		if (r->dead || linger(w, r, r->out.dropped ? &r->in : &r->out))
			*at = r->next_linger;
		else
			at = &r->next_linger;
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
	uint64_t limit = (uint64_t)w->work->idle_seconds * 1000, now = now_ms();

	while (w->list.next != &w->list) {
		struct relay *first = w->list.next;

		if (now - first->moved_ms < limit)
			return (int)MIN(limit - (now - first->moved_ms) + 1000, 3600000u);
		relay_end(w, first, true);
	}
	return -1;
}

static int watch(struct worker *w, int fd, unsigned events, uint64_t mark)
{
	struct epoll_event e = { .events = events, .data.u64 = mark };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* The way into the container is no more: what comes there is not even read. */
static void relay_drain(struct worker *w, struct relay *r)
{
	way_drop(w, r->published ? &r->out : &r->in);
	relay_pump(w, r);
}

static void drain_all(struct worker *w)
{
	w->draining = true;
	close(STDERR_FILENO);
	(void)!dup(STDIN_FILENO);
	for (struct relay *r = w->list.next, *next; r != &w->list; r = next) {
		next = r->next;
		relay_drain(w, r);
	}
}

static void begin(struct worker *w, const struct handover *h, const int *fds)
{
	const unsigned events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	struct counts *c = &w->work->counts[h->row];
	struct relay *r = calloc(1, sizeof(*r));

	if (!r) {
		socket_reset(fds[0]);
		socket_reset(fds[1]);
		uncount(w, c, h->number);
		return;
	}
	/* What is there already is moved without asking. */
	r->out = (struct way){ fds[0], fds[1], PIPE_NONE, .readable = true, .writable = true, .bytes = &c->out };
	r->in = (struct way){ fds[1], fds[0], PIPE_NONE, .readable = true, .writable = true, .bytes = &c->in };
	r->published = h->published;
	r->counts = c;
	r->number = h->number;
	r->moved_ms = now_ms();
	list_add(w, r);
	if (watch(w, r->out.from, events, (uintptr_t)r) < 0 || watch(w, r->out.to, events, (uintptr_t)r | 1) < 0)
		relay_end(w, r, true);
	else if (w->draining)
		relay_drain(w, r);
	else
		relay_pump(w, r);
}

/* Its end is there to be heard for ever. */
static void take_last(struct worker *w)
{
	w->last = true;
	(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->work->link, NULL);
}

/* Who hands over counts them so that there are descriptors; if there are not, it is lost. */
static void take_in(struct worker *w)
{
	for (int i = 0; i < HANDOVERS && !w->last; i++) {
		struct handover h = { .kind = 0 };
		int fds[2];
		unsigned n;
		ssize_t got = pass_receive(w->work->link, &h, sizeof(h), fds, 2, &n);

		if (got == -EAGAIN || got == -EINTR)
			return;
		if (got == sizeof(h) && h.kind == HANDOVER_PAIR && n == 2) {
			begin(w, &h, fds);
			continue;
		}
		while (n)
			socket_reset(fds[--n]);
		if (h.kind == HANDOVER_PAIR)
			uncount(w, &w->work->counts[h.row], h.number);
		else if (got == sizeof(h) && h.kind == HANDOVER_DRAIN)
			drain_all(w);
		else
			take_last(w);
	}
}

static int time_to_wait(struct worker *w)
{
	/* None that is in a list is ended from elsewhere: their links would dangle. */
	if (w->ready)
		return 0;
	if (w->starved)
		return STARVED_MS;
	return w->linger ? LINGER_MS : end_idle(w);
}

static void step(struct worker *w)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(w->epoll, events, EVENTS, time_to_wait(w));

	for (int i = 0; i < n; i++)
		if (events[i].data.u64)
			event(w, events[i].data.u64, events[i].events);
		else
			take_in(w);
	run_list(w, &w->ready);
	run_list(w, &w->starved);
	run_linger(w);
	free_dead(w);
}

_noreturn_ void relay_work(const struct work *work)
{
	struct worker w = { .work = work, .pipes.bulk = &work->shared->bulk,
		.epoll = epoll_create1(EPOLL_CLOEXEC) };

	w.list.next = w.list.prev = &w.list;
	if (w.epoll < 0 || watch(&w, work->link, EPOLLIN, 0) < 0)
		_exit(1);
	while (!w.last || w.list.next != &w.list)
		step(&w);
	_exit(0);
}
