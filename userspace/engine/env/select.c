// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/env/select.h"

#include "prim/err.h"

#include <errno.h>

static int compare_str(const void *key, const void *element)
{
	return str_cmp(*(const struct str *)key, *(const struct str *)element);
}

static bool is_optional(const struct lock_package *p, const struct lock_edge *e)
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

/* Who cannot be without package i: list[first[i]] to, excluding it, list[first[i + 1]]. */
struct dependents {
	size_t *first;
	const struct lock_package **list;
};

static void dependents_done(struct dependents *d)
{
	free(d->first);
	free(d->list);
}

/* Each list's length is counted two places on, so that while the lists are filled first[i + 1] is where the
 * next of i goes, and at the end where it ends. */
static int find_dependents(const struct lockfile *l, struct dependents *ret)
{
	size_t total = 0;

	ret->first = calloc(l->npackages + 2, sizeof(*ret->first));
	if (!ret->first)
		return -ENOMEM;
	for (size_t i = 0; i < l->npackages; i++)
		for (size_t j = 0; j < l->packages[i]->ndependencies; j++, total++)
			ret->first[l->packages[i]->dependencies[j].package->index + 2]++;
	for (size_t i = 2; i < l->npackages + 2; i++)
		ret->first[i] += ret->first[i - 1];
	ret->list = calloc(total + 1, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i];

		for (size_t j = 0; j < p->ndependencies; j++)
			ret->list[ret->first[p->dependencies[j].package->index + 1]++] =
				is_optional(p, &p->dependencies[j]) ? NULL : p;
	}
	return 0;
}

/* A package is unfit when it does not support the host or needs one that is unfit; the graph may have
 * cycles. `list` has room for all packages. */
static int mark_unfit(const struct lockfile *l, const struct lock_wish *wish,
	const struct lock_package **list, unfit_t *unfit)
{
	_cleanup_(dependents_done) struct dependents d = { 0 };
	size_t n = 0;
	int r = find_dependents(l, &d);

	for (size_t i = l->npackages; r == 0 && i-- > 0;)
		if (is_unfit(l->packages[i], wish))
			list[n++] = unfit[i] = l->packages[i];
	while (n > 0) {
		const struct lock_package *p = list[--n];

		for (size_t i = d.first[p->index]; i < d.first[p->index + 1]; i++) {
			const struct lock_package *q = d.list[i];

			if (q && !unfit[q->index]) {
				unfit[q->index] = p;
				list[n++] = q;
			}
		}
	}
	return r;
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
static void reach(const unfit_t *unfit, const struct lock_package **list, size_t n, bool *ret)
{
	while (n > 0) {
		const struct lock_package *p = list[--n];

		for (size_t i = 0; i < p->ndependencies; i++) {
			const struct lock_package *q = p->dependencies[i].package;

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
	_cleanup_free_ const struct lock_package **list = calloc(l->npackages + 1, sizeof(*list));
	size_t n = 0;

	if (!unfit || !list || mark_unfit(l, wish, list, unfit) < 0)
		return diag_errno(d, -ENOMEM, "selecting packages");
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
	reach(unfit, list, n, ret);
	return 0;
}
