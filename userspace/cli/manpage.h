/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manual pages as text: --help, `cratons help` and the completions' descriptions are all made
 * from the pages that are linked in, so that they cannot differ from what man shows. Understands the
 * part of mdoc(7) that the pages use; tests/cli compares its words with mandoc's.
 */
#ifndef CRATONS_CLI_MANPAGE_H
#define CRATONS_CLI_MANPAGE_H

#include "prim/buf.h"

/* Appends the page, filled to `width` columns, with STYLE marks (cmd.h). With `sections`, a list
 * "SYNOPSIS|OPTIONS", only those; NULL: all. 0, -ENOMEM or -ERR_LIMIT. */
int manpage_render(struct buf *ret, const char *mdoc, const char *sections, unsigned width);

/* Appends, as mdoc, what the page says of one of the verbs below its own: the other functions take that
 * like a page. -ENOENT when it says nothing. */
int manpage_below(struct buf *ret, const char *mdoc, const char *verb);

/* Whether a section is there. */
bool manpage_has(const char *mdoc, const char *section);

/* Appends the first sentence, without its full stop, of what the page says of an option: the .It
 * that names "-name" (the long form, as `.Fl -name`) or the letter. -ENOENT when it says nothing. */
int manpage_option(struct buf *ret, const char *mdoc, const char *name, char letter);

#endif
