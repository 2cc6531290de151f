// SPDX-License-Identifier: GPL-2.0-or-later
#include "egress.h"

#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* Beside connections: what the helper itself and its listeners hold. */
#define FDS_BESIDE 256
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

/* Two sockets a connection, and an eighth for pipes, of which few hold bytes at a time (relay.c waits for
 * one). Root may raise its own limit; others have the one that their login was given. */
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

uint32_t egress_room(const struct egress *e)
{
	uint64_t beside = FDS_BESIDE + e->listeners.n;

	return beside >= e->fds_max ? 1 : (uint32_t)((e->fds_max - beside) * 7 / 16);
}

static int serve(struct egress *e)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r;

	/* io_uring would be another hole in the filter, and nothing here is queued by thousands. */
	r = loop_new(&e->loop, LOOP_PLAIN, &d);
	if (r == 0)
		r = names_init(&e->names);
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

	signal(SIGPIPE, SIG_IGN);
	raise_limits(&e);
	r = serve(&e);
	if (r < 0)
		fprintf(stderr, "cratons-egress: %s\n", strerror(r > -1024 ? -r : EPROTO));
	/* No way back through each part: the kernel takes all of it. */
	_exit(r < 0 ? 1 : e.status);
}
