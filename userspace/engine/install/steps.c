// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/install-priv.h"

#include "base/fd.h"
#include "engine/env/select.h"
#include "engine/install/origins.h"
#include "engine/resolve/resolve.h"
#include "prim/err.h"

#include <errno.h>
#include <time.h>

static void report(struct installation *i, struct install_progress *p)
{
	struct fetch_statistics s;

	if (!i->options->progress)
		return;
	fetcher_statistics(i->fetcher, &s);
	p->bytes = p->phase == INSTALL_RESOLVE ? s.metadata_bytes : s.archive_bytes;
	p->waiting_for = s.waiting_for;
	i->options->progress(i->options->data, p);
}

static void resolve_tick(void *data)
{
	struct installation *i = data;
	struct metadata_statistics s;

	metadata_statistics(i->metadata, &s);
	report(i, &(struct install_progress){ .phase = INSTALL_RESOLVE, .done = s.done,
		.total = s.wanted });
}

static void fetch_tick(void *data)
{
	struct installation *i = data;
	struct archives_statistics s;

	archives_statistics(i->archives, &s);
	report(i, &(struct install_progress){ .phase = INSTALL_FETCH, .done = s.done,
		.total = s.wanted });
}

int64_t installation_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The old lockfile, when there is one, is where versions are taken from first. */
static int resolve_anew(struct installation *i, const struct lockfile *before)
{
	const struct install_options *o = i->options;
	struct resolve_options ro = {
		.locked = before,
		.update = o->update,
		.nupdate = o->nupdate,
		.update_all = o->update_all,
		.now = installation_now(),
		.host = platform_host(),
		.warn = o->warn,
		.detail = o->detail,
		.data = o->data,
	};
	struct resolve_source source;
	int r = installation_go_online(i);

	if (r < 0)
		return r;
	source = metadata_source(i->metadata, resolve_tick, i);
	r = resolve(i->manifest, &source, &ro, &i->lock, i->diag);
	i->lock_changed = true;
	return r < 0 ? r : origins_tell(i->lock, i->manifest, i->credentials, o->warn, o->data);
}

/* As it stands: nobody but this file says where its packages come from. */
static int take_lock(struct installation *i, struct lockfile *l)
{
	int r = installation_credentials(i);

	i->lock = l;
	return r < 0 ? r : origins_check(l, i->manifest, i->credentials, i->diag);
}

int step_lock(struct installation *i)
{
	_cleanup_(lockfile_free_p) struct lockfile *before = NULL;
	struct digest graph = manifest_graph_digest(i->manifest);
	bool update = i->options->update_all || i->options->nupdate;
	int r = 0;

	if (i->lock_there)
		r = lockfile_parse(&before, buf_str(&i->lock_text), LOCKFILE_NAME, i->diag);
	if (r < 0)
		return r;
	if (before && !update && digest_eq(&before->manifest, &graph))
		return take_lock(i, TAKE_PTR(before));
	if (i->options->frozen) {
		diag_fail(i->diag, -ERR_LOCK_STALE, LOCKFILE_NAME
			" was made for another " MANIFEST_NAME ", and --frozen does not change it");
		return diag_hint(i->diag, "run 'cratons install' and commit " LOCKFILE_NAME);
	}
	return resolve_anew(i, before);
}

int step_select(struct installation *i)
{
	struct lock_wish wish = { platform_host(), i->options->production, NULL };

	i->selected = calloc(i->lock->npackages + 1, sizeof(bool));
	if (!i->selected || i->lock->nroots == 0)
		return i->selected ? -ERR_LOCKFILE : -ENOMEM;
	return lock_select(i->lock, &i->lock->roots[0], &wish, i->selected, i->diag);
}

/* Whether a package's archive is asked for: of what this platform gets, and of what only its tree can
 * pin, which the lockfile is to name for all platforms. */
static bool wants_archive(const struct installation *i, const struct lock_package *p)
{
	if (str_starts(p->source, STR("path:")))
		return false;
	return i->selected[p->index] || (p->integrity.n == 0 && digest_is_zero(&p->tree));
}

/* What the store lacks is told from what it has first, so that with nothing to fetch no network
 * library is loaded. */
static bool all_there(struct installation *i)
{
	_cleanup_free_ struct digest *trees = calloc(i->lock->npackages + 1, sizeof(*trees));
	size_t count = 0;

	if (!trees)
		return false;
	for (size_t n = 0; n < i->lock->npackages; n++) {
		const struct lock_package *p = i->lock->packages[n];

		if (!wants_archive(i, p))
			continue;
		if (digest_is_zero(&p->tree))
			return false;
		trees[count++] = p->tree;
	}
	return cas_writer_want_all(i->writer, trees, count);
}

/* The trees that unpacking found are part of the lockfile; they pin what integrity pins, in our own
 * terms, and are what reads are verified against. */
static void note_new_trees(struct installation *i, const struct digest *before)
{
	for (size_t n = 0; n < i->lock->npackages; n++)
		if (!digest_eq(&before[n], &i->lock->packages[n]->tree))
			i->lock_changed = true;
}

