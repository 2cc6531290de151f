/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A jail for Cratons itself, entered before bytes from the network are read: no capabilities, no
 * variables but those that libraries need, no_new_privs, Landlock as far as the kernel has it, the seccomp
 * profile "fetch". It holds for the calling thread and the threads it starts later, and cannot be left.
 * docs/jail.md says what is allowed and why.
 *
 * Unlike a container's walls this is no guarantee to the user but a second line behind parsers that
 * should not fail: where the kernel (or a container around us) has no Landlock or refuses filters, it
 * goes on with what there is, and says so.
 */
#ifndef CRATONS_ENGINE_SANDBOX_JAIL_H
#define CRATONS_ENGINE_SANDBOX_JAIL_H

#include "prim/diag.h"

struct jail {
	int write;			/* the one directory below which may be written */
	const char *const *read;	/* further files that may be read; those not there are skipped */
	size_t nread;
	const uint16_t *ports;		/* that may be connected to by TCP (Landlock ABI 4) */
	size_t nports;
};

struct jail_report {
	int landlock;	/* its ABI; 0: not in force */
	bool seccomp;
};

/* 0, or -ERR_NO_WALL when what this host has could not be put into force. */
int jail_enter(const struct jail *j, struct jail_report *ret, struct diag *d);

/* "Landlock ABI 7 (files, ports, scopes), seccomp". */
int jail_describe(const struct jail_report *r, struct buf *ret);

#endif
