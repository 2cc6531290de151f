// SPDX-License-Identifier: GPL-2.0-or-later
#include "egress.h"

#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* Two sockets a connection, two pipes while bytes of both ways wait. */
#define FDS_A_CONNECTION 6
#define FDS_BESIDE	 (EGRESS_LISTENERS_MAX + 512)

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

static void raise_limits(struct egress *e)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = MIN(files.rlim_cur, (rlim_t)1 << 24);
	e->connections_max = files.rlim_cur < 2 * FDS_BESIDE ? (uint32_t)files.rlim_cur / 2 / FDS_A_CONNECTION :
		(uint32_t)(files.rlim_cur - FDS_BESIDE) / FDS_A_CONNECTION;
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
