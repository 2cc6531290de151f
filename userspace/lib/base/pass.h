/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors over unix sockets (SCM_RIGHTS), beside the bytes of one packet. */
#ifndef CRATONS_BASE_PASS_H
#define CRATONS_BASE_PASS_H

#include "base/fd.h"

#define PASS_MAX 64	/* in one packet; the kernel allows 253 */

/* Without SIGPIPE. 0 or -errno: -ETOOMANYREFS while too many of the user's are on their way. */
int pass_send(int to, const void *bytes, size_t n, const int *fds, unsigned nfds);

/* Without waiting. Descriptors are close-on-exec, and are there also when it fails. -EPROTO when the packet is not
 * `size` long, or has more than `max`; 0: the end. */
ssize_t pass_receive(int from, void *bytes, size_t size, int *fds, unsigned max, unsigned *ret_nfds);

#endif
