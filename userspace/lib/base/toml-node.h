/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parsed TOML document: arrays in one arena, and strings that are mostly parts of one copy of the text. */
#ifndef CRATONS_BASE_TOML_NODE_H
#define CRATONS_BASE_TOML_NODE_H

#include "base/arena.h"
#include "base/map.h"
#include "base/toml.h"

#define TOML_TEXT_MAX  ((size_t)64 << 20)
#define TOML_DEPTH_MAX 64

/* Who made a table, which decides who may still add to it (toml.io, "Table", "Dotted keys"). */
enum toml_origin {
	TOML_IMPLICIT,	/* above a header: may yet get one, once */
	TOML_HEADER,
	TOML_DOTTED,	/* by a dotted key: takes more dotted keys and sub-tables, no header */
	TOML_INLINE,	/* takes nothing more */
};

struct toml_node {
	struct toml_place place;
	enum toml_kind kind;
	union {
		struct str string;
		int64_t integer;
		double real;
		bool boolean;
		struct toml_table *table;
		struct toml_array *array;
	} u;
};

struct toml_entry {
	struct str key;
	struct toml_place place;
	struct toml_node value;
};

/* Entries are in the order of the text while it is parsed, then sorted bytewise by key. */
struct toml_table {
	struct toml_entry *entries;
	uint32_t count, cap;
	enum toml_origin origin;
	struct map *index;	/* while parsing, for large tables */
};

struct toml_array {
	struct toml_node *items;
	uint32_t count, cap;
	bool of_tables;		/* made by [[…]], which may add to it */
};

struct toml_doc {
	struct arena arena;
	struct str name;
	struct toml_node root;
};

/* Fills doc->root. -ERR_SYNTAX or -ERR_LIMIT with a place, or -ENOMEM. */
int toml_parse_text(struct toml_doc *doc, struct str text, struct diag *d);

#endif
