/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames between a container's supervisor and what it starts: first the child that builds the
 * walls, then, on the same descriptor, cratons-init. One frame is one SOCK_SEQPACKET message of
 * exactly INIT_FRAME_SIZE bytes; anything else is an error and ends the container. When the
 * supervisor's end closes, init exits, and with pid 1 the kernel ends all that is in the container.
 */
#ifndef CRATONS_WIRE_INIT_H
#define CRATONS_WIRE_INIT_H

#include <stdint.h>

enum init_kind {
	/* To the supervisor, once each and in this order, but for STOPPED. */
	INIT_TTY = 1,	/* the pseudo-terminal's master comes with it (SCM_RIGHTS) */
	INIT_REFUSED,	/* a step failed: value is the errno, extra the step's number */
	INIT_TRIED,	/* doctor: the same for each step; value is 0 when it holds */
	INIT_STARTED,	/* the command runs */
	INIT_NO_COMMAND, /* it could not be executed: value is the errno */
	INIT_STOPPED,	/* value: the signal that stopped the command */
	INIT_EXITED,	/* value: the command's wait status */
	/* To init. */
	INIT_SIGNAL,	/* value: signal for the command's process group */
	INIT_CONTINUE,	/* value: 1 to give the command the terminal first */
};

#define INIT_DETAIL_MAX 240

struct init_frame {
	uint32_t kind;
	int32_t value;
	uint32_t extra;
	uint32_t length;		/* of detail */
	char detail[INIT_DETAIL_MAX];	/* what the step was at: a path, a name */
};

#define INIT_FRAME_SIZE 256
_Static_assert(sizeof(struct init_frame) == INIT_FRAME_SIZE, "the frame is a fixed format");

/* The descriptors that init starts with beside 0 to 2; the command sees neither. */
#define INIT_FD_CONTROL	 3
#define INIT_FD_TERMINAL 4	/* the slave, only when init's first argument has a 't' */

#endif
