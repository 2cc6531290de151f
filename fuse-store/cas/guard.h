/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LMDB reads its file through a mapping and follows what it finds there. A file that is cut or changed
 * while a server has it open would end the server by SIGBUS or SIGSEGV; inside guard_run such a
 * signal ends only the lookup. The function must hold no lock and own nothing that it would have to
 * release. Signals that come outside of it go where they went before.
 */
#ifndef CRATONS_CAS_GUARD_H
#define CRATONS_CAS_GUARD_H

/* What fn returns, or -ERR_STORE. */
int guard_run(int (*fn)(void *data), void *data);

/* From within fn: ends it like a signal. Outside of one it returns. */
void guard_leave(void);

#endif
