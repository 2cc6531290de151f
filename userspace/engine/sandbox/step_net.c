// SPDX-License-Identifier: GPL-2.0-or-later
/* The network namespace: a loopback that is up, no other interface, no route out. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>

int net_prepare(struct plan *p, struct diag *d)
{
	return (p->s->net == SANDBOX_NET_DOOR) == (p->s->door != NULL) ? 0 :
		diag_fail(d, -EINVAL, "a network door that leads nowhere");
}

int net_enter(struct plan *p)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_fd_ int fd = -1;

	if (p->s->net == SANDBOX_NET_HOST)
		return 0;
	if (p->s->net == SANDBOX_NET_DOOR)
		return door_enter(p);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return -errno;
	return 0;
}
