/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a TOML table whose keys are all known: a table of names, kinds and functions. What is not in
 * it is an error with its place and, where one is near, the key that was probably meant.
 */
#ifndef CRATONS_BASE_TOML_READ_H
#define CRATONS_BASE_TOML_READ_H

#include "base/toml.h"

struct toml_reader {
	const struct toml_doc *doc;	/* NULL: places are not known */
	struct diag *d;
	int code;	/* of every failure: -ERR_MANIFEST, -ERR_LOCKFILE */
};

struct toml_key {
	const char *name;
	enum toml_kind kind;	/* TOML_NOTHING: any, the function looks itself */
	int (*read)(struct toml_reader *r, const struct toml_node *value, void *into);
};

/* Records a failure at a place and returns r->code. */
int toml_read_fail(struct toml_reader *r, struct toml_place at, const char *format, ...)
	_printf_(3, 4);

/* Calls each key's function; `label` is the table in the reader's terms ("[install]"). */
int toml_read_table(struct toml_reader *r, const struct toml_node *table, const char *label,
	const struct toml_key *keys, size_t nkeys, void *into);

/* The failure for an unknown word, with the nearest of the known ones; never 0. `what` is "key",
 * "ecosystem". */
int toml_read_unknown(struct toml_reader *r, struct toml_place at, const char *what,
	struct str word, const char *label, const char *const *known, size_t nknown);

/* 0, or the failure that `value` is not of this kind. `label` names the value. */
int toml_read_kind(struct toml_reader *r, const struct toml_node *value, enum toml_kind kind,
	const char *label);

#endif
