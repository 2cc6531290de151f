// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads that answer the kernel. One of them leads: it alone waits at /dev/fuse, so that a request
 * wakes one thread, and it answers by itself what needs no waiting. Before it would wait for a disk
 * it gives up the lead, and another takes it.
 *
 * A wake-up across processors costs more than an answer. So the leader asks the device again and
 * again for a while after each request before it sleeps: one that walks a tree sends the next within
 * microseconds. docs/performance.md, "The mount", has the figures.
 */
#define FUSE_USE_VERSION 314
#include "worker.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
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

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The device is non-blocking. ENODEV is the end of the mount. */
static ssize_t io_read(int fd, void *buf, size_t len, void *data)
{
	struct server *s = data;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t until = now_us() + s->poll_us;
	ssize_t n;

	for (;;) {
		n = read(fd, buf, len);
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
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
	return writev(fd, iov, n);
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

static int start(struct server *s)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (!w)
		return -ENOMEM;
	w->server = s;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 << 10);
	r = -pthread_create(&thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	if (r < 0)
		free(w);
	return r;
}

int server_workers(struct server *s, struct diag *d)
{
	static const struct fuse_custom_io io = { .read = io_read, .writev = io_writev };
	int r;

	pthread_mutex_init(&s->lead, NULL);
	r = -pthread_key_create(&s->worker, NULL);
	if (r == 0)
		r = fuse_session_custom_io(s->fuse, &io, s->device);
	for (unsigned i = 0; r == 0 && i < s->workers; i++)
		r = start(s);
	return r < 0 ? diag_errno(d, r, "cannot start the server's threads") : 0;
}
