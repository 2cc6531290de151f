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

/* Archives come while others' metadata is waited for, but for what would have to be asked or told first. */
static void likely(void *data, const struct ecosystem *e, const struct package *p,
	const struct release *release)
{
	struct installation *i = data;
	struct lock_package guess = { .ecosystem = str_from(e->name), .name = p->name,
		.version = release->version, .source = release->url, .integrity = release->integrity };

	if (origins_expected(i->manifest, i->credentials, &guess))
		archives_guess(i->archives, &guess);
}

/* The old lockfile, when there is one, is where versions are taken from first. */
static int resolve_anew(struct installation *i)
{
	const struct install_options *o = i->options;
	struct resolve_options ro = {
		.locked = i->before,
		.update = o->update,
		.nupdate = o->nupdate,
		.update_all = o->update_all,
		.now = installation_now(),
		.host = platform_host(),
		.warn = o->warn,
		.detail = o->detail,
		.data = o->data,
		.likely = o->production ? NULL : likely,
		.likely_data = i,
	};
	struct resolve_source source = metadata_source(i->metadata, resolve_tick, i);

	int r = resolve(i->manifest, &source, &ro, &i->lock, i->diag);

	return r < 0 ? r : origins_tell(i->lock, i->manifest, i->credentials, o->warn, o->data);
}

/* As it stands: nobody but this file says where its packages come from. */
static int take_lock(struct installation *i)
{
	int r = installation_credentials(i);

	i->lock = TAKE_PTR(i->before);
	return r < 0 ? r : origins_check(i->lock, i->manifest, i->credentials, i->diag);
}

int step_lock(struct installation *i)
{
	struct digest graph = manifest_graph_digest(i->manifest);
	bool update = i->options->update_all || i->options->nupdate;
	int r = 0;

	if (i->lock_there)
		r = lockfile_parse(&i->before, buf_str(&i->lock_text), LOCKFILE_NAME, i->diag);
	if (r < 0)
		return r;
	if (i->before && !update && digest_eq(&i->before->manifest, &graph))
		return take_lock(i);
	if (i->options->frozen) {
		diag_fail(i->diag, -ERR_LOCK_STALE, LOCKFILE_NAME
			" was made for another " MANIFEST_NAME ", and --frozen does not change it");
		return diag_hint(i->diag, "run 'cratons install' and commit " LOCKFILE_NAME);
	}
	return 0;
}

static int select_packages(struct installation *i)
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

/* What the store lacks is told from what it has first, so that with nothing to fetch nothing is
 * started for it. What is there is pinned. */
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

static int fetch_all(struct installation *i)
{
	struct archives_statistics s;
	int r = 0;

	for (size_t n = 0; n < i->lock->npackages && r == 0; n++)
		if (wants_archive(i, i->lock->packages[n]))
			r = archives_want(i->archives, i->lock->packages[n], i->diag);
	if (r == 0)
		r = archives_wait(i->archives, fetch_tick, i, i->diag);
	archives_statistics(i->archives, &s);
	i->result.fetched = (uint32_t)s.done;
	i->result.bytes = s.bytes;
	return r;
}

/* "<digest> <id>", a line for each package that has a tree. */
static int print_trees(const struct lockfile *l, struct buf *ret)
{
	int r = 0;

	for (size_t n = 0; n < l->npackages && r == 0; n++) {
		const struct lock_package *p = l->packages[n];
		char hex[DIGEST_HEX];

		if (!digest_is_zero(&p->tree))
			r = buf_addf(ret, "%s %.*s\n", digest_hex(&p->tree, hex), STR_ARG(p->id));
	}
	return r;
}

/* In the process apart: all that is selected comes into the store. The answer is a whole lockfile, or the
 * trees of the one that was there. */
static int resolve_and_fetch(struct installation *i, void *data, struct buf *ret)
{
	bool there = i->lock != NULL;
	int r = there ? 0 : resolve_anew(i);

	if (r == 0 && !i->selected)
		r = select_packages(i);
	if (r == 0 && !all_there(i))
		r = fetch_all(i);
	if (r < 0)
		return r;
	return there ? print_trees(i->lock, ret) : lockfile_print(i->lock, ret);
}

static int not_as_locked(struct installation *i, struct str id)
{
	return diag_fail(i->diag, -ERR_INSTALL, "%.*s was locked, and came back as something else",
		STR_ARG(id));
}

/* Of a lockfile that was there, the answer may add trees that it did not have, and change nothing. They
 * are part of it from then on: they pin what integrity pins, in our own terms, and are what reads are
 * verified against. */
static int take_trees(struct installation *i, struct str text)
{
	while (text.n > 0) {
		struct str id = str_cut(&text, '\n'), hex = str_cut(&id, ' ');
		struct lock_package *p = lockfile_find(i->lock, id);
		struct digest tree;

		if (!p || digest_parse(&tree, hex) < 0 || digest_is_zero(&tree))
			return not_as_locked(i, id);
		if (digest_eq(&p->tree, &tree))
			continue;
		if (!digest_is_zero(&p->tree))
			return not_as_locked(i, id);
		p->tree = tree;
		i->lock_changed = true;
	}
	return 0;
}

static int take_answer(struct installation *i, struct str text)
{
	_cleanup_(lockfile_free_p) struct lockfile *answer = NULL;
	struct digest graph = manifest_graph_digest(i->manifest);
	int r;

	if (i->lock)
		return take_trees(i, text);
	r = lockfile_parse(&answer, text, "what was resolved", i->diag);
	if (r < 0)
		return r;
	if (!digest_eq(&answer->manifest, &graph))
		return diag_fail(i->diag, -ERR_INSTALL, "what was resolved is not for this "
			MANIFEST_NAME);
	i->lock = TAKE_PTR(answer);
	i->lock_changed = true;
	return select_packages(i);
}

static int go_apart(struct installation *i)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = apart_run(i, resolve_and_fetch, NULL, &text);

	if (r == 0)
		r = take_answer(i, buf_str(&text));
	if (r == 0 && !all_there(i))
		r = diag_fail(i->diag, -ERR_STORE_MISSING, "what was fetched is not in the store");
	apart_let_go(&i->apart);
	return r;
}

int step_fetch(struct installation *i)
{
	int r = i->lock ? select_packages(i) : 0;

	if (r == 0 && !(i->lock && all_there(i)))
		r = go_apart(i);
	for (size_t n = 0; r == 0 && n < i->lock->npackages; n++)
		i->result.packages += i->selected[n];
	return r;
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
