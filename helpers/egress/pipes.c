// SPDX-License-Identifier: GPL-2.0-or-later
#include "pipes.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>

int pipe_take(struct pipes *all, struct pipe *p)
{
	int ends[2];

	if (p->r >= 0)
		return 0;
	if (all->nkept) {
		*p = all->kept[--all->nkept];
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*p = (struct pipe){ ends[0], ends[1], false };
	return 0;
}

void pipe_give(struct pipes *all, struct pipe *p, bool empty)
{
	if (p->r < 0)
		return;
	if (empty && !p->bulk && all->nkept < PIPES_KEPT) {
		all->kept[all->nkept++] = *p;
	} else if (empty && p->bulk && all->nkept_bulk < BULK_KEPT) {
		all->kept_bulk[all->nkept_bulk++] = *p;
	} else {
		if (p->bulk)
			atomic_fetch_sub(all->bulk, 1);
		close(p->r);
		close(p->w);
	}
	*p = PIPE_NONE;
}

void pipe_enlarge(struct pipes *all, struct pipe *p)
{
	if (all->nkept_bulk) {
		pipe_give(all, p, true);
		*p = all->kept_bulk[--all->nkept_bulk];
	} else if (atomic_fetch_add(all->bulk, 1) < BULK_MAX && fcntl(p->w, F_SETPIPE_SZ, BULK_BYTES) >= 0) {
		p->bulk = true;
	} else {
		atomic_fetch_sub(all->bulk, 1);
	}
}
