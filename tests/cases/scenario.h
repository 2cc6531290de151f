/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolver scenarios: text that a person can read and add to (tests/cases/resolve/README says how).
 * A file holds scenarios; a scenario holds steps, each with the lockfile of the step before.
 */
#ifndef CRATONS_TESTS_SCENARIO_H
#define CRATONS_TESTS_SCENARIO_H

#include "engine/resolve/resolve.h"
#include "prim/vec.h"

struct scenario_release {
	struct str name;
	struct release release;
	VEC(struct dependency) dependencies;
	VEC(struct str) bundled;
};

struct scenario_tag {
	struct str name;
	struct dist_tag tag;
};

/* The registry after `nreleases` and `ntags` of the scenario's lists were added. */
struct step {
	unsigned line;
	size_t nreleases, ntags;
	struct manifest manifest;
	VEC(struct manifest_dependency) dependencies;
	VEC(struct manifest_override) overrides;
	VEC(struct manifest_extension) extensions;
	VEC(struct str) update;
	bool update_all;
	int64_t now;
	VEC(struct str) expect, warnings;
	struct str error, hint;
};

struct scenario {
	struct str title;
	VEC(struct scenario_release) releases;
	VEC(struct scenario_tag) tags;
	VEC(struct step) steps;
};

struct scenario_file {
	struct arena arena;
	VEC(struct scenario) scenarios;
};

/* The text must outlive the result. Fills the diagnostic with file:line for what it cannot read. */
int scenario_read(struct scenario_file *f, struct str text, const char *name, struct diag *d);
/* Adds a scenario of two steps made from `seed`, which expects nothing; with `met` no release needs
 * what the registry does not have. */
int scenario_random(struct scenario_file *f, uint64_t seed, bool met);
/* In the words that scenario_read takes; only what scenario_random makes. */
void scenario_write(const struct scenario *s, struct buf *ret);
void scenario_done(struct scenario_file *f);

/* Well-formed, and different for each. */
struct str scenario_integrity(struct arena *a, struct str name, struct str version);

/* A source that holds a step's registry and answers in an order made from `seed`; 0: without
 * looking ahead. */
struct scenario_source {
	struct arena arena;
	struct map packages;
	VEC(struct str) hinted;
	struct map asked;
	uint64_t seed;
};
int scenario_source_init(struct scenario_source *s, const struct scenario *sc,
	const struct step *step, uint64_t seed);
void scenario_source_done(struct scenario_source *s);
struct resolve_source scenario_source_of(struct scenario_source *s);

/* The lockfile in the words of scenarios. */
int scenario_print(const struct lockfile *l, struct buf *ret);

#endif
