// SPDX-License-Identifier: GPL-2.0-or-later
/* The step that runs the scripts which the project allows, what they need first. */
#include "engine/install/install-priv.h"

#include "engine/env/select.h"
#include "engine/registry/registry.h"
#include "engine/scripts/build.h"
#include "prim/err.h"

#include <errno.h>

enum visit { VISIT_NOT, VISIT_NOW, VISIT_DONE };

struct building {
	struct installation *i;
	enum visit *visits;	/* by package index */
	uint64_t done, total;
};

/* "npm:name", "npm:name@version", and without "npm:" for npm's. */
static bool entry_allows(struct str entry, const struct lock_package *p)
{
	struct str prefix = STR("npm:");
	size_t at;

	if (str_starts(entry, prefix))
		entry = str_slice(entry, prefix.n, entry.n);
	at = str_find(entry, '@', 1);
	return str_is(p->ecosystem, "npm") && str_eq(str_slice(entry, 0, at), p->name) &&
	       (at == entry.n || str_eq(str_slice(entry, at + 1, entry.n), p->version));
}

bool install_allows_scripts(const struct manifest *m, const struct lock_package *p)
{
	for (size_t i = 0; i < m->nallow_scripts; i++)
		if (entry_allows(m->allow_scripts[i], p))
			return true;
	return false;
}

/* The registry does not always say that a package has scripts (binding.gyp is one by itself): of the
 * allowed ones, the package's own files decide. */
static bool to_build(const struct installation *i, const struct lock_package *p)
{
	return i->selected[p->index] && install_allows_scripts(i->manifest, p);
}

static const struct digest *tree_of(void *data, const struct lock_package *p)
{
	return installation_tree_of(data, p);
}

/* The environment of a package's scripts: itself and what it declared, in the isolated layout. */
static int compose_for(struct building *b, struct lock_package *p, struct digest *ret)
{
	struct installation *i = b->i;
	struct lock_wish wish = { platform_host(), false, i->failed };
	_cleanup_free_ bool *selected = calloc(i->lock->npackages + 1, sizeof(*selected));
	struct lock_root_edge edge = { .name = p->name, .package = p };
	struct lock_root root = { .dependencies = &edge, .ndependencies = 1 };
	struct compose_options how = { .layout = LAYOUT_ISOLATED, .cell_commands = true,
		.selected = selected, .tree_of = tree_of, .data = i };
	int r = selected ? lock_select(i->lock, &root, &wish, selected, i->diag) : -ENOMEM;

	return r < 0 ? r : environment_compose(i->writer, i->lock, &root, &how, ret, i->diag);
}

/* A package whose scripts fail is left out, with those that need it, where the project works without:
 * every way to it is optional. Otherwise the failure stands. */
static int leave_out(struct installation *i, const struct lock_package *p)
{
	struct lock_wish wish = { platform_host(), i->options->production, NULL };
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t n = i->lock->npackages;

	if (!i->failed)
		i->failed = calloc(n + 1, sizeof(*i->failed));
	if (!i->failed)
		return -ENOMEM;
	i->failed[p->index] = true;
	wish.without = i->failed;
	if (lock_select(i->lock, &i->lock->roots[0], &wish, i->selected, NULL) < 0)
		return -ERR_BUILD;
	if (i->options->warn && buf_addf(&text, "%.*s is left out, as it is optional: %s",
			STR_ARG(p->id), buf_text(&i->diag->what)) == 0)
		i->options->warn(i->options->data, buf_text(&text));
	diag_reset(i->diag);
	i->result.left_out++;
	return 0;
}

static int build_one(struct building *b, struct lock_package *p)
{
	struct installation *i = b->i;
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct digest environment;
	struct build_plan plan = { 0 };
	struct build_request q = {
		.home_fd = i->project->home_fd,
		.home = i->project->home,
		.writer = i->writer,
		.package = p,
		.tree = &p->tree,
		.environment = &environment,
		.plan = &plan,
		.node = installation_node(i),
		.seconds = i->options->script_seconds,
	};
	bool ran;
	int r = ecosystem_find(p->ecosystem)->build_plan(cas_writer_cas(i->writer), p,
		q.node ? BUILD_NODE_AT : NULL, &a, &plan, i->diag);

	if (r < 0 || plan.n == 0)
		return r;
	r = compose_for(b, p, &environment);
	q.path = plan.path;
	if (r == 0)
		r = build_package(&q, &i->built[p->index], &ran, i->diag);
	return r == -ERR_BUILD ? leave_out(i, p) : r;
}

static void report(struct building *b, const struct lock_package *p)
{
	const struct install_options *o = b->i->options;
	_cleanup_free_ char *id = p ? str_dup(p->id) : NULL;

	if (o->progress)
		o->progress(o->data, &(struct install_progress){ .phase = INSTALL_BUILD,
			.done = b->done, .total = b->total, .waiting_for = id });
}

/* What a package needs is built before it; in a cycle, as far as that goes. The depth is bounded by
 * the number of packages that have scripts on the way, not by the graph: others are walked too, but
 * each once. */
static int visit(struct building *b, struct lock_package *p, unsigned depth)
{
	int r = 0;

	if (b->visits[p->index] != VISIT_NOT || !b->i->selected[p->index])
		return 0;
	if (depth > 10000)
		return diag_fail(b->i->diag, -ERR_LIMIT, "the chain of dependencies to %.*s is too "
			"long", STR_ARG(p->id));
	b->visits[p->index] = VISIT_NOW;
	for (size_t n = 0; n < p->ndependencies && r == 0; n++)
		r = visit(b, p->dependencies[n].package, depth + 1);
	/* It may have been left out with one of them. */
	if (r == 0 && to_build(b->i, p)) {
		report(b, p);
		r = build_one(b, p);
		b->done++;
		report(b, NULL);
	}
	b->visits[p->index] = VISIT_DONE;
	return r;
}

int step_build(struct installation *i)
{
	struct building b = { .i = i };
	int r = 0;

	for (size_t n = 0; n < i->lock->npackages; n++) {
		const struct lock_package *p = i->lock->packages[n];

		if (to_build(i, p))
			b.total++;
		else
			i->result.scripts_waiting += i->selected[n] && p->scripts;
	}
	if (b.total == 0 || i->options->lock_only)
		return 0;
	i->built = calloc(i->lock->npackages + 1, sizeof(*i->built));
	b.visits = calloc(i->lock->npackages + 1, sizeof(*b.visits));
	if (!i->built || !b.visits)
		r = -ENOMEM;
	/* What was fetched just now is read back from the store. */
	if (r == 0)
		r = cas_writer_flush(i->writer, i->diag);
	for (size_t n = 0; n < i->lock->npackages && r == 0; n++)
		r = visit(&b, i->lock->packages[n], 0);
	free(b.visits);
	if (i->result.left_out) {
		i->result.packages = 0;
		for (size_t n = 0; n < i->lock->npackages; n++)
			i->result.packages += i->selected[n];
	}
	return r;
}
