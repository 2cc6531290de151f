/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's files written by the event loop: a worker that has packed an archive hands its file to
 * the loop's thread, where it is created, written, closed and renamed by one chain of requests, and
 * waits for that. A file written from the loop's own thread is written plainly.
 */
#ifndef CRATONS_ENGINE_INSTALL_STORE_IO_H
#define CRATONS_ENGINE_INSTALL_STORE_IO_H

#include "base/loop.h"
#include "cas/cas-write.h"

struct store_io;

/* To be called on the loop's thread; from then on the writer's files take this way. */
int store_io_new(struct store_io **ret, struct loop *l, struct cas_writer *w);

/* On the loop's thread, while workers may be writing: no further file takes this way, and those under
 * way are finished. Before the workers are waited for, who could wait for the loop. */
void store_io_stop(struct store_io *io);
void store_io_free(struct store_io *io);	/* after the workers */

#endif
