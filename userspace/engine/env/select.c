// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/env/select.h"

#include "prim/err.h"

#include <errno.h>

static int compare_str(const void *key, const void *element)
{
	return str_cmp(*(const struct str *)key, *(const struct str *)element);
}

bool lock_edge_optional(const struct lock_package *p, const struct lock_edge *e)
{
	return p->noptional &&
	       bsearch(&e->name, p->optional, p->noptional, sizeof(struct str), compare_str);
}

static bool is_unfit(const struct lock_package *p, const struct lock_wish *wish)
{
	return !lock_platform_allows(&p->platform, &wish->host) ||
	       (wish->without && wish->without[p->index]);
}

/* For each package NULL, itself when it is unfit, or what it needs that was unfit before it. */
typedef const struct lock_package *unfit_t;

/* A package is unfit when it does not support the host or needs one that is unfit: repeated until
 * nothing changes, as the graph may have cycles. */
static void mark_unfit(const struct lockfile *l, const struct lock_wish *wish, unfit_t *unfit)
{
	bool changed = true;

	for (size_t i = 0; i < l->npackages; i++)
		unfit[i] = is_unfit(l->packages[i], wish) ? l->packages[i] : NULL;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < l->npackages; i++) {
			const struct lock_package *p = l->packages[i];

			for (size_t j = 0; j < p->ndependencies && !unfit[i]; j++)
				if (unfit[p->dependencies[j].package->index] &&
						!lock_edge_optional(p, &p->dependencies[j])) {
					unfit[i] = p->dependencies[j].package;
					changed = true;
				}
		}
	}
}

/* The package at the end of the chain that is itself unfit, for the message. */
static const struct lock_package *culprit(const struct lock_package *p, const unfit_t *unfit)
{
	while (unfit[p->index] != p)
		p = unfit[p->index];
	return p;
}

static int refuse(const struct lock_root_edge *e, const struct lock_wish *wish,
	const unfit_t *unfit, struct diag *d)
{
	const struct lock_package *p = culprit(e->package, unfit);
	const struct platform *host = &wish->host;
	_cleanup_buf_ struct buf chain = BUF_INIT;

	if (p != e->package && buf_addf(&chain, "%.*s needs ", STR_ARG(e->package->id)) < 0)
		return -ENOMEM;
	if (lock_platform_allows(&p->platform, host))
		return diag_fail(d, -ERR_INSTALL, "%s%.*s, which cannot be had", buf_text(&chain),
			STR_ARG(p->id));
	diag_fail(d, -ERR_INSTALL, "%s%.*s%s does not support this platform (%.*s, %.*s, %.*s)",
		buf_text(&chain), STR_ARG(p->id), chain.len ? ", which" : "", STR_ARG(host->os),
		STR_ARG(host->cpu), STR_ARG(host->libc));
	return diag_hint(d, "if the project works without it, declare %.*s under "
		"[optional-dependencies]", STR_ARG(e->name));
}

/* The list is as long as there are packages: each is entered once. */
static void reach(const struct lockfile *l, const unfit_t *unfit, struct lock_package **list, size_t n,
	bool *ret)
{
	while (n > 0) {
		const struct lock_package *p = list[--n];

		for (size_t i = 0; i < p->ndependencies; i++) {
			struct lock_package *q = p->dependencies[i].package;

			if (ret[q->index] || unfit[q->index])
				continue;
			ret[q->index] = true;
			list[n++] = q;
		}
	}
}

int lock_select(const struct lockfile *l, const struct lock_root *root, const struct lock_wish *wish,
	bool *ret, struct diag *d)
{
	_cleanup_free_ unfit_t *unfit = calloc(l->npackages + 1, sizeof(*unfit));
	_cleanup_free_ struct lock_package **list = calloc(l->npackages + 1, sizeof(struct lock_package *));
	size_t n = 0;

	if (!unfit || !list)
		return diag_errno(d, -ENOMEM, "selecting packages");
	mark_unfit(l, wish, unfit);
	for (size_t i = 0; i < l->npackages; i++)
		ret[i] = false;
	for (size_t i = 0; i < root->ndependencies; i++) {
		const struct lock_root_edge *e = &root->dependencies[i];

		if (wish->production && e->kind == DEPENDENCY_DEV)
			continue;
		if (unfit[e->package->index]) {
			if (e->kind != DEPENDENCY_OPTIONAL && e->kind != DEPENDENCY_TOOL)
				return refuse(e, wish, unfit, d);
			continue;
		}
		if (!ret[e->package->index]) {
			ret[e->package->index] = true;
			list[n++] = e->package;
		}
	}
	reach(l, unfit, list, n, ret);
	return 0;
}
