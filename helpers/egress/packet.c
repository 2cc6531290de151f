// SPDX-License-Identifier: GPL-2.0-or-later
#include "egress.h"

#include <errno.h>
#include <sys/socket.h>

ssize_t packet_receive(int fd, void *bytes, size_t size, int *fds, unsigned max, unsigned *ret_nfds)
{
	union {
		char room[CMSG_SPACE(EGRESS_HANDOUT_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { bytes, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		/* Not CMSG_SPACE(): in its padding there is room for one descriptor more. */
		.msg_controllen = CMSG_LEN(max * sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	*ret_nfds = 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_len > CMSG_LEN(0) && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*ret_nfds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), *ret_nfds * sizeof(int));
	}
	if (n == 0)
		return 0;
	return (size_t)n != size || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ? -EPROTO : n;
}
