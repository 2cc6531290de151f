/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes for splice(2), held only while bytes are in them. Ordinary ones hold 64 KiB. A connection that fills
 * one gets a large one, which nearly doubles what goes through; few, as the kernel counts them against the
 * user's share (pipe-user-pages-soft), and takes what is beyond it from the pipes of all the user's programs.
 */
#ifndef CRATONS_HELPERS_EGRESS_PIPES_H
#define CRATONS_HELPERS_EGRESS_PIPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PIPES_KEPT   16
#define PIPE_BYTES   (64u << 10)
#define BULK_KEPT    2
#define BULK_BYTES   (256u << 10)
#define BULK_MAX     64		/* of all processes */

struct pipe {
	int r, w;		/* -1: none */
	bool bulk;
};
#define PIPE_NONE (struct pipe){ -1, -1, false }

/* Empty ones, for the next. */
struct pipes {
	_Atomic uint32_t *bulk;	/* how many large ones there are */
	struct pipe kept[PIPES_KEPT], kept_bulk[BULK_KEPT];
	unsigned nkept, nkept_bulk;
};

/* 0 or -errno: -EMFILE when there are no descriptors. */
int pipe_take(struct pipes *all, struct pipe *p);
/* Back, when `empty`; otherwise it is closed, with what is in it. */
void pipe_give(struct pipes *all, struct pipe *p, bool empty);
/* An empty one that was full. When large ones are refused it goes on with what it has. */
void pipe_enlarge(struct pipes *all, struct pipe *p);

#endif
