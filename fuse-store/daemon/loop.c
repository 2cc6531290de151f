// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads that answer the kernel. One of them leads: it alone waits at /dev/fuse, so that a request
 * wakes one thread, and it answers by itself what needs no waiting. Before it would wait for a disk
 * it gives up the lead, and another takes it.
 *
 * A wake-up across processors costs more than an answer. So the leader asks the device again and
 * again for a while after each request before it sleeps: one that walks a tree sends the next within
 * microseconds. docs/performance.md, "The mount", has the figures.
 *
 * Where the administrator has enabled FUSE over io_uring, the kernel sends almost all requests to the
 * rings of the processors that ask (ring.h), and only what it cannot send there through the device.
 */
#define FUSE_USE_VERSION 314
#include "worker.h"

#include "ring.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

struct worker *server_worker(struct server *s)
{
	return pthread_getspecific(s->worker);
}

static void lead(struct worker *w)
{
	if (!w->leads)
		pthread_mutex_lock(&w->server->lead);
	w->leads = true;
}

void worker_yields(struct server *s)
{
	struct worker *w = server_worker(s);

	if (w->leads)
		pthread_mutex_unlock(&s->lead);
	w->leads = false;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The device is non-blocking. ENODEV is the end of the mount. */
static ssize_t io_read(int fd, void *buf, size_t len, void *data)
{
	struct server *s = data;
	const struct worker *w = server_worker(s);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t until = now_us() + s->poll_us;
	ssize_t n;

	for (;;) {
		n = read(fd, buf, len);
		if (n >= 0 || (errno != EAGAIN && errno != EINTR) || !w || w->guards)
			return n;
		if (s->poll_us > 0 && now_us() < until)
			continue;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -1;
		until = now_us() + s->poll_us;
	}
}

static ssize_t io_writev(int fd, struct iovec *iov, int n, void *data)
{
	struct server *s = data;
	const struct worker *w = server_worker(s);

	if (w && w->ring && ring_answer(w->ring, iov, n))
		return 0;
	handshake_amend(s, iov, n);
	return writev(fd, iov, n);
}

int server_transport(struct server *s, struct diag *d)
{
	static const struct fuse_custom_io io = { .read = io_read, .writev = io_writev };
	int r = -pthread_key_create(&s->worker, NULL);

	if (r == 0)
		r = fuse_session_custom_io(s->fuse, &io, s->device);
	return r < 0 ? diag_errno(d, r, "cannot set up the connection to the kernel") : 0;
}

static void *worker_main(void *data)
{
	struct worker *w = data;
	struct server *s = w->server;
	struct fuse_buf buf = { 0 };
	int r;

	pthread_setspecific(s->worker, w);
	for (;;) {
		lead(w);
		r = fuse_session_receive_buf(s->fuse, &buf);
		if (r == -EINTR)
			continue;
		if (r <= 0 || fuse_session_exited(s->fuse))
			break;
		fuse_session_process_buf(s->fuse, &buf);
	}
	worker_yields(s);
	eventfd_write(s->ended, 1);
	free(buf.mem);
	return NULL;
}

/* One that stores (ahead.c) may wait for a page whose READ nobody has taken from the device yet. The
 * guard takes what is there when that lasts; it looks only while files are being stored. */
#define GUARD_STEP_US 1000
#define GUARD_IDLE_US 100000

void guard_wake(struct server *s)
{
	if (!atomic_load(&s->guarded) && !atomic_exchange(&s->guarded, true))
		sem_post(&s->guard);
}

static void guard_look(struct server *s, struct fuse_buf *buf)
{
	struct pollfd p = { .fd = s->device, .events = POLLIN };
	uint64_t since;
	int r = 1;

	for (;;) {
		since = atomic_load(&s->storing_since);
		if (since == 0 || now_us() - since < s->guard_us || poll(&p, 1, 0) <= 0)
			return;
		r = fuse_session_receive_buf(s->fuse, buf);
		if (r <= 0)
			return;
		fuse_session_process_buf(s->fuse, buf);
	}
}

static void *guard_main(void *data)
{
	struct worker *w = data;
	struct server *s = w->server;
	struct fuse_buf buf = { 0 };
	uint64_t seen, now;

	pthread_setspecific(s->worker, w);
	for (;;) {
		for (seen = now = now_us(); now - seen < GUARD_IDLE_US; now = now_us()) {
			usleep(GUARD_STEP_US);
			if (atomic_load(&s->storing_since) != 0)
				seen = now_us();
			guard_look(s, &buf);
		}
		/* Who began to store before it could see that the guard sleeps is seen here. */
		atomic_store(&s->guarded, false);
		if (atomic_load(&s->storing_since) != 0 && !atomic_exchange(&s->guarded, true))
			continue;
		while (sem_wait(&s->guard) < 0)
			;
	}
	return NULL;
}

/* Who asked sleeps there until the answer: going on there costs no interrupt of another processor. */
static void stay_on(unsigned processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

static void *ring_main(void *data)
{
	struct worker *w = data;
	struct server *s = w->server;
	struct fuse_buf buf = { 0 };
	ssize_t n;
	int r;

	pthread_setspecific(s->worker, w);
	stay_on(ring_processor(w->ring));
	r = ring_register(w->ring);
	while (r == 0) {
		n = ring_next(w->ring, &buf.mem);
		r = (int)MIN(n, 0);
		buf.size = (size_t)MAX(n, 0);
		if (r == 0)
			fuse_session_process_buf(s->fuse, &buf);
	}
	if (r == -ENOTCONN || r == -ECONNABORTED)
		return NULL;
	fprintf(stderr, "io_uring: %s\n", strerror(-r));
	/* A thread that stores could wait for a request that nobody is left to take: none does any more. */
	pthread_mutex_lock(&s->storing);
	return NULL;
}

static int start(struct server *s, void *(*fn)(void *), struct ring *ring, bool guards)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (!w)
		return -ENOMEM;
	w->server = s;
	w->guards = guards;
	w->ring = ring;
	w->large = ring ? ring_payload(ring) : malloc(LARGE);
	if (!w->large) {
		free(w);
		return -ENOMEM;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 << 10);
	r = -pthread_create(&thread, &attr, fn, w);
	pthread_attr_destroy(&attr);
	if (r < 0)
		free(w);
	return r;
}

int server_workers(struct server *s, struct diag *d)
{
	int r = 0;

	pthread_mutex_init(&s->lead, NULL);
	pthread_mutex_init(&s->storing, NULL);
	atomic_store(&s->guarded, true);
	sem_init(&s->guard, 0, 0);
	for (unsigned i = 0; r == 0 && i < s->workers; i++)
		r = start(s, worker_main, NULL, false);
	if (r == 0 && s->read_ahead)
		r = start(s, guard_main, NULL, true);
	for (size_t i = 0; r == 0 && i < rings_count(s->rings); i++)
		r = start(s, ring_main, rings_at(s->rings, i), false);
	return r < 0 ? diag_errno(d, r, "cannot start the server's threads") : 0;
}
