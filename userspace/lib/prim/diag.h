/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, in the user's terms, carried from where it is known to where it is printed.
 * One struct diag goes down with a call; the first failure fills it, callers may add a place, a
 * context or a next step. Libraries never print: the command line does, once.
 *
 *	return diag_fail(d, -ERR_MANIFEST, "unknown key '%s'", key);
 *
 * A NULL diag is accepted everywhere and records nothing. Text from outside (package names, server
 * answers) may be passed as it is: control characters are replaced when it is recorded, so that it
 * cannot drive a terminal.
 */
#ifndef CRATONS_PRIM_DIAG_H
#define CRATONS_PRIM_DIAG_H

#include "prim/buf.h"

struct diag {
	int code;		/* the negative code of the failure, 0 when there was none */
	struct buf what;	/* one sentence without a full stop */
	struct buf where;	/* "cratons.toml:12:3", a URL or a path; may be empty */
	struct buf hint;	/* the next step; may be empty */
};

#define DIAG_INIT { 0 }
#define _cleanup_diag_ _cleanup_(diag_done)

void diag_done(struct diag *d);
void diag_reset(struct diag *d);

/* Records code and sentence, replacing what was there, and returns code. */
int diag_fail(struct diag *d, int code, const char *format, ...) _printf_(3, 4);

/* Records "<sentence>: <strerror>" for a failed system call and returns the code. */
int diag_errno(struct diag *d, int code, const char *format, ...) _printf_(3, 4);

/* Each sets its part unless it was set since the failure. They return the failure's code, so that
 * `return diag_hint(d, "…")` works: without a diag that of this thread's last failure without one. */
int diag_where(struct diag *d, const char *format, ...) _printf_(2, 3);
int diag_hint(struct diag *d, const char *format, ...) _printf_(2, 3);

/* All of another diagnostic, replacing what was there; returns its code. */
int diag_copy(struct diag *d, const struct diag *from);

/* Makes an errno a failure of this domain, whose exit status it has then; passes 0 and other codes on. */
int diag_under(struct diag *d, int r, int code);

/* Puts "<context>: " before the sentence. */
int diag_context(struct diag *d, const char *format, ...) _printf_(2, 3);

#endif
