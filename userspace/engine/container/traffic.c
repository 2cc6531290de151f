// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes through a container's network door: counted by the helper in a file, kept in the record at the end. */
#include "engine/container/container-priv.h"

#include <fcntl.h>

void traffic_set(struct container_record *c, struct arena *a, const struct door_count *counts, size_t n)
{
	c->traffic = arena_newn(a, struct container_traffic, n + 1);
	for (size_t i = 0; c->traffic && i < n; i++)
		c->traffic[c->ntraffic++] = (struct container_traffic){ counts[i].grant,
			counts[i].connections, counts[i].refused, counts[i].bytes_out, counts[i].bytes_in };
}

/* A file that is not whole, or somebody else's, is as good as none. */
void traffic_read(int dir, struct arena *a, struct container_record *c)
{
	_cleanup_fd_ int fd = -1;
	struct door_count *counts;
	size_t n;

	if (c->ntraffic || !c->net || strcmp(c->net, "grants") != 0)
		return;
	fd = openat(dir, TRAFFIC, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && door_counts_read(fd, a, &counts, &n) == 0)
		traffic_set(c, a, counts, n);
}
