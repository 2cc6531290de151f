// SPDX-License-Identifier: GPL-2.0-or-later
#include "egress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define FDS_WANTED (1u << 17)

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void egress_end(struct egress *e, int status)
{
	e->ending = true;
	e->status = status;
}

/* Root may raise its own limit; others have the one that their login was given. */
static void raise_limits(struct egress *e)
{
	struct rlimit files, more = { FDS_WANTED, FDS_WANTED };

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_max >= FDS_WANTED || setrlimit(RLIMIT_NOFILE, &more) < 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	} else {
		files = more;
	}
	e->fds_max = (uint32_t)MIN(files.rlim_cur, (rlim_t)1 << 24);
}

void socket_reset(int fd)
{
	const struct linger now = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

void counts_begin(struct egress *e, struct counts *c, const struct name *name)
{
	atomic_fetch_add(&c->connections, 1);
	atomic_fetch_add(&c->open, 1);
	atomic_fetch_add(&e->shared->open, 1);
	if (name)
		atomic_fetch_add(&e->shared->used[name->number], 1);
}

void counts_end(struct shared *s, struct counts *c, uint32_t number)
{
	atomic_fetch_sub(&c->open, 1);
	atomic_fetch_sub(&s->open, 1);
	if (number)
		atomic_fetch_sub(&s->used[number], 1);
}

static int share(struct egress *e)
{
	void *p = mmap(NULL, sizeof(*e->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	e->shared = p;
	return names_init(&e->names, e->shared->used);
}

static int serve(struct egress *e)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r;

	/* io_uring would be another hole in the filter, and nothing here is queued by thousands. */
	r = loop_new(&e->loop, LOOP_PLAIN, &d);
	if (r == 0)
		r = share(e);
	if (r == 0)
		r = control_start(e);
	if (r == 0)
		r = door_start(e);
	while (r == 0 && !e->ending)
		r = loop_step(e->loop, -1);
	return r;
}

int main(void)
{
	struct egress e = { .log.fd = -1, .inside = -1, .container = -1 };
	int r;

	/* What the supervisor's caller left open is not for us to keep. */
	(void)syscall(SYS_close_range, EGRESS_FD_COUNTS + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	raise_limits(&e);
	r = serve(&e);
	if (r < 0)
		fprintf(stderr, "cratons-egress: %s\n", strerror(r > -1024 ? -r : EPROTO));
	/* No way back through each part: the kernel takes all of it. */
	_exit(r < 0 ? 1 : e.status);
}
