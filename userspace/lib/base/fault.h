/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection (make FAULT=1). Every step that changes the store, or the state of a container, passes
 * a fault_point first: the CRATONS_FAULT_AT-th one kills the process, or with CRATONS_FAULT_MODE=enospc
 * fails; how many there were is written to CRATONS_FAULT_COUNT_FILE when the process ends. A process that
 * is forked counts on from there. Otherwise it costs nothing.
 */
#ifndef CRATONS_BASE_FAULT_H
#define CRATONS_BASE_FAULT_H

#ifdef CRATONS_FAULT
int fault_point(const char *name);
#else
#define fault_point(name) (0)
#endif

#endif
