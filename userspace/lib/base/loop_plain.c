// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop on epoll and plain system calls, for hosts and sandboxes that refuse io_uring. */
#include "base/loop-priv.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_A_STEP 128
#define WAKE UINT64_MAX		/* the eventfd's mark: no generation and descriptor give it */

struct plain {
	int epoll_fd;
};

static int control(struct plain *p, int op, int fd, struct epoll_event *e)
{
	return epoll_ctl(p->epoll_fd, op, fd, e) < 0 ? -errno : 0;
}

/* Descriptors that are closed leave the set by themselves: `armed` is a guess, tried first. */
static int plain_watch(struct loop *l, int fd)
{
	struct plain *p = l->backend;
	struct watch *w = &l->watches.v[fd];
	struct epoll_event e = { .events = w->events,
		.data.u64 = (uint64_t)w->gen << 32 | (uint32_t)fd };
	int r;

	if (!w->events) {
		w->armed = false;
		(void)control(p, EPOLL_CTL_DEL, fd, &e);
		return 0;
	}
	r = control(p, w->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);
	if (r == -ENOENT)
		r = control(p, EPOLL_CTL_ADD, fd, &e);
	else if (r == -EEXIST)
		r = control(p, EPOLL_CTL_MOD, fd, &e);
	w->armed = r == 0;
	if (r < 0)
		w->events = 0;
	return r;
}

static int whole_ms(uint64_t ns)
{
	if (ns == UINT64_MAX)
		return -1;
	return ns > 1000000ull * INT32_MAX ? INT32_MAX : (int)((ns + 999999) / 1000000);
}

static int plain_wait(struct loop *l, uint64_t ns)
{
	struct plain *p = l->backend;
	struct epoll_event events[EVENTS_A_STEP];
	int n = epoll_wait(p->epoll_fd, events, EVENTS_A_STEP, whole_ms(ns));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		uint64_t mark = events[i].data.u64;
		eventfd_t posts;

		if (mark == WAKE)
			(void)eventfd_read(l->wake_fd, &posts);
		else
			loop_deliver(l, (int)(uint32_t)mark, (uint32_t)(mark >> 32),
				events[i].events);
	}
	return 0;
}

static void plain_done(struct loop *l)
{
	struct plain *p = l->backend;

	close(p->epoll_fd);
	free(p);
}

static const struct backend_ops plain_ops = {
	.kind = LOOP_PLAIN,
	.watch = plain_watch,
	.write_file = loop_write_file_now,
	.wait = plain_wait,
	.done = plain_done,
};

int loop_plain_init(struct loop *l)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = WAKE };
	struct plain *p = malloc(sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0 || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &e) < 0) {
		r = -errno;
		if (p->epoll_fd >= 0)
			close(p->epoll_fd);
		free(p);
		return r;
	}
	l->backend = p;
	l->ops = &plain_ops;
	return 0;
}
