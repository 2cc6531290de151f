// SPDX-License-Identifier: GPL-2.0-or-later
#include "workers.h"

#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define BUSY_MAX   8	/* for the sake of processors */
#define FDS_BESIDE 64
#define AGAIN_MS   1

/* Waits for its worker to take what came before. */
struct waiting {
	struct waiting *next;
	int fds[2];
	struct handover h;
};

struct worker {
	struct workers *all;
	int link;
	struct waiting *first, **last;
	bool ended;
};

struct workers {
	struct egress *egress;
	struct worker each[WORKERS_MAX];
	unsigned n, processors;
	uint32_t room;		/* connections of one */
	bool draining, closed;
};

static void flush(struct worker *w);

static _Atomic uint32_t *load_of(const struct worker *w)
{
	return &w->all->egress->shared->of_worker[w - w->all->each];
}

/* One that has ended while connections may come holds some that are lost: all or nothing. */
static void heard(void *data, int link, unsigned events)
{
	struct worker *w = data;

	if (!(events & (POLLIN | POLLHUP | POLLERR))) {
		flush(w);
		return;
	}
	w->ended = true;
	(void)loop_watch(w->all->egress->loop, link, 0, NULL, NULL);
	if (!w->all->closed)
		egress_end(w->all->egress, 1);
}

static _noreturn_ void be_worker(struct egress *e, const struct worker *w, int link, pid_t parent)
{
	const struct work work = { link, e->shared, load_of(w), e->counts, e->idle_seconds };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || confine_worker(link) < 0)
		_exit(1);
	relay_work(&work);
}

static int start(struct workers *all, struct worker *w)
{
	struct egress *e = all->egress;
	pid_t parent = getpid(), pid;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	*w = (struct worker){ .all = all, .link = pair[0], .last = &w->first };
	pid = fork();
	if (pid == 0)
		be_worker(e, w, pair[1], parent);
	r = pid < 0 ? -errno : loop_watch(e->loop, w->link, POLLIN, heard, w);
	close(pair[1]);
	if (r < 0)
		close(w->link);
	return r;
}

/* 0: it is gone, or never will be. */
static int hand_over(struct worker *w, const struct handover *h, const int *fds)
{
	unsigned n = h->kind == HANDOVER_PAIR ? 2 : 0;
	int r = pass_send(w->link, h, sizeof(*h), fds, n);

	if (r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS)
		return r;
	while (n)
		close(fds[--n]);
	return 0;
}

static void flush_again(void *data)
{
	flush(data);
}

/* ETOOMANYREFS: the kernel bounds how many descriptors of a user's are on their way, wherever to. */
static void flush(struct worker *w)
{
	struct loop *l = w->all->egress->loop;
	int r = 0;

	while (w->first && (r = hand_over(w, &w->first->h, w->first->fds)) == 0) {
		struct waiting *gone = w->first;

		w->first = gone->next;
		if (!w->first)
			w->last = &w->first;
		free(gone);
	}
	if (w->ended)
		return;
	if (r < 0 && r != -EAGAIN)
		(void)loop_timer(l, AGAIN_MS, flush_again, w);
	(void)loop_watch(l, w->link, r == -EAGAIN ? POLLIN | POLLOUT : POLLIN, heard, w);
}

static int enqueue(struct worker *w, const struct handover *h, int first, int second)
{
	struct waiting *q = malloc(sizeof(*q));

	if (!q)
		return -ENOMEM;
	*q = (struct waiting){ NULL, { first, second }, *h };
	*w->last = q;
	w->last = &q->next;
	return 0;
}

static void tell_drain(struct worker *w)
{
	const struct handover h = { .kind = HANDOVER_DRAIN };

	if (enqueue(w, &h, -1, -1) == 0)
		flush(w);
}

/* The least busy; another one while there are processors for it, and when all are full. */
static struct worker *choose(struct workers *all)
{
	struct worker *best = NULL;
	uint32_t least = 0;

	for (unsigned i = 0; i < all->n; i++)
		if (!best || atomic_load(load_of(&all->each[i])) < least) {
			best = &all->each[i];
			least = atomic_load(load_of(best));
		}
	if (all->n == WORKERS_MAX || (best && (all->n < all->processors ? least == 0 : least < all->room)))
		return best;
	if (start(all, &all->each[all->n]) < 0)
		return best;
	best = &all->each[all->n++];
	if (all->draining)
		tell_drain(best);
	return best;
}

void workers_add(struct workers *all, int first, int second, bool published, struct counts *counts,
	const struct name *name)
{
	struct egress *e = all->egress;
	const struct handover h = { HANDOVER_PAIR, published, (uint16_t)(counts - e->counts),
		name ? name->number : 0 };
	const int fds[2] = { first, second };
	struct worker *w = choose(all);
	bool queued = false;

	if (w) {
		atomic_fetch_add(load_of(w), 1);
		if (!w->first && hand_over(w, &h, fds) == 0)
			return;
		queued = enqueue(w, &h, first, second) == 0;
	}
	if (queued) {
		if (w->first->next == NULL)
			flush(w);
		return;
	}
	if (w)
		atomic_fetch_sub(load_of(w), 1);
	socket_reset(first);
	socket_reset(second);
	counts_end(e->shared, counts, h.number);
}

void workers_drain(struct workers *all)
{
	all->draining = true;
	for (unsigned i = 0; i < all->n; i++)
		tell_drain(&all->each[i]);
}

bool workers_drained(struct workers *all)
{
	bool ended = true;

	for (unsigned i = 0; i < all->n; i++)
		if (all->each[i].first)
			return false;
	for (unsigned i = 0; i < all->n && !all->closed; i++)
		(void)shutdown(all->each[i].link, SHUT_WR);
	all->closed = true;
	for (unsigned i = 0; i < all->n; i++)
		ended &= all->each[i].ended;
	return ended;
}

uint32_t workers_room(const struct egress *e)
{
	return e->workers->room * WORKERS_MAX;
}

/* Of each connection two sockets, and an eighth for pipes, of which few hold bytes at a time (relay.c waits
 * for one). */
int workers_new(struct workers **ret, struct egress *e)
{
	struct workers *all = calloc(1, sizeof(*all));
	cpu_set_t set;

	if (!all)
		return -ENOMEM;
	all->egress = e;
	all->processors = 1;
	all->room = e->fds_max > 2 * FDS_BESIDE ? (e->fds_max - FDS_BESIDE) * 7 / 16 : 1;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		all->processors = MIN((unsigned)CPU_COUNT(&set), (unsigned)BUSY_MAX);
	*ret = all;
	return 0;
}
