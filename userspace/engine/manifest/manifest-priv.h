/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that read cratons.toml: one reader walks the document and fills one manifest. */
#ifndef CRATONS_ENGINE_MANIFEST_PRIV_H
#define CRATONS_ENGINE_MANIFEST_PRIV_H

#include "base/toml_read.h"
#include "engine/manifest/manifest.h"
#include "prim/vec.h"

#define MANIFEST_SIZE_MAX   ((size_t)4 << 20)
#define MANIFEST_LIST_MAX   20000	/* entries of any list */
#define REQUIREMENT_MAX	    2048
#define OVERRIDE_DEPTH_MAX  16

struct manifest_reader {
	struct toml_reader base;	/* first: a toml_reader is one of these */
	struct manifest *m;
	VEC(struct manifest_dependency) dependencies;
	VEC(struct manifest_override) overrides;
	VEC(struct manifest_extension) extensions;
	VEC(struct manifest_script) scripts;
	VEC(struct manifest_registry) registries;
	VEC(struct str) allow_scripts, allow_hosts;
};

static inline struct manifest_reader *manifest_reader(struct toml_reader *r)
{
	return container_of(r, struct manifest_reader, base);
}

/* The tables' readers, as struct toml_key wants them. `into` of the dependency tables points to their
 * enum dependency_kind. */
int manifest_read_dependencies(struct toml_reader *r, const struct toml_node *t, void *into);
int manifest_read_overrides(struct toml_reader *r, const struct toml_node *t, void *into);
int manifest_read_extensions(struct toml_reader *r, const struct toml_node *t, void *into);
int manifest_read_registries(struct toml_reader *r, const struct toml_node *t, void *into);

/* The whole document is one ecosystem's extensions. */
int manifest_read_extensions_file(struct manifest_reader *r, struct str ecosystem);

/* "name" or "name@range". */
bool manifest_target_valid(struct str s);

/* After all tables were read: what holds between entries. */
int manifest_check_dependencies(struct manifest_reader *r);
int manifest_resolve_overrides(struct manifest_reader *r);

/* A string that is one line of at most `max` bytes, or a failure that calls it `label`. */
int manifest_line(struct toml_reader *r, const struct toml_node *value, const char *label, size_t max,
	struct str *ret);

/* 0 if requirements under this ecosystem's name can be resolved; else the failure that says so. */
int manifest_ecosystem(struct toml_reader *r, struct str name, struct toml_place at,
	const char *label);

/* 0 if this text can stand as a requirement of npm; else a failure that says what to write instead. */
int manifest_requirement(struct toml_reader *r, struct str name, const struct toml_node *value,
	struct str *ret);

const char *dependency_kind_table(enum dependency_kind kind);

#endif
