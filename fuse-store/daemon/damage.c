// SPDX-License-Identifier: GPL-2.0-or-later
#include "server.h"

#include "base/fd.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>

/* Beyond this the store wants `cratons store verify`, not a list. */
#define DAMAGE_MAX 1024

struct damage {
	int fd;		/* opened before the server is confined */
	pthread_mutex_t lock;
	struct digest known[DAMAGE_MAX];
	size_t n;
};

int damage_new(struct damage **ret, int run_fd)
{
	struct damage *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->fd = openat(run_fd, FUSED_DAMAGED, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		0600);
	if (d->fd < 0) {
		r = -errno;
		free(d);
		return r;
	}
	pthread_mutex_init(&d->lock, NULL);
	*ret = d;
	return 0;
}

/* One write a line: O_APPEND keeps the lines of several servers apart. */
void damage_report(struct damage *d, const char *kind, const struct digest *what)
{
	char hex[DIGEST_HEX], line[DIGEST_HEX + 16];
	bool known = false;
	struct stat st;
	int n;

	n = snprintf(line, sizeof(line), "%s %s\n", kind, digest_hex(what, hex));
	pthread_mutex_lock(&d->lock);
	/* A command emptied the list: what it named is whole again, or to be told anew. */
	if (fstat(d->fd, &st) == 0 && st.st_size == 0)
		d->n = 0;
	for (size_t i = 0; i < d->n && !known; i++)
		known = digest_eq(&d->known[i], what);
	if (!known && d->n < DAMAGE_MAX) {
		d->known[d->n++] = *what;
		(void)!write(d->fd, line, (size_t)n);
		fprintf(stderr, "damaged: %s", line);
	}
	pthread_mutex_unlock(&d->lock);
}
