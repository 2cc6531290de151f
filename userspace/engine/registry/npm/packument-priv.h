/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by packument.c (the document) and packument_version.c (one version in it). */
#ifndef CRATONS_NPM_PACKUMENT_PRIV_H
#define CRATONS_NPM_PACKUMENT_PRIV_H

#include "base/json.h"
#include "engine/registry/npm/packed.h"

/* The fields of one version that are looked at. */
#define FIELDS(X)                                                                                  \
	X(bin) X(bundleDependencies) X(bundledDependencies) X(cpu) X(dependencies) X(deprecated)   \
	X(dist) X(engines) X(gypfile) X(hasInstallScript) X(libc) X(name)                          \
	X(optionalDependencies) X(os) X(peerDependencies) X(peerDependenciesMeta) X(scripts)       \
	X(version)

enum field {
#define X(name) FIELD_##name,
	FIELDS(X)
#undef X
	FIELD_COUNT,
};

/* A dependency as it was found. */
struct found {
	struct str alias, requirement;
	enum dependency_kind kind;
};

struct found_list {
	VEC(struct found) v;
	uint32_t at;	/* where it was put into the words */
};

/* A release before they are put in order. */
struct candidate {
	struct packed_release packed;
	struct str text;
	struct version *version;
};

struct reader {
	struct str name;
	struct packer packer;
	struct arena arena;
	VEC(struct candidate) candidates;
	struct map by_text;	/* a version's text → its index in candidates, plus one */
	/* The dependencies of this release and of the one before: most often they are the same. */
	struct found_list lists[2];
	struct buf scratch;
	struct json field[FIELD_COUNT];
};

/* 1: this version is left out. */
#define LEFT_OUT 1

/* Reads the version that the document has under the name `version`: 0, LEFT_OUT or -ENOMEM. */
int packument_version(struct reader *r, struct str version, struct json v, struct candidate *c);

#endif
