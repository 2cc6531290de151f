/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TOML 1.0 (https://toml.io/en/v1.0.0) read through toml++, behind a C interface, with the position
 * of every key and value so that errors can name a line and edits can touch only what they change.
 * Nodes are borrowed from the document. Lookups on what is not a table give NULL, and every function
 * takes a NULL node as "not there".
 */
#ifndef CRATONS_BASE_TOML_H
#define CRATONS_BASE_TOML_H

#include "prim/buf.h"
#include "prim/diag.h"

enum toml_kind {
	TOML_NOTHING,
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOL,
	TOML_DATE,	/* any of the date and time kinds */
	TOML_ARRAY,
	TOML_TABLE,
};

/* Lines and columns count from 1; columns in code points; the end is behind the last one. 0 is unknown.
 * A table's place is its header, its braces or, when only dotted keys lead to it, the key; a table that
 * only stands above others has the place of the first of these. */
struct toml_place {
	uint32_t line, column;
	uint32_t end_line, end_column;
};

struct toml_doc;
struct toml_node;

/* `name` is the file's name for diagnostics: "<name>:line:column". -ERR_SYNTAX or -ENOMEM. Text is
 * limited to 64 MiB and values to a depth of 64 (-ERR_LIMIT). */
int toml_parse(struct toml_doc **ret, struct str text, const char *name, struct diag *d);
void toml_free(struct toml_doc *doc);
DEFINE_CLEANUP(struct toml_doc *, toml_free);

const struct toml_node *toml_root(const struct toml_doc *doc);
const char *toml_name(const struct toml_doc *doc);
enum toml_kind toml_kind(const struct toml_node *node);
struct toml_place toml_place(const struct toml_node *node);

const struct toml_node *toml_get(const struct toml_node *table, const char *key);
struct str toml_str(const struct toml_node *node);	/* .p == NULL when not a string */
int toml_int(const struct toml_node *node, int64_t *ret);	/* -EINVAL when not one */
int toml_bool(const struct toml_node *node, bool *ret);	/* -EINVAL when not one */

/* Arrays and tables by position. Tables give their keys sorted bytewise, whatever their order in the
 * text (the place of a key tells that). */
size_t toml_count(const struct toml_node *node);
const struct toml_node *toml_at(const struct toml_node *node, size_t i);
struct str toml_key_at(const struct toml_node *table, size_t i);
struct toml_place toml_key_place_at(const struct toml_node *table, size_t i);

/* Records where a failure is, as "<name>:line:column"; returns d's code. */
int toml_where(const struct toml_doc *doc, struct toml_place place, struct diag *d);

/* Appends a basic string or, where it may be bare, a bare key, quoted and escaped as TOML wants. */
int toml_put_string(struct buf *to, struct str s);
int toml_put_key(struct buf *to, struct str key);

#endif
