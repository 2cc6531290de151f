// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes on their way from one descriptor to another, of which neither may block the supervisor. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>

bool copy_read(struct copy *c, int fd)
{
	ssize_t n = read(fd, c->data, sizeof(c->data));

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->from = 0;
	c->to = (size_t)n;
	return true;
}

/* A descriptor that is ready takes PIPE_BUF bytes without waiting (poll(2), pipe(7)). */
bool copy_write(struct copy *c, int fd)
{
	ssize_t n = write(fd, c->data + c->from, MIN(c->to - c->from, (size_t)4096));

	if (n > 0)
		c->from += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		c->from = c->to;
		return false;
	}
	return true;
}
