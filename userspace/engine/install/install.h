/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a project's cratons.toml to its environment in the store: read, resolve, fetch, unpack, build,
 * compose, record. What the store has already is not done again; with nothing to do, two files are
 * hashed and one fact is looked up.
 */
#ifndef CRATONS_ENGINE_INSTALL_H
#define CRATONS_ENGINE_INSTALL_H

#include "base/loop.h"
#include "cas/cas-write.h"
#include "engine/lock/lockfile.h"

/* A project directory and the home that serves it. Descriptors and paths are borrowed. */
struct project {
	int fd;
	const char *path;	/* absolute */
	int home_fd;
	const char *home;	/* absolute */
};

enum install_phase {
	INSTALL_RESOLVE,	/* done, total: metadata documents */
	INSTALL_FETCH,		/* done, total: packages */
	INSTALL_BUILD,		/* done, total: packages with scripts */
	INSTALL_COMPOSE,
};

struct install_progress {
	enum install_phase phase;
	uint64_t done, total, bytes;
	const char *waiting_for;	/* a URL or a package, or NULL; borrowed for the call */
};

enum install_network {
	INSTALL_ONLINE,
	INSTALL_PREFER_OFFLINE,	/* cached metadata counts, whatever its age */
	INSTALL_OFFLINE,
};

struct install_options {
	const struct project *settings;	/* whose .npmrc counts; NULL: the project's own */
	bool frozen;		/* the lockfile must be there and fit, and is not written */
	bool lock_only;		/* no environment */
	bool production;
	bool as_it_is;		/* what was installed will do: what failed then is not tried again */
	enum install_network network;
	bool update_all;	/* locked versions do not count */
	const struct str *update;	/* … of these names */
	size_t nupdate;
	unsigned script_seconds;	/* for each lifecycle script; 0: half an hour */
	unsigned jobs;		/* unpacking at once; 0: one a processor */
	enum loop_backend backend;
	void (*progress)(void *data, const struct install_progress *p);
	void (*warn)(void *data, const char *text);
	void (*detail)(void *data, const char *text);
	void *data;
};

struct install_result {
	struct digest environment;	/* zero with lock_only */
	struct digest node;		/* tree of the Node that [environment] asks for; or zero */
	bool nothing_to_do;
	bool lock_written;
	uint32_t packages;		/* in the environment */
	uint32_t fetched;		/* of these, fetched now */
	uint64_t bytes;			/* fetched */
	uint32_t left_out;		/* optional packages whose scripts failed */
	uint32_t scripts_waiting;	/* packages whose scripts were not allowed */
	struct lockfile *lockfile;	/* what holds now; NULL when nothing was to do */
};
void install_result_done(struct install_result *r);

int install(const struct project *p, const struct install_options *o, struct install_result *ret,
	struct diag *d);

/*
 * The environment that the project's files name, if the store has it: a digest, by nothing but
 * hashing and one look-up. -ENOENT (no diagnostic) when it has to be installed first.
 */
int install_environment(const struct project *p, struct cas *c, bool production, struct digest *ret);

/* Whether the project's allow-scripts names this package. */
bool install_allows_scripts(const struct manifest *m, const struct lock_package *p);

#endif
