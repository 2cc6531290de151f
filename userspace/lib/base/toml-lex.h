/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the parser is in the text, and the scalars it reads there. */
#ifndef CRATONS_BASE_TOML_LEX_H
#define CRATONS_BASE_TOML_LEX_H

#include "base/toml-node.h"
#include "prim/vec.h"

/* The text is a copy with a NUL behind it. As NUL is not allowed in TOML, looking at a byte needs no
 * bounds check, and neither does looking at the next once this one is known not to be NUL. */
struct toml_parser {
	struct toml_doc *doc;
	struct diag *d;
	const char *at, *end;
	const char *line_start;
	uint32_t line;
	const char *counted;		/* up to here the line's columns are known, */
	uint32_t counted_column;	/* when it is not plain ASCII */
	bool ascii;
	VEC(struct map *) maps;
};

/* Records a failure at `where`, in the current line, and returns -ERR_SYNTAX. */
int toml_fail(struct toml_parser *p, const char *where, const char *format, ...) _printf_(3, 4);
int toml_too_deep(struct toml_parser *p);

/* The position of p->at as the beginning, and later the end, of a place. */
struct toml_place toml_begin(struct toml_parser *p);
void toml_end(struct toml_parser *p, struct toml_place *place);

/* Over a newline (LF or CR LF) at p->at; false when there is none. */
bool toml_newline(struct toml_parser *p);
void toml_skip_space(struct toml_parser *p);

/* A string of any of the four kinds, which begins at p->at; keys may not span lines. */
int toml_lex_string(struct toml_parser *p, bool key, struct str *ret);
/* Booleans, numbers, dates. */
int toml_lex_word(struct toml_parser *p, struct toml_node *ret);

#endif
