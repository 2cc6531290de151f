/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives of locked packages: fetched in parallel, checked against their integrity, and unpacked
 * into the store by the workers while more arrives.
 */
#ifndef CRATONS_ENGINE_INSTALL_ARCHIVES_H
#define CRATONS_ENGINE_INSTALL_ARCHIVES_H

#include "engine/fetch/fetch.h"
#include "engine/install/install.h"

struct archives;

struct archives_options {
	bool allow_missing_integrity;
	bool offline;
	void (*warn)(void *data, const char *text);
	void *data;
};

struct archives_statistics {
	uint64_t wanted, done, bytes;
};

int archives_new(struct archives **ret, struct loop *l, struct pool *p, struct fetcher *f,
	struct cas_writer *w, const struct archives_options *o, struct diag *d);
/* After the pool, as for metadata_free. */
void archives_free(struct archives *a);
DEFINE_CLEANUP(struct archives *, archives_free);

/*
 * Sees to it that the package's tree will be in the store: nothing is done when it is, otherwise its
 * archive is asked for. p->tree, when it is set, is what the archive must give. A package may be
 * asked for more than once.
 */
int archives_want(struct archives *a, struct lock_package *p, struct diag *d);

/* One that will probably be wanted: a few of these are fetched and unpacked before they are. What was
 * guessed wrong costs its bytes, and gc takes it. */
void archives_guess(struct archives *a, const struct lock_package *p);

/* Waits for all that was wanted and sets each package's tree. The first failure ends it. */
int archives_wait(struct archives *a, void (*tick)(void *data), void *data, struct diag *d);
void archives_statistics(const struct archives *a, struct archives_statistics *ret);

#endif
