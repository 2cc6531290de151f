/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons.toml as read: man cratons.toml. Every table and key is known; an unknown one is an error
 * with its place and, where one is near, a suggestion. Dependency tables are per ecosystem:
 * [dependencies.npm], [dev-dependencies.npm], [optional-dependencies.npm], [overrides.npm].
 */
#ifndef CRATONS_ENGINE_MANIFEST_H
#define CRATONS_ENGINE_MANIFEST_H

#include "base/arena.h"
#include "base/toml.h"
#include "prim/hash.h"

#define MANIFEST_NAME "cratons.toml"

enum dependency_kind {
	DEPENDENCY_NORMAL,
	DEPENDENCY_DEV,
	DEPENDENCY_OPTIONAL,
	DEPENDENCY_PEER,
	DEPENDENCY_PEER_OPTIONAL,
	DEPENDENCY_TOOL,	/* [environment]: beside the project's packages, not among them */
};

/* What the project asks for. Exactly one of requirement, url, path is set. */
struct manifest_dependency {
	struct str ecosystem;	/* "npm" */
	struct str name;	/* as imported */
	struct str requirement;	/* "^1.2", "latest", "npm:other@1" */
	struct str url;		/* a tarball, with `integrity` */
	struct str integrity;
	struct str path;	/* a directory, relative to the manifest */
	enum dependency_kind kind;
	struct toml_place place;
};

/* overrides.npm: a name (with the version range it applies to, or none), below a chain of parents
 * (nested tables; outermost first), is replaced by a requirement. */
struct manifest_override {
	struct str ecosystem;
	struct str *parents;
	size_t nparents;
	struct str target;	/* "name" or "name@range" */
	struct str requirement;
	struct toml_place place;
};

/* extensions.npm: what releases of a package need beyond what they declare. What they do declare holds,
 * but for a peer that may be absent after all. */
struct manifest_extension {
	struct str ecosystem;
	struct str target;	/* "name" or "name@range" */
	struct manifest_dependency *adds;	/* normal, peers, optional peers; sorted by name */
	size_t nadds;
};

struct manifest_script {
	struct str name, command;
};

struct manifest_registry {
	struct str ecosystem;
	struct str scope;	/* "@acme", or "" for the ecosystem's default registry */
	struct str url;		/* ends with '/' */
};

enum manifest_layout { LAYOUT_ISOLATED, LAYOUT_HOISTED };

struct manifest {
	struct arena arena;
	struct toml_doc *doc;
	struct str name, version, description;	/* [package]; empty where not given */
	bool private;
	struct str node;		/* [environment] node: a requirement, or empty */
	struct manifest_dependency *dependencies;
	size_t ndependencies;		/* sorted by ecosystem, kind, name */
	struct manifest_override *overrides;
	size_t noverrides;
	struct manifest_extension *extensions;
	size_t nextensions;		/* sorted by ecosystem, target */
	struct manifest_script *scripts;
	size_t nscripts;
	struct manifest_registry *registries;
	size_t nregistries;
	/* [install] */
	enum manifest_layout layout;
	int64_t minimum_age;		/* seconds; 0: none. "3d", "12h", "30m", or whole days */
	bool allow_missing_time;	/* minimum-age passes versions without a time */
	bool allow_missing_integrity;
	struct str *allow_hosts;	/* "host" or "host:port": archives may come from there too */
	size_t nallow_hosts;
	struct str *allow_scripts;	/* "npm:name" or "npm:name@version"; a bare "name" got its "npm:" */
	size_t nallow_scripts;
};

/* `name` is the file's name for diagnostics. -ERR_MANIFEST with a place. */
int manifest_parse(struct manifest **ret, struct str text, const char *name, struct diag *d);
/* cratons.toml in dirfd; -ERR_NO_MANIFEST with the way to make one. */
int manifest_load(struct manifest **ret, int dirfd, struct diag *d);
void manifest_free(struct manifest *m);
DEFINE_CLEANUP(struct manifest *, manifest_free);

/* A file that is nothing but one ecosystem's extensions: a manifest with these alone. */
int manifest_parse_extensions(struct manifest **ret, struct str text, struct str ecosystem,
	const char *name, struct diag *d);

/* The digest of what decides the graph (dependencies, overrides, extensions, registries, minimum-age, node): the
 * lockfile's `manifest`. Scripts, comments and the order of keys do not count. */
struct digest manifest_graph_digest(const struct manifest *m);

/*
 * Edits of the text that touch only the line they change: comments, order, quoting and line endings
 * stay. `ret` gets the whole new text, which was parsed again and found to hold what was asked.
 * Setting a dependency keeps an inline table's other keys. Removing what is not there is -ENOENT.
 */
int manifest_set_dependency(struct str text, const char *name, enum dependency_kind kind,
	struct str ecosystem, struct str package, struct str requirement, struct buf *ret,
	struct diag *d);
int manifest_remove_dependency(struct str text, const char *name, struct str ecosystem,
	struct str package, struct buf *ret, struct diag *d);

#endif
