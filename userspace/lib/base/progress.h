/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a long job is, for a person. A job has phases, which may overlap (resolving, fetching); each
 * has a live line while it lasts and leaves one plain line when it ends:
 *
 *	Resolving  212 of 650  3.1 MB  1.2 MB/s  waiting for https://registry.npmjs.org/next
 *
 * Not on a terminal there are only plain lines: one when a phase ends, and one every few seconds
 * while it lasts. Lines fit the terminal's width and are drawn at most 20 times a second; the cursor
 * rests at the start of the live lines, so that wiping to the end of the screen removes them.
 * One thread uses it. Every function takes a NULL struct progress and then does nothing.
 */
#ifndef CRATONS_BASE_PROGRESS_H
#define CRATONS_BASE_PROGRESS_H

#include "prim/attr.h"

#include <stdbool.h>

#define PROGRESS_PHASES 8

struct progress_options {
	int fd;
	bool live;	/* a terminal that understands \r and ANSI codes */
	bool color;
	/* For tests: ms from some start, and columns. NULL: the monotonic clock, the terminal's. */
	uint64_t (*now)(void *data);
	unsigned (*width)(void *data);
	void *data;
};

struct progress;
int progress_new(struct progress **ret, const struct progress_options *o);
void progress_free(struct progress *p);		/* removes the live lines */
DEFINE_CLEANUP(struct progress *, progress_free);

/* Starts a phase: "Resolving" while it lasts, "Resolved" when it is over; `noun` is what is counted,
 * a plural with an s: "packages". Borrowed texts. Returns its number for the functions below, or -1. */
int progress_start(struct progress *p, const char *doing, const char *done, const char *noun);

/* Each is cheap and draws when it is time. `total` 0 is unknown. */
void progress_count(struct progress *p, int phase, uint64_t done, uint64_t total);
void progress_bytes(struct progress *p, int phase, uint64_t bytes);
void progress_waits(struct progress *p, int phase, const char *what);	/* copied; NULL: nothing */

/* Draws when it is time: to be called while waiting, so that rates keep moving. */
void progress_tick(struct progress *p);

/* Ends a phase with its plain line; a phase that counted nothing leaves none. */
void progress_end(struct progress *p, int phase);

/* Removes the live lines, because something else is about to be printed; they come back with the next
 * drawing. */
void progress_hide(struct progress *p);

#endif
