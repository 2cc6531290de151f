/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_BASE_QUOTE_H
#define CRATONS_BASE_QUOTE_H

#include "prim/buf.h"

/* Appends the text in double quotes, as JSON (RFC 8259) and TOML both read it. DEL and U+0080 to U+009F
 * need no escape there, but drive the terminal that shows them: they get one. A byte that is not UTF-8
 * becomes U+FFFD. */
int buf_add_quoted(struct buf *to, struct str s);

#endif
