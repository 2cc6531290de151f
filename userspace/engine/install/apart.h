/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The online part of an installation in a process of its own: forked, jailed (engine/sandbox/jail.h),
 * with the store and the network and nothing else. What registries send is parsed and unpacked only
 * there. It answers with a text, which the caller reads as input like any other; progress and warnings
 * come through while it works. It ends with its caller, whatever ends that.
 */
#ifndef CRATONS_ENGINE_INSTALL_APART_H
#define CRATONS_ENGINE_INSTALL_APART_H

#include "prim/buf.h"

#include <sys/types.h>

struct installation;

/* The process; while it is held its session with the store pins what it put. */
struct apart {
	pid_t pid;	/* 0: none */
	int fd;		/* -1: it was let go */
};

/* Runs there, online; what it changes in memory stays there. */
typedef int (*apart_fn)(struct installation *i, void *data, struct buf *ret);

/*
 * 0 with the text in ret, and i->result's fetched and bytes; or fn's failure with its diagnostic, or
 * -ERR_INSTALL when the process died or spoke nonsense. To be called before there are threads. Once what
 * was put is pinned by the caller's own session it is let go, and ends while the caller works on;
 * apart_end() waits for that.
 */
int apart_run(struct installation *i, apart_fn fn, void *data, struct buf *ret);
void apart_let_go(struct apart *a);
void apart_end(struct apart *a);

/* The other side (apart-child.c): does fn, sends the result over fd, and never returns. */
void apart_child(struct installation *i, int fd, pid_t parent, apart_fn fn, void *data)
	__attribute__((noreturn));

#endif
