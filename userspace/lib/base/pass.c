// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pass.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	char room[CMSG_SPACE(PASS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int pass_send(int to, const void *bytes, size_t n, const int *fds, unsigned nfds)
{
	union control control = { 0 };
	struct iovec iov = { (void *)bytes, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	assert(nfds <= PASS_MAX);
	if (nfds) {
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nfds * sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	while (sendmsg(to, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

ssize_t pass_receive(int from, void *bytes, size_t size, int *fds, unsigned max, unsigned *ret_nfds)
{
	union control control;
	struct iovec iov = { bytes, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		/* Not CMSG_SPACE(): in its padding there is room for one descriptor more. */
		.msg_controllen = CMSG_LEN(max * sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n;

	assert(max <= PASS_MAX);
	n = recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
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
