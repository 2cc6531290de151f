/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process that talks to registries tells the one that started it: frames on a stream socket,
 * a head and then `length` bytes. The reader takes no frame of an unknown kind, none longer than its
 * kind's maximum and none whose parts do not fill it exactly; after the result comes nothing. The
 * other direction carries no bytes: its end means that the result was taken.
 */
#ifndef CRATONS_WIRE_APART_H
#define CRATONS_WIRE_APART_H

#include <stdint.h>

enum apart_kind {
	APART_PROGRESS = 1,	/* struct apart_progress, then what is waited for */
	APART_WARN,		/* text for the user */
	APART_DETAIL,		/* text for who wants to know more */
	APART_RESULT,		/* struct apart_result, then its texts; once, and the last */
};

struct apart_head {
	uint32_t kind;
	uint32_t length;
};

struct apart_progress {
	uint32_t phase;
	uint32_t reserved;
	uint64_t done, total, bytes;
};

struct apart_result {
	int32_t code;			/* 0 or negative */
	uint32_t fetched;
	uint64_t bytes;
	uint32_t what, where, hint;	/* lengths: of a failure's diagnostic */
	uint32_t text;			/* … of what was asked for */
};

#define APART_LINE_MAX	 16384
#define APART_TEXT_MAX	 (64 << 20)
#define APART_RESULT_MAX (sizeof(struct apart_result) + 3 * APART_LINE_MAX + APART_TEXT_MAX)
#define APART_TALK_MAX	 100000		/* warnings and notes together */

_Static_assert(sizeof(struct apart_head) == 8, "the frame is a fixed format");
_Static_assert(sizeof(struct apart_progress) == 32, "the frame is a fixed format");
_Static_assert(sizeof(struct apart_result) == 32, "the frame is a fixed format");

#endif
