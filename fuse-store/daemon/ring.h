/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FUSE over io_uring (Linux 6.14; Documentation/filesystems/fuse/fuse-io-uring.rst). The kernel has a
 * queue of requests for each processor, and a server that registers entries with each of them gets
 * there what is asked on that processor. Here an entry has a ring and a thread of its own: a request
 * comes and its answer goes by one system call.
 *
 * A queue has more than one entry, as a thread may have to wait in the kernel for a page that another
 * request of the same processor is to fill (ahead.c).
 */
#ifndef CRATONS_DAEMON_RING_H
#define CRATONS_DAEMON_RING_H

#include "prim/diag.h"

#include <sys/uio.h>

#define RING_PAYLOAD ((size_t)1 << 20)	/* the most that one request or answer carries */

struct ring;
struct rings;

/* Rings for all processors that this kernel may ever have, or none: 0 or a negative code. They take
 * nothing but FUSE's commands to the device, so that a confined thread can do no more with one. */
int rings_new(struct rings **ret, int device);
void rings_free(struct rings *r);
DEFINE_CLEANUP(struct rings *, rings_free);
size_t rings_count(const struct rings *r);
struct ring *rings_at(struct rings *r, size_t i);
unsigned ring_processor(const struct ring *r);

/* Offers the ring to the kernel, once, by the thread that it is for, when the kernel has been told
 * that rings are used. */
int ring_register(struct ring *r);

/* Sends the answer to the last request and waits for the next: its bytes as they would come from the
 * device, valid until the next call, or a negative code. -ENOTCONN is the end of the mount. */
ssize_t ring_next(struct ring *r, void **ret);

/* Room for the bytes of an answer, which then need not be copied. */
char *ring_payload(struct ring *r);
/* True if the message answers the ring's request: then it will be sent. What is not (a notification)
 * goes through the device. */
bool ring_answer(struct ring *r, const struct iovec *iov, int n);

#endif
