/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons.lock: what was resolved, as text, TOML, sorted and the same byte for byte for the same
 * graph. A lockfile is input like any other: lockfile_parse accepts only what is well-formed and
 * consistent (every edge leads to a package, ids and names are valid, no paths in names, an integrity
 * or a tree for each package, links stay in the project), and says what is not and where.
 */
#ifndef CRATONS_ENGINE_LOCKFILE_H
#define CRATONS_ENGINE_LOCKFILE_H

#include "base/map.h"
#include "engine/manifest/manifest.h"

#define LOCKFILE_NAME "cratons.lock"
#define LOCKFILE_VERSION 1
#define LOCKFILE_PACKAGES_MAX 200000

struct lock_package;

struct lock_edge {
	struct str name;		/* as imported */
	struct lock_package *package;
};

struct lock_bin {
	struct str name;		/* the command */
	struct str path;		/* in the package */
};

/* Lists as the registry gives them: {"linux"}, {"!win32"}; empty: any. */
struct lock_platform {
	struct str *os, *cpu, *libc;
	size_t nos, ncpu, nlibc;
};

struct lock_package {
	struct str id;			/* "npm:express@4.19.2", "npm:x@1.0.0+<16 hex>" */
	struct str ecosystem, name, version;
	struct str peers_hash;		/* what follows '+', or empty */
	struct str source;		/* URL of the archive; "path:<dir>" for a linked directory */
	struct str integrity;		/* SRI; empty only with a tree or a path */
	struct digest tree;		/* zero until the package was once unpacked here */
	struct lock_edge *dependencies;	/* sorted by name; peers are among them */
	size_t ndependencies;
	struct str *optional;		/* names among dependencies that may be absent; sorted */
	size_t noptional;
	struct str *peers;		/* names among dependencies that were peers; sorted */
	size_t npeers;
	struct str *bundled;		/* names the archive brings itself: no edge; sorted */
	size_t nbundled;
	struct lock_bin *bins;		/* sorted by name */
	size_t nbins;
	struct lock_platform platform;
	bool scripts;			/* has lifecycle scripts */
	struct str deprecated;		/* the registry's words, or empty */
	size_t index;			/* position in the lockfile */
	struct toml_place place;	/* where it was read; zero when it was not */
};

struct lock_root_edge {
	struct str name;
	struct lock_package *package;
	struct str requirement;		/* as in the manifest */
	enum dependency_kind kind;
};

struct lock_root {
	struct str name;
	struct str path;		/* of a workspace member; "" for the project itself */
	struct lock_root_edge *dependencies;	/* sorted by name */
	size_t ndependencies;
};

struct lockfile {
	struct arena arena;
	struct toml_doc *doc;		/* what was parsed, whose strings are used; or NULL */
	struct digest manifest;
	struct lock_package **packages;	/* sorted by id */
	size_t npackages;
	struct lock_root *roots;	/* sorted by path, then name */
	size_t nroots;
	struct map by_id;		/* id → struct lock_package */
};

int lockfile_new(struct lockfile **ret);
void lockfile_free(struct lockfile *l);
DEFINE_CLEANUP(struct lockfile *, lockfile_free);

/* -ERR_LOCKFILE with file:line:column. Accepts any order and formatting; the result is settled. */
int lockfile_parse(struct lockfile **ret, struct str text, const char *name, struct diag *d);
/* cratons.lock in dirfd, or -ENOENT without a diagnostic. */
int lockfile_load(struct lockfile **ret, int dirfd, struct diag *d);

/* Sorts everything, checks the invariants and gives each package its index: to be called once after
 * a lockfile was made in memory, before anything else reads it. */
int lockfile_settle(struct lockfile *l, struct diag *d);
int lockfile_print(const struct lockfile *l, struct buf *ret);

struct lock_package *lockfile_find(const struct lockfile *l, struct str id);

/* From a `url` in the manifest rather than a registry: the version is made from the URL, and name and
 * version of what the archive holds are its own affair. */
static inline bool lock_is_tarball(const struct lock_package *p)
{
	return str_starts(p->version, STR("0.0.0-url-"));
}

/* Whether a package's lists allow this platform ("linux", "x64", "glibc"). */
struct platform {
	struct str os, cpu, libc;
};
bool lock_platform_allows(const struct lock_platform *p, const struct platform *host);
struct platform platform_host(void);

#endif
