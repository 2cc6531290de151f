/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the administrator's mount service (wire/mountd.h; man cratons-mountd). */
#ifndef CRATONS_BASE_MOUNTD_H
#define CRATONS_BASE_MOUNTD_H

#include "prim/diag.h"

#include <cratons/wire/mountd.h>

/* `directory`: an O_PATH descriptor of what to mount on or unmount, -1 for MOUNTD_HELLO. Gives a
 * descriptor of /dev/fuse for MOUNTD_MOUNT, otherwise 0. -ENXIO, with nothing recorded, where no such
 * service is to be had; -ERR_MOUNT with its reason when it refuses or does not answer. */
int mountd_ask(enum mountd_operation operation, int directory, struct diag *d);

#endif
