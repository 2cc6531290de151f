// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/loop-priv.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#define NS_PER_MS 1000000ull

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int start_backend(struct loop *l, enum loop_backend want)
{
	int r = -ENOSYS;

	if (want != LOOP_PLAIN)
		r = loop_uring_init(l);
	if (r < 0 && want != LOOP_URING)
		r = loop_plain_init(l);
	return r;
}

int loop_new(struct loop **ret, enum loop_backend want, struct diag *d)
{
	struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->last = &l->first;
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	r = l->wake_fd < 0 ? -errno : start_backend(l, want);
	if (r < 0) {
		loop_free(l);
		return diag_errno(d, r, "cannot start an event loop%s",
			want == LOOP_URING ? " on io_uring" : "");
	}
	*ret = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->ops)
		l->ops->done(l);
	while (l->first) {
		struct post *p = l->first;

		l->first = p->next;
		if (p->owned)
			free(p);
	}
	vec_done(&l->watches);
	vec_done(&l->timers);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

enum loop_backend loop_backend(const struct loop *l)
{
	return l->ops->kind;
}

int loop_watch(struct loop *l, int fd, unsigned events, loop_fd_fn fn, void *data)
{
	struct watch *w;

	if (fd < 0)
		return -EBADF;
	while ((size_t)fd >= l->watches.n) {
		int r = vec_push(&l->watches, (struct watch){ 0 });

		if (r < 0)
			return r;
	}
	w = &l->watches.v[fd];
	w->events = events;
	w->fn = fn;
	w->data = data;
	w->gen++;
	return l->ops->watch(l, fd);
}

bool loop_deliver(struct loop *l, int fd, uint32_t gen, unsigned events)
{
	struct watch *w = &l->watches.v[fd];

	if (w->gen != gen || !w->events)
		return w->events != 0;
	w->fn(w->data, fd, events);
	return l->watches.v[fd].events != 0;	/* the vector may have moved */
}

/* Timers: a binary heap. There are a few dozen at the most, so cancelling searches. */

static bool earlier(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->id < b->id;
}

static void swap_timers(struct timer *a, struct timer *b)
{
	struct timer t = *a;

	*a = *b;
	*b = t;
}

static void sift(struct loop *l, size_t i)
{
	struct timer *v = l->timers.v;

	for (; i > 0 && earlier(&v[i], &v[(i - 1) / 2]); i = (i - 1) / 2)
		swap_timers(&v[i], &v[(i - 1) / 2]);
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < l->timers.n && earlier(&v[child + 1], &v[child]))
			child++;
		if (child >= l->timers.n || !earlier(&v[child], &v[i]))
			return;
		swap_timers(&v[i], &v[child]);
		i = child;
	}
}

static void remove_timer(struct loop *l, size_t i)
{
	l->timers.v[i] = l->timers.v[--l->timers.n];
	if (i < l->timers.n)
		sift(l, i);
}

uint64_t loop_timer(struct loop *l, uint64_t ms, loop_fn fn, void *data)
{
	uint64_t now = now_ns(), at;
	struct timer t = { .id = ++l->timer_id, .fn = fn, .data = data };

	if (__builtin_mul_overflow(ms, NS_PER_MS, &at) || __builtin_add_overflow(at, now, &at))
		at = UINT64_MAX;
	t.at = at;
	if (vec_push(&l->timers, t) < 0)
		return 0;
	sift(l, l->timers.n - 1);
	return t.id;
}

void loop_timer_cancel(struct loop *l, uint64_t timer)
{
	for (size_t i = 0; timer && i < l->timers.n; i++)
		if (l->timers.v[i].id == timer) {
			remove_timer(l, i);
			return;
		}
}

/* Timers made by these callbacks wait for the next step, so that they cannot starve the rest. */
static void run_timers(struct loop *l)
{
	uint64_t now = now_ns(), newest = l->timer_id;

	while (l->timers.n && l->timers.v[0].at <= now && l->timers.v[0].id <= newest) {
		struct timer t = l->timers.v[0];

		remove_timer(l, 0);
		t.fn(t.data);
	}
}

/* Posts */

void loop_post_node(struct loop *l, struct post *p)
{
	uint64_t one = 1;
	bool wake;

	p->next = NULL;
	pthread_mutex_lock(&l->lock);
	*l->last = p;
	l->last = &p->next;
	l->nposts++;
	wake = !l->woken;
	l->woken = true;
	pthread_mutex_unlock(&l->lock);
	if (wake)
		(void)!write(l->wake_fd, &one, sizeof(one));
}

void loop_unpost(struct loop *l, struct post *p)
{
	pthread_mutex_lock(&l->lock);
	for (struct post **at = &l->first; *at; at = &(*at)->next)
		if (*at == p) {
			*at = p->next;
			if (!p->next)
				l->last = at;
			l->nposts--;
			break;
		}
	pthread_mutex_unlock(&l->lock);
}

int loop_post(struct loop *l, loop_fn fn, void *data)
{
	struct post *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct post){ .fn = fn, .data = data, .owned = true };
	loop_post_node(l, p);
	return 0;
}

static bool take_post(struct loop *l, struct post **ret)
{
	struct post *p;

	pthread_mutex_lock(&l->lock);
	p = l->first;
	if (p) {
		l->first = p->next;
		if (!l->first)
			l->last = &l->first;
		l->nposts--;
	}
	pthread_mutex_unlock(&l->lock);
	*ret = p;
	return p;
}

/* Taken one by one: a callback may withdraw a later one (pool_free). */
static void run_posts(struct loop *l)
{
	struct post *p;
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->nposts;
	l->woken = false;
	pthread_mutex_unlock(&l->lock);
	while (n-- && take_post(l, &p)) {
		struct post copy = *p;

		if (p->owned)
			free(p);
		copy.fn(copy.data);
	}
}

int loop_step(struct loop *l, int timeout_ms)
{
	uint64_t ns = timeout_ms < 0 ? UINT64_MAX : (uint64_t)timeout_ms * NS_PER_MS;
	int r;

	if (l->timers.n) {
		uint64_t now = now_ns(), at = l->timers.v[0].at;

		ns = MIN(ns, at > now ? at - now : 0);
	}
	r = l->ops->wait(l, ns);
	if (r < 0)
		return r;
	run_posts(l);
	run_timers(l);
	return 0;
}

/* File writes on plain system calls */

static int write_temporary(int fd, const void *bytes, size_t len, bool sync)
{
	int r = fd_write_all(fd, bytes, len);

	if (r == 0 && sync && fdatasync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

int loop_write_steps(int dirfd, const char *temporary, const char *name, const void *bytes,
	size_t len, mode_t mode, bool sync)
{
	int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = write_temporary(fd, bytes, len, sync);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r;
}

struct written {
	loop_write_fn fn;
	void *data;
	int result;
};

static void tell_written(void *data)
{
	struct written w = *(struct written *)data;

	free(data);
	w.fn(w.data, w.result);
}

int loop_write_file_now(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data)
{
	struct written *w = malloc(sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	*w = (struct written){ .fn = fn, .data = data };
	w->result = loop_write_steps(dirfd, temporary, name, bytes, len, mode, sync);
	r = loop_post(l, tell_written, w);
	if (r < 0)
		free(w);
	return r;
}

int loop_write_file(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, mode_t mode, bool sync, loop_write_fn fn, void *data)
{
	return l->ops->write_file(l, dirfd, temporary, name, bytes, len, mode, sync, fn, data);
}
