// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INIT, the first exchange with the kernel, in which both say what they can. libfuse does it; what it
 * does not know of is added to its answer on the way out (handshake_amend).
 */
#define FUSE_USE_VERSION 314
#include "server.h"

#include "protocol.h"
#include "ring.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <unistd.h>

/* The kernel sends it when it mounts. */
#define PATIENCE_MS 10000

static uint32_t offered(const struct fuse_buf *buf)
{
	const struct protocol_in *header = buf->mem;
	const struct protocol_init_in *in = (const void *)(header + 1);

	return buf->size >= sizeof(*header) + sizeof(*in) && header->opcode == PROTOCOL_INIT &&
		(in->flags & PROTOCOL_INIT_EXT) ? in->flags2 : 0;
}

/* Before the kernel is told: once it was, it sends nothing until every processor has an entry. */
static void make_rings(struct server *s)
{
	int r = s->use_rings ? rings_new(&s->rings, s->device) : 0;

	if (r < 0)
		fprintf(stderr, "io_uring: %s: requests come through the device\n", strerror(-r));
}

int server_handshake(struct server *s, struct diag *d)
{
	struct pollfd p = { .fd = s->device, .events = POLLIN };
	struct fuse_buf buf = { 0 };
	int r;

	if (poll(&p, 1, PATIENCE_MS) <= 0)
		return diag_errno(d, -ETIMEDOUT, "the kernel does not greet the mount");
	r = fuse_session_receive_buf(s->fuse, &buf);
	if (r <= 0)
		return diag_errno(d, r ? r : -ENOTCONN, "cannot read what the kernel says");
	s->kernel_flags = offered(&buf);
	if (s->kernel_flags & PROTOCOL2_OVER_IO_URING)
		make_rings(s);
	s->greeting = true;
	fuse_session_process_buf(s->fuse, &buf);
	s->greeting = false;
	free(buf.mem);
	return fuse_session_exited(s->fuse) ? diag_errno(d, -EPROTO, "the kernel and libfuse disagree") : 0;
}

/* The kernel refuses entries that are too small for what was agreed on. */
static bool fits_rings(const struct protocol_init_out *out)
{
	return (size_t)out->max_pages * (size_t)sysconf(_SC_PAGESIZE) <= RING_PAYLOAD &&
		out->max_write <= RING_PAYLOAD;
}

void handshake_amend(struct server *s, struct iovec *iov, int n)
{
	struct protocol_init_out *out;

	if (!s->greeting || n < 2 || iov[1].iov_len < sizeof(*out))
		return;
	out = iov[1].iov_base;
	if (!fits_rings(out))
		rings_free(TAKE_PTR(s->rings));
	if (s->rings)
		out->flags2 |= PROTOCOL2_OVER_IO_URING;
	/* A request that nobody answers ends the mount with an error for all who wait: so does a server that
	 * was killed while it stored a page that a reader's request had locked. The kernel alone can end
	 * that, as the thread waits in it. */
	if (s->timeout_seconds > 0 && (s->kernel_flags & PROTOCOL2_REQUEST_TIMEOUT)) {
		out->flags2 |= PROTOCOL2_REQUEST_TIMEOUT;
		out->request_timeout = (uint16_t)s->timeout_seconds;
	}
	if (out->flags2)
		out->flags |= PROTOCOL_INIT_EXT;
}
