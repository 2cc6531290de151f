/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The resolver: requirements and metadata in, a lockfile out. It is a function of its inputs: it
 * makes no requests, and the order in which metadata arrives does not show in the result. What it
 * needs it asks of a struct resolve_source, first with `hint` (cheap, non-blocking, many), then with
 * `get` (waits).
 */
#ifndef CRATONS_ENGINE_RESOLVE_H
#define CRATONS_ENGINE_RESOLVE_H

#include "engine/registry/registry.h"

struct resolve_source {
	/* This package's metadata will probably be wanted. */
	void (*hint)(void *data, const struct ecosystem *e, struct str name);
	/* Borrowed until the source ends. -ERR_NO_PACKAGE where the registry has none. */
	int (*get)(void *data, const struct ecosystem *e, struct str name,
		const struct package **ret, struct diag *d);
	/*
	 * May be NULL. Waits until the answer for some hinted name is there (good or bad, `get` would
	 * not wait for it) that this was not told of before, and names it; false when nothing is
	 * outstanding. While the resolver waits for one name it uses this to look ahead through
	 * others that have come, so that downloads overlap. It changes nothing in the result.
	 */
	bool (*next)(void *data, const struct ecosystem **ret_e, struct str *ret_name);
	void *data;
};

struct resolve_options {
	const struct lockfile *locked;	/* the lockfile before, or NULL: its versions are preferred */
	const struct str *update;	/* names whose locked versions do not count */
	size_t nupdate;
	bool update_all;
	int64_t now;			/* ms since 1970, for minimum-age */
	struct platform host;		/* only for messages: the lockfile is for all platforms */
	/* Told once for each deprecated version chosen, and the like; may be NULL. */
	void (*warn)(void *data, const char *text);
	/* What a warning sums up, one by one; may be NULL. */
	void (*detail)(void *data, const char *text);
	void *data;
	/* This release, which this host can use, will probably be chosen: its archive can come while others
	 * are still waited for. A guess, and it may be told more than once; may be NULL. */
	void (*likely)(void *data, const struct ecosystem *e, const struct package *p,
		const struct release *release);
	void *likely_data;
};

/* -ERR_UNSATISFIABLE, -ERR_NO_PACKAGE, -ERR_TOO_NEW, …: the diagnostic tells the chain of
 * requirements in sentences. */
int resolve(const struct manifest *m, const struct resolve_source *source,
	const struct resolve_options *o, struct lockfile **ret, struct diag *d);

/*
 * What a requirement gets by itself, under the manifest's minimum-age: a tag's release, the latest
 * that satisfies, or the highest. Borrowed from the source. `now` is ms since 1970.
 * -ERR_NO_PACKAGE, -ERR_UNSATISFIABLE.
 */
int resolve_best(const struct manifest *m, const struct resolve_source *source, int64_t now,
	const struct ecosystem *e, const struct dependency *dep, const struct release **ret,
	struct diag *d);

/* Independent of the resolver: every edge satisfies its requirement, every peer is met or explained,
 * every package is reachable. Used by tests and by `cratons doctor`. */
int resolve_check(const struct manifest *m, const struct lockfile *l,
	const struct resolve_source *source, struct diag *d);

#endif
