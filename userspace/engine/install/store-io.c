// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/store-io.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

struct store_io {
	struct loop *loop;
	pthread_t thread;	/* the loop's */
	pthread_mutex_t lock;
	unsigned under_way;	/* requests that workers wait for */
	bool stopped;
};

struct request {
	struct store_io *io;
	int dirfd;
	const char *temporary, *name;
	const void *bytes;
	size_t len;
	int result;
	sem_t done;
};

static void written(void *data, int result)
{
	struct request *q = data;
	struct store_io *io = q->io;

	q->result = result;
	/* The request is the worker's, on its stack: it is not touched after this. */
	sem_post(&q->done);
	pthread_mutex_lock(&io->lock);
	io->under_way--;
	pthread_mutex_unlock(&io->lock);
}

static void submit(void *data)
{
	struct request *q = data;
	int r = loop_write_file(q->io->loop, q->dirfd, q->temporary, q->name, q->bytes, q->len,
		0600, false, written, q);

	if (r < 0)
		written(q, r);
}

static bool enter(struct store_io *io)
{
	bool open;

	pthread_mutex_lock(&io->lock);
	open = !io->stopped;
	io->under_way += open;
	pthread_mutex_unlock(&io->lock);
	return open;
}

static int write_by_loop(void *data, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len)
{
	struct store_io *io = data;
	struct request q = { io, dirfd, temporary, name, bytes, len };

	if (pthread_equal(pthread_self(), io->thread) || !enter(io))
		return -EAGAIN;
	sem_init(&q.done, 0, 0);
	if (loop_post(io->loop, submit, &q) < 0)
		written(&q, -EAGAIN);
	while (sem_wait(&q.done) < 0)
		;
	sem_destroy(&q.done);
	return q.result;
}

int store_io_new(struct store_io **ret, struct loop *l, struct cas_writer *w)
{
	struct store_io *io = calloc(1, sizeof(*io));
	struct cas_io hook = { write_by_loop, io };

	if (!io)
		return -ENOMEM;
	io->loop = l;
	io->thread = pthread_self();
	pthread_mutex_init(&io->lock, NULL);
	cas_writer_set_io(w, &hook);
	*ret = io;
	return 0;
}

static unsigned under_way(struct store_io *io)
{
	unsigned n;

	pthread_mutex_lock(&io->lock);
	n = io->under_way;
	pthread_mutex_unlock(&io->lock);
	return n;
}

void store_io_stop(struct store_io *io)
{
	if (!io)
		return;
	pthread_mutex_lock(&io->lock);
	io->stopped = true;
	pthread_mutex_unlock(&io->lock);
	while (under_way(io) > 0 && loop_step(io->loop, 100) >= 0)
		;
}

void store_io_free(struct store_io *io)
{
	if (!io)
		return;
	pthread_mutex_destroy(&io->lock);
	free(io);
}