static int fetch_all(struct installation *i)
{
	int r = installation_go_online(i);

	for (size_t n = 0; n < i->lock->npackages && r == 0; n++)
		if (wants_archive(i, i->lock->packages[n]))
			r = archives_want(i->archives, i->lock->packages[n], i->diag);
	return r < 0 ? r : archives_wait(i->archives, fetch_tick, i, i->diag);
}

int step_fetch(struct installation *i)
{
	_cleanup_free_ struct digest *before = calloc(i->lock->npackages + 1, sizeof(*before));
	struct archives_statistics s;
	int r;

	if (!before)
		return -ENOMEM;
	for (size_t n = 0; n < i->lock->npackages; n++) {
		before[n] = i->lock->packages[n]->tree;
		i->result.packages += i->selected[n];
	}
	if (all_there(i))
		return 0;
	r = fetch_all(i);
	if (r < 0)
		return r;
	note_new_trees(i, before);
	archives_statistics(i->archives, &s);
	i->result.fetched = (uint32_t)s.done;
	i->result.bytes = s.bytes;
	return 0;
}

int step_write_lock(struct installation *i)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r;

	if (!i->lock_changed || i->options->frozen)
		return 0;
	r = lockfile_print(i->lock, &text);
	if (r < 0)
		return diag_errno(i->diag, r, "writing " LOCKFILE_NAME);
	if (i->lock_there && str_eq(buf_str(&text), buf_str(&i->lock_text)))
		return 0;
	r = file_replace(i->project->fd, LOCKFILE_NAME, text.data, text.len, 0644);
	if (r < 0) {
		diag_errno(i->diag, r, "cannot write " LOCKFILE_NAME);
		return diag_where(i->diag, "%s/" LOCKFILE_NAME, i->project->path);
	}
	buf_done(&i->lock_text);
	i->lock_text = text;
	text = (struct buf)BUF_INIT;
	i->lock_there = true;
	i->result.lock_written = true;
	return 0;
}

const struct digest *installation_tree_of(const struct installation *i, const struct lock_package *p)
{
	if (i->built && !digest_is_zero(&i->built[p->index]))
		return &i->built[p->index];
	return digest_is_zero(&p->tree) ? NULL : &p->tree;
}

const struct digest *installation_node(const struct installation *i)
{
	const struct lock_root *root = &i->lock->roots[0];

	for (size_t n = 0; n < root->ndependencies; n++) {
		const struct lock_root_edge *e = &root->dependencies[n];

		if (e->kind == DEPENDENCY_TOOL && i->selected[e->package->index] &&
				!digest_is_zero(&e->package->tree))
			return &e->package->tree;
	}
	return NULL;
}

static const struct digest *tree_of(void *data, const struct lock_package *p)
{
	return installation_tree_of(data, p);
}

int step_compose(struct installation *i)
{
	const struct digest *node = installation_node(i);
	struct compose_options how = {
		.layout = i->manifest->layout,
		.production = i->options->production,
		.selected = i->selected,
		.tree_of = tree_of,
		.data = i,
	};

	if (i->options->lock_only)
		return 0;
	if (i->manifest->node.n && !node) {
		diag_fail(i->diag, -ERR_INSTALL, "there is no Node \"%.*s\" for this platform",
			STR_ARG(i->manifest->node));
		return diag_hint(i->diag, "change [environment] node, or leave it out to use the "
			"host's");
	}
	if (node)
		i->result.node = *node;
	return environment_compose(i->writer, i->lock, &i->lock->roots[0], &how,
		&i->result.environment, i->diag);
}

struct root_query {
	struct str name;
	const struct digest *tree;
	bool found;
};

static int root_matches(void *data, const struct cas_root *root)
{
	struct root_query *q = data;

	if (str_eq(root->name, q->name))
		for (size_t i = 0; i < root->n; i++)
			q->found |= digest_eq(&root->trees[i], q->tree);
	return 0;
}

bool root_holds(struct cas *c, const char *project, const struct digest *tree)
{
	struct root_query q = { .name = str_from(project), .tree = tree };

	return cas_root_each(c, root_matches, &q) >= 0 && q.found;
}

int step_record(struct installation *i)
{
	struct environment_fact fact = {
		.tree = i->result.environment,
		.node = i->result.node,
		.packages = i->result.packages,
		.scripts_waiting = i->result.scripts_waiting,
		.left_out = i->result.left_out,
	};
	struct digest key = environment_key(buf_str(&i->manifest_text), buf_str(&i->lock_text),
		i->options->production);
	struct digest roots[2] = { fact.tree, fact.node };
	int r = 0;

	if (!i->options->lock_only) {
		r = cas_writer_fact(i->writer, CAS_ENVIRONMENT, str_of(key.b, DIGEST_SIZE), &fact,
			sizeof(fact));
		if (r < 0)
			return diag_errno(i->diag, r, "recording the environment");
	}
	r = cas_writer_flush(i->writer, i->diag);
	if (r < 0 || i->options->lock_only)
		return r;
	return cas_root_set(i->writer, str_from(i->project->path), roots,
		digest_is_zero(&fact.node) ? 1 : 2, i->diag);
}
