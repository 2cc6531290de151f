// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes on their way from one descriptor to another, of which neither may block the supervisor. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/uio.h>

int copy_read(struct copy *c, int fd)
{
	ssize_t n;

	c->data = c->data ? c->data : malloc(COPY_SIZE);
	n = c->data ? read(fd, c->data, COPY_SIZE) : -1;
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	c->at = c->data;
	c->left = (size_t)n;
	return 1;
}

/*
 * A descriptor that is ready takes PIPE_BUF bytes without waiting (poll(2), pipe(7)). A file takes what it is
 * given; a pipe is asked not to wait, which kernels before 6.4 cannot be, and takes what it has room for.
 */
static ssize_t write_ready(const struct copy *c, int fd)
{
	struct iovec part = { c->at, c->left };
	struct stat st = { 0 };
	ssize_t n;

	if (c->left <= PIPE_BUF || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return write(fd, c->at, c->left);
	if (S_ISFIFO(st.st_mode)) {
		n = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
		if (n >= 0 || errno != EOPNOTSUPP)
			return n;
	}
	return write(fd, c->at, PIPE_BUF);
}

bool copy_write(struct copy *c, int fd)
{
	ssize_t n = write_ready(c, fd);

	if (n > 0) {
		c->at += n;
		c->left -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		c->left = 0;
		return false;
	}
	return true;
}

bool copy_flush(struct copy *c, int fd)
{
	int r = fd_write_all(fd, c->at, c->left);

	c->left = 0;
	return r == 0;
}

/* What there is no memory to look through is not shown. */
static void take_masked(struct copy *c, int r)
{
	c->at = c->masked.data;
	c->left = r < 0 ? 0 : c->masked.len;
}

void copy_mask(struct copy *c)
{
	if (!c->mask.mask || copy_empty(c))
		return;
	buf_reset(&c->masked);
	take_masked(c, mask_feed(&c->mask, c->at, c->left, &c->masked));
}

void copy_mask_idle(struct copy *c)
{
	if (!c->mask.mask || !copy_empty(c))
		return;
	buf_reset(&c->masked);
	take_masked(c, mask_idle(&c->mask, &c->masked));
}

void copy_mask_end(struct copy *c)
{
	if (!c->mask.mask || !copy_empty(c))
		return;
	buf_reset(&c->masked);
	take_masked(c, mask_end(&c->mask, &c->masked));
}

void copy_done(struct copy *c)
{
	free(c->data);
	mask_stream_done(&c->mask);
	buf_done(&c->masked);
}
