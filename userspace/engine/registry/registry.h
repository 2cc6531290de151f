/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between the engine and an ecosystem. An ecosystem is one folder (registry/npm/…) that
 * fills one struct ecosystem; the engine's other parts know none of them by name. Functions take
 * bytes and give values: they make no requests and open no files.
 */
#ifndef CRATONS_ENGINE_REGISTRY_H
#define CRATONS_ENGINE_REGISTRY_H

#include "engine/lock/lockfile.h"
#include "engine/version/version.h"
#include "cas/cas-write.h"

/* An edge as a registry's metadata states it. */
struct dependency {
	struct str alias;	/* as imported */
	struct str name;	/* of the package: another than alias for "npm:other@1" */
	struct str requirement;
	enum dependency_kind kind;
};

struct release {
	struct str version;
	struct version *parsed;		/* of the ecosystem's scheme, in the package's arena */
	struct str deprecated;		/* empty: not */
	int64_t published;		/* ms since 1970; -1 when the registry does not say */

	/* The rest is there after release_load: a package has thousands of releases, of which one or
	 * two are looked at. */
	bool loaded;
	bool scripts;			/* has lifecycle scripts that run at installation */
	struct dependency *dependencies;	/* sorted by alias, each alias once */
	size_t ndependencies;
	struct str *bundled;
	size_t nbundled;
	struct lock_platform platform;
	struct lock_bin *bins;
	size_t nbins;
	struct str url;			/* of the archive */
	struct str integrity;		/* SRI, as strong as the registry has it; may be "sha1-…" */
	struct str engines;		/* npm engines.node, or empty */
};

struct dist_tag {
	struct str name, version;
};

/* One package's metadata: everything in `arena`. */
struct package {
	struct arena arena;
	struct str name;
	struct release *releases;	/* ascending by version */
	size_t nreleases;
	struct dist_tag *tags;		/* sorted by name; their versions are among the releases */
	size_t ntags;
	/* The ecosystem's own: what releases are loaded from. NULL: all are loaded. */
	int (*load)(struct package *p, struct release *r, struct diag *d);
	const void *packed;
	size_t npacked;
};

void package_free(struct package *p);
DEFINE_CLEANUP(struct package *, package_free);

/* Completes a release, which is one of p's: 0, -ENOMEM, or -ERR_METADATA where a cached document was
 * tampered with. Nothing to do when it was loaded. A package is used by one thread at a time. */
int release_load(const struct package *p, const struct release *r, struct diag *d);

struct compose_options {
	enum manifest_layout layout;
	bool production;	/* without the root's dev dependencies */
	bool cell_commands;	/* for running scripts: each package's dependencies' commands too */
	const bool *selected;	/* by package index: what this platform gets (engine/env/select.h) */
	/* The tree to present for a package: its archive's, or what its scripts made of it. */
	const struct digest *(*tree_of)(void *data, const struct lock_package *p);
	/* A tree's entries, for what has to be merged; borrowed. */
	int (*open_tree)(void *data, const struct digest *digest, const struct tree **ret,
		struct diag *d);
	void *data;
};

/* What a package wants to run when it is installed. Text lives in the arena it was made with. */
struct build_step {
	struct str name, command;	/* "postinstall", a line for /bin/sh, NUL-terminated */
};
struct build_plan {
	struct build_step *steps;
	size_t n;
	struct str *env;		/* "NAME=value", NUL-terminated */
	size_t nenv;
	struct str path;		/* the package's place in an environment (isolated layout) */
	struct str bin_dir;		/* where its dependencies' commands are: <bin_dir>.bin */
	struct str path_tail;		/* directories of the host for the end of PATH, or empty */
};

struct ecosystem {
	const char *name;		/* "npm": as in the manifest and in ids */
	const char *default_registry;	/* URL with '/' at its end */
	const struct version_scheme *versions;
	bool (*name_valid)(struct str name);
	/* What known packages lack: a file for manifest_parse_extensions(). May be NULL. */
	struct str (*extensions)(void);

	/* Appends the URL of a package's metadata to `ret`, and gives the Accept header. */
	int (*metadata_url)(struct str registry, struct str name, struct buf *ret,
		const char **ret_accept);
	/* Untrusted bytes to metadata: -ERR_METADATA names the package and the field. A version that
	 * is malformed is left out, not fatal. */
	int (*metadata_parse)(struct str body, struct str name, const char *url,
		struct package **ret, struct diag *d);
	/* The same in a compact form for the cache: what parse gives, nothing else. unpack takes it
	 * for input like any other: -ERR_METADATA also where it is another package's. */
	int (*metadata_pack)(const struct package *p, struct buf *ret);
	int (*metadata_unpack)(struct str packed, struct str name, struct package **ret,
		struct diag *d);

	/* Splits what a manifest or metadata says: "npm:other@^1" into name and requirement, which is
	 * then a range or a tag. -ERR_REQUIREMENT says what is wrong, or what else it is (a git
	 * repository, a URL, a path …), naming the alias. */
	int (*requirement_parse)(struct str alias, struct str text, struct arena *a,
		struct dependency *ret, struct diag *d);

	/* Puts an archive, whose integrity was checked, into the store: refused when it is not the
	 * package that `p` says. */
	int (*unpack)(struct cas_writer *w, struct str archive, const struct lock_package *p,
		struct str source, struct digest *ret_tree, struct diag *d);

	/* The layout: adds to `b` everything that the project's environment consists of besides the
	 * packages' own subtrees, and the subtrees. `tree_of` gives a package's tree. */
	int (*compose)(const struct lockfile *l, const struct lock_root *root,
		const struct compose_options *o, struct tree_builder *b, struct diag *d);
	/* What a package's own files say that it runs when it is installed; n is 0 when nothing.
	 * `node` is where Node is in the container, or NULL for the host's. */
	int (*build_plan)(struct cas *c, const struct lock_package *p, const char *node,
		struct arena *a, struct build_plan *ret, struct diag *d);

	/* Where compose's tree belongs in the project: "node_modules". */
	const char *mount_point;
};

/* By name; NULL when there is none. And all of them, NULL-terminated. */
const struct ecosystem *ecosystem_find(struct str name);
const struct ecosystem *const *ecosystems(void);

#endif
