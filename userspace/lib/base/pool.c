// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/loop-priv.h"

#include <errno.h>
#include <signal.h>

struct job {
	struct job *next;
	loop_fn work, done;
	void *data;
};

struct queue {
	struct job *first, **last;
};

struct pool {
	struct loop *loop;
	struct post deliver;	/* posted when `finished` was empty */
	pthread_t *threads;
	unsigned nthreads;
	size_t queue_max;
	pthread_mutex_t lock;	/* guards what follows */
	pthread_cond_t more;
	struct queue waiting, finished;
	size_t nwaiting;
	bool ending;
};

static void queue_add(struct queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
}

static struct job *queue_take(struct queue *q)
{
	struct job *j = q->first;

	if (j) {
		q->first = j->next;
		if (!q->first)
			q->last = &q->first;
	}
	return j;
}

/* On the loop's thread. A callback may queue further jobs, but not free the pool. */
static void deliver(void *data)
{
	struct pool *p = data;
	struct job *j, *next;

	pthread_mutex_lock(&p->lock);
	j = p->finished.first;
	p->finished = (struct queue){ .last = &p->finished.first };
	pthread_mutex_unlock(&p->lock);
	for (; j; j = next) {
		struct job copy = *j;

		next = j->next;
		free(j);
		if (copy.done)
			copy.done(copy.data);
	}
}

/* The node is queued exactly while `finished` is not empty, or deliver() is about to empty it. */
static void finish(struct pool *p, struct job *j)
{
	bool first = !p->finished.first;

	queue_add(&p->finished, j);
	if (first)
		loop_post_node(p->loop, &p->deliver);
}

static void *worker(void *data)
{
	struct pool *p = data;

	pthread_mutex_lock(&p->lock);
	while (!p->ending) {
		struct job *j = queue_take(&p->waiting);

		if (!j) {
			pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		p->nwaiting--;
		pthread_mutex_unlock(&p->lock);
		j->work(j->data);
		pthread_mutex_lock(&p->lock);
		finish(p, j);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the loop's thread. */
static int start_workers(struct pool *p, unsigned threads)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (r == 0 && p->nthreads < threads) {
		r = -pthread_create(&p->threads[p->nthreads], NULL, worker, p);
		if (r == 0)
			p->nthreads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->nthreads ? 0 : r;
}

int pool_new(struct pool **ret, struct loop *l, unsigned threads, size_t queue_max)
{
	struct pool *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	threads = MAX(threads, 1u);
	p->loop = l;
	p->queue_max = MAX(queue_max, (size_t)1);
	p->deliver = (struct post){ .fn = deliver, .data = p };
	p->waiting.last = &p->waiting.first;
	p->finished.last = &p->finished.first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->threads = calloc(threads, sizeof(*p->threads));
	r = p->threads ? start_workers(p, threads) : -ENOMEM;
	if (r < 0) {
		pool_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void pool_free(struct pool *p)
{
	struct job *j;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i], NULL);
	loop_unpost(p->loop, &p->deliver);
	while ((j = queue_take(&p->waiting)) || (j = queue_take(&p->finished)))
		free(j);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p);
}

int pool_run(struct pool *p, loop_fn work, loop_fn done, void *data)
{
	struct job *j = malloc(sizeof(*j));
	int r = 0;

	if (!j)
		return -ENOMEM;
	*j = (struct job){ .work = work, .done = done, .data = data };
	pthread_mutex_lock(&p->lock);
	if (p->nwaiting >= p->queue_max) {
		r = -EAGAIN;
	} else {
		queue_add(&p->waiting, j);
		p->nwaiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	if (r < 0)
		free(j);
	return r;
}
