/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parsed TOML document: plain arrays in one arena, filled by toml-parse, read by toml.c. Tables have
 * their entries sorted bytewise by key, so that lookup halves. Strings are borrowed from the library's
 * own tree, which lives as long as the document.
 */
#ifndef CRATONS_BASE_TOML_NODE_H
#define CRATONS_BASE_TOML_NODE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/arena.h"
#include "base/toml.h"

#define TOML_TEXT_MAX	((size_t)64 << 20)
#define TOML_DEPTH_MAX	64
#define TOML_DOTTED_MAX 16384	/* dotted keys and headers: the library searches a list of them */

struct toml_entry;

struct toml_node {
	struct toml_place place;
	enum toml_kind kind;
	uint32_t count;			/* of items or entries */
	union {
		struct str string;
		int64_t integer;
		double real;
		bool boolean;
		struct toml_node *items;
		struct toml_entry *entries;
	} u;
};

struct toml_entry {
	struct str key;
	struct toml_place place;
	struct toml_node value;
};

struct toml_doc {
	struct arena arena;
	struct str name;
	struct toml_node root;
	void *library;
};

/* Fills doc->root. -ERR_SYNTAX or -ERR_LIMIT with a place, or -ENOMEM. */
int toml_parse_text(struct toml_doc *doc, struct str text, struct diag *d);
/* Frees what the library holds. */
void toml_parse_done(struct toml_doc *doc);

#ifdef __cplusplus
}
#endif

#endif
