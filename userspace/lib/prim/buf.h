/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable run of bytes. Invariants: `data` is NULL or has `cap` bytes; `len < cap` once anything
 * was added; data[len] is always NUL, so that text can be handed to C functions. A buffer never
 * grows beyond `max` bytes (0: BUF_MAX_DEFAULT); what would is refused whole with -ERR_LIMIT.
 */
#ifndef CRATONS_PRIM_BUF_H
#define CRATONS_PRIM_BUF_H

#include "prim/attr.h"
#include "prim/str.h"

#include <stdarg.h>

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT { 0 }
#define _cleanup_buf_ _cleanup_(buf_done)

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);

/* Makes room for `more` bytes after len. -ERR_LIMIT or -ENOMEM; the contents are kept on failure. */
int buf_reserve(struct buf *b, size_t more);

/* All return 0, -ENOMEM or -ERR_LIMIT, and on failure leave the contents as they were. */
int buf_add(struct buf *b, const void *bytes, size_t len);
int buf_addc(struct buf *b, char c);
int buf_adds(struct buf *b, const char *text);
int buf_addstr(struct buf *b, struct str s);
int buf_addf(struct buf *b, const char *format, ...) _printf_(2, 3);
int buf_vaddf(struct buf *b, const char *format, va_list ap) _printf_(2, 0);

/* Sets the length to 0 and keeps the memory. */
void buf_reset(struct buf *b);

/* The text so far: "" when nothing was added. Valid until the next change. */
const char *buf_text(const struct buf *b);
struct str buf_str(const struct buf *b);

/* For text from outside that people will see, from the byte `from` on: '?' for each byte of what drives a
 * terminal (control codes but those in `spared`, DEL, U+0080 to U+009F and what an 8-bit terminal takes for
 * them) or makes a text look other than it is (marks of writing direction, other separators of lines). */
void buf_disarm(struct buf *b, size_t from, const char *spared);

/* Gives the memory away (the caller frees it) and leaves an empty buffer; NULL on -ENOMEM. */
char *buf_take(struct buf *b);

#endif
