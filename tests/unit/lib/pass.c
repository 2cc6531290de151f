// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pass.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define MANY 8

/* What may come is said by who receives: more is no reason to write beyond it, nor to keep any open. */
static void send_packet(int to, size_t size, unsigned count)
{
	static const int fds[MANY] = { 0, 1, 2, 0, 1, 2, 0, 1 };
	const char bytes[64] = { 0 };

	cr_assert_eq(pass_send(to, bytes, size, fds, count), 0);
}

Test(pass, no_more_descriptors_than_are_taken)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned max = 1; max <= 4; max++)
		for (unsigned sent = 0; sent <= MANY; sent++) {
			int fds[MANY + 2];
			unsigned n;
			char bytes[16];
			ssize_t got;

			for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
				fds[i] = -7;
			send_packet(pair[1], sizeof(bytes), sent);
			got = pass_receive(pair[0], bytes, sizeof(bytes), fds, max, &n);
			cr_expect_eq(got, sent > max ? -EPROTO : (ssize_t)sizeof(bytes), "%u of %u: %zd", sent, max, got);
			cr_expect_eq(n, MIN(sent, max), "%u of %u: %u", sent, max, n);
			for (size_t i = max; i < ARRAY_SIZE(fds); i++)
				cr_expect_eq(fds[i], -7, "%u of %u: beyond", sent, max);
			while (n)
				close(fds[--n]);
		}
}

Test(pass, exactly_the_size)
{
	int pair[2], fd;
	char bytes[16];
	unsigned n;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	send_packet(pair[1], 15, 0);
	cr_expect_eq(pass_receive(pair[0], bytes, 16, &fd, 1, &n), -EPROTO);
	send_packet(pair[1], 17, 0);
	cr_expect_eq(pass_receive(pair[0], bytes, 16, &fd, 1, &n), -EPROTO);
	cr_expect_eq(pass_receive(pair[0], bytes, 16, &fd, 1, &n), -EAGAIN);
	close(pair[1]);
	cr_expect_eq(pass_receive(pair[0], bytes, 16, &fd, 1, &n), 0);
}
