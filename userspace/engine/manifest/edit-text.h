/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text side of edits: from places to bytes, and the few cuts and insertions that edits consist of.
 * Each appends the whole new text to `ret`. */
#ifndef CRATONS_ENGINE_EDIT_TEXT_H
#define CRATONS_ENGINE_EDIT_TEXT_H

#include "base/toml.h"

struct edit_text {
	struct str text;
};

struct edit_span {
	size_t from, to;
};

/* How a table is written. */
enum edit_shape {
	EDIT_HEADER,	/* [a.b] */
	EDIT_INLINE,	/* { … } */
	EDIT_DOTTED,	/* a.b.c = …, no place of its own */
};

enum edit_shape edit_shape(const struct edit_text *t, const struct toml_node *table);
struct edit_span edit_span(const struct edit_text *t, struct toml_place place);

int edit_splice(const struct edit_text *t, struct edit_span out, struct str in, struct buf *ret);

/* The lines from a key to the end of its value. */
int edit_cut_lines(const struct edit_text *t, struct toml_place key, struct toml_place value,
	struct buf *ret);
/* Entry i of an inline table, with a comma. */
int edit_cut_inline(const struct edit_text *t, const struct toml_node *table, size_t i,
	struct buf *ret);
/* Every line that writes into a dotted table. */
int edit_cut_dotted(const struct edit_text *t, const struct toml_node *table, struct buf *ret);
/* A header and all up to the next one, but not the comments above that. */
int edit_cut_section(const struct edit_text *t, const struct toml_doc *doc, struct toml_place header,
	struct buf *ret);

/* Key and value, as they are to stand, at the end of an inline table. */
int edit_add_inline(const struct edit_text *t, const struct toml_node *table, const char *key,
	const char *value, struct buf *ret);
/* A line among a table's lines, in its place where they are sorted by name, else behind them. -ENOENT
 * when the table has neither lines nor a header. */
int edit_add_line(const struct edit_text *t, const struct toml_node *table, struct str name,
	const char *key, const char *value, struct buf *ret);
/* A new [section.ecosystem] behind the tables that are usually above it. */
int edit_add_section(const struct edit_text *t, const struct toml_doc *doc, const char *section,
	struct str ecosystem, const char *key, const char *value, struct buf *ret);

#endif
