// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases. A session takes the first of the files leases/0, leases/1, … that nobody has locked, and
 * keeps it locked as long as it lives; so beginning one creates nothing once there are enough. Sessions
 * begin, and gc looks at leases, under the store's lock.
 */
#include "cas/writer-priv.h"

#include "base/fd.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#define LEASES_MAX 10000

static int write_header(struct cas_writer *w, unsigned slot)
{
	struct lease_header h = { .magic = LEASE_MAGIC };
	struct stat st;

	if (getrandom(&h.id, sizeof(h.id), 0) != sizeof(h.id))
		return -EIO;
	/* What the session before this one pinned goes; its block stays, for the disk may be full. */
	if (ftruncate(w->lease_fd, sizeof(h)) < 0 || futimens(w->lease_fd, NULL) < 0 ||
		fstat(w->lease_fd, &st) < 0)
		return -errno;
	h.start = nanoseconds(&st.st_mtim);
	lease_name(w->id, slot, h.id);
	return fd_write_all(w->lease_fd, &h, sizeof(h));
}

int lease_begin(struct cas_writer *w)
{
	for (unsigned slot = 0; slot < LEASES_MAX; slot++) {
		_cleanup_fd_ int fd = -1;
		char path[32];
		int r = slot ? 0 : fault_point("begin session");

		if (r < 0)
			return r;
		snprintf(path, sizeof(path), "leases/%u", slot);
		fd = openat(w->store_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			w->lease_fd = TAKE_FD(fd);
			return write_header(w, slot);
		}
		if (errno != EWOULDBLOCK)
			return -errno;
	}
	return -EUSERS;
}

void lease_end(struct cas_writer *w)
{
	if (w->lease_fd >= 0)
		close(TAKE_FD(w->lease_fd));
}

int lease_pin(struct cas_writer *w, const struct digest *trees, size_t n)
{
	int r = n ? fault_point("pin") : 0;

	return r < 0 || n == 0 ? r : fd_write_all(w->lease_fd, trees, n * sizeof(*trees));
}

void lease_name(char buf[LEASE_NAME_MAX], unsigned slot, uint64_t id)
{
	snprintf(buf, LEASE_NAME_MAX, "%u-%016llx", slot, (unsigned long long)id);
}
