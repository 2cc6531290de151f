// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/resolve/resolve-priv.h"

static struct str scratch_key(struct resolver *r, const struct ecosystem *e, struct str name)
{
	buf_reset(&r->key);
	if (buf_addf(&r->key, "%s:%.*s", e->name, STR_ARG(name)) < 0)
		return (struct str){ 0 };
	return buf_str(&r->key);
}

/* The entry for the scratch key; a new one gets a lasting copy of it. */
static struct map_entry *scratch_entry(struct resolver *r, struct map *m)
{
	void *there = map_get(m, buf_str(&r->key));
	struct str key = there ? buf_str(&r->key) : arena_str(&r->arena, buf_str(&r->key));

	return key.p ? map_entry(m, key) : NULL;
}

static bool to_be_updated(const struct resolver *r, struct str name)
{
	for (size_t i = 0; i < r->o->nupdate; i++)
		if (str_eq(r->o->update[i], name))
			return true;
	return r->o->update_all;
}

/* The lockfile's packages of this name: they are next to each other, as ids are sorted. */
static int pkg_add_locked(struct resolver *r, struct pkg *pkg)
{
	const struct lock_package *p = map_get(&r->locked_names, buf_str(&r->key));
	bool update = to_be_updated(r, pkg->name);
	int k = 0;

	while (p && str_eq(p->name, pkg->name) && str_is(p->ecosystem, pkg->e->name) && k == 0) {
		k = vec_push(&pkg->before, p);
		if (k == 0 && !update)
			k = vec_push(&pkg->locked, p);
		p = p->index + 1 < r->o->locked->npackages ?
			r->o->locked->packages[p->index + 1] : NULL;
	}
	return k;
}

struct pkg *pkg_get(struct resolver *r, const struct ecosystem *e, struct str name)
{
	struct map_entry *entry;
	struct pkg *pkg;

	if (!scratch_key(r, e, name).p)
		return NULL;
	entry = scratch_entry(r, &r->pkgs);
	if (!entry || entry->value)
		return entry ? entry->value : NULL;
	pkg = arena_new(&r->arena, struct pkg);
	if (!pkg)
		return NULL;
	pkg->e = e;
	pkg->name = str_slice(entry->key, strlen(e->name) + 1, SIZE_MAX);
	entry->value = pkg;
	return pkg_add_locked(r, pkg) < 0 ? NULL : pkg;
}

void need_hint(struct resolver *r, const struct need *need)
{
	struct pkg *pkg = need->pkg;

	/* What is to come from elsewhere is not looked for in the registry by the same name. */
	if (pkg->hinted || need->elsewhere)
		return;
	pkg->hinted = true;
	if (r->source->hint)
		r->source->hint(r->source->data, pkg->e, pkg->name);
}

int pkg_load(struct resolver *r, struct pkg *pkg)
{
	int k;

	if (pkg->asked)
		return 0;
	ahead_until(r, pkg);
	k = r->source->get(r->source->data, pkg->e, pkg->name, &pkg->meta, r->d);
	if (k < 0 && k != -ERR_NO_PACKAGE)
		return k;
	pkg->asked = true;
	pkg->missing = k < 0;
	return 0;
}

struct need *need_get(struct resolver *r, struct pkg *pkg, struct str text)
{
	const struct version_scheme *v = pkg->e->versions;
	struct map_entry *entry;
	struct need *need;
	int k;

	text = str_trim(text);
	if (!scratch_key(r, pkg->e, pkg->name).p || buf_addc(&r->key, '\n') < 0 ||
		buf_addstr(&r->key, text) < 0)
		return NULL;
	entry = scratch_entry(r, &r->needs);
	if (!entry || entry->value)
		return entry ? entry->value : NULL;
	need = arena_new(&r->arena, struct need);
	if (!need)
		return NULL;
	need->pkg = pkg;
	need->text = str_slice(entry->key, entry->key.n - text.n, SIZE_MAX);
	need->any = text.n == 0 || str_is(text, "*");
	k = v->requirement(&r->arena, need->text, VERSION_LOOSE, &need->requirement);
	for (size_t i = 0; k < 0 && !need->any && i < text.n; i++)
		need->elsewhere |= text.p[i] == ':' || text.p[i] == '/';
	if (k == -ENOMEM || vec_push(&pkg->needs, need) < 0)
		return NULL;
	entry->value = need;
	return need;
}

static bool is_peer(const struct dependency *dep)
{
	return dep->kind == DEPENDENCY_PEER || dep->kind == DEPENDENCY_PEER_OPTIONAL;
}

static bool in_list(const struct str *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

static int node_add_peer(struct resolver *r, struct node *n, const struct dependency *dep)
{
	struct peer *p = &n->peers[n->npeers];
	struct pkg *pkg = pkg_get(r, n->pkg->e, dep->name);

	p->alias = dep->alias;
	p->optional = dep->kind == DEPENDENCY_PEER_OPTIONAL;
	p->need = pkg ? need_get(r, pkg, dep->requirement) : NULL;
	if (!p->need)
		return -ENOMEM;
	/* An optional one is never fetched for its own sake. */
	if (!p->optional)
		need_hint(r, p->need);
	n->npeers++;
	return peer_bit(r, n->pkg->e, p->alias, &p->bit);
}

int node_add_edge(struct resolver *r, struct node *n, const struct ecosystem *e,
	const struct dependency *dep)
{
	struct edge *edge = &n->edges[n->nedges];
	struct pkg *pkg = pkg_get(r, e, dep->name);

	edge->alias = dep->alias;
	edge->kind = dep->kind;
	edge->need = pkg ? need_get(r, pkg, dep->requirement) : NULL;
	if (!edge->need)
		return -ENOMEM;
	need_hint(r, edge->need);
	n->nedges++;
	return vec_push(&r->queue, (struct pending){ n, edge });
}

static int node_add_dependencies(struct resolver *r, struct node *n)
{
	const struct release *rel = n->release;
	struct dependency *dependencies, dep;
	size_t count;
	int k;

	k = release_load(n->pkg->meta, rel, r->d);
	if (k == 0)
		k = extension_apply(&r->extensions, &r->arena, n->pkg->e, n->pkg->name, rel,
			&dependencies, &count, r->d);
	if (k < 0)
		return k;
	n->edges = arena_newn(&r->arena, struct edge, count);
	n->peers = arena_newn(&r->arena, struct peer, count);
	if (!n->edges || !n->peers)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (in_list(rel->bundled, rel->nbundled, dependencies[i].alias))
			continue;
		k = override_apply(r, n->context, n->pkg->e, &dependencies[i], &dep, NULL);
		if (k == 0)
			k = is_peer(&dep) ? node_add_peer(r, n, &dep) :
					    node_add_edge(r, n, n->pkg->e, &dep);
		if (k < 0)
			return k;
	}
	return 0;
}

struct node *node_new(struct resolver *r)
{
	struct node *n = r->nodes.n < RESOLVE_NODES_MAX ? arena_new(&r->arena, struct node) : NULL;

	if (!n || vec_push(&r->nodes, n) < 0)
		return NULL;
	n->index = (uint32_t)r->nodes.n - 1;
	n->live = true;
	return n;
}

static const struct lock_package *locked_as(const struct pkg *pkg, struct str version)
{
	vec_foreach(p, &pkg->locked)
		if (str_eq((*p)->version, version))
			return *p;
	return NULL;
}

/* A tool is for one platform; whether this host has one is judged when it is installed. */
static bool edge_may_fail(const struct edge *e)
{
	return e->kind == DEPENDENCY_OPTIONAL || e->kind == DEPENDENCY_TOOL;
}

int node_get(struct resolver *r, struct pkg *pkg, const struct release *release, struct node *from,
	const struct edge *by, bool required, struct node **ret)
{
	struct str context = override_enter(r, from->context, pkg, release);
	struct node *n;

	if (!context.p && r->ncontext)
		return -ENOMEM;
	vec_foreach(p, &pkg->nodes) {
		if ((*p)->release != release || !str_eq((*p)->context, context))
			continue;
		(*p)->required |= required;
		(*p)->live = true;
		*ret = *p;
		return 0;
	}
	n = node_new(r);
	if (!n || vec_push(&pkg->nodes, n) < 0)
		return r->nodes.n >= RESOLVE_NODES_MAX ?
			diag_fail(r->d, -ERR_LIMIT, "the project needs more than %d packages",
				RESOLVE_NODES_MAX) : -ENOMEM;
	n->pkg = pkg;
	n->release = release;
	n->context = context;
	n->parent = from;
	n->by = by;
	n->required = required;
	/* Of several copies the one that this very edge leads to: overrides may make them differ. */
	n->locked = locked_as(pkg, release->version);
	if (n->locked && by->locked)
		n->locked = by->locked;
	*ret = n;
	return node_add_dependencies(r, n);
}

static int edge_resolve(struct resolver *r, struct node *from, struct edge *e)
{
	struct pkg *pkg = e->need->pkg;
	const struct release *release;
	int k;

	k = e->need->elsewhere ? 0 : pkg_load(r, pkg);
	if (k < 0)
		return k;
	release = e->need->elsewhere || pkg->missing ? NULL : pick_for_edge(r, from, e);
	if (release)
		return node_get(r, pkg, release, from, e, from->required && !edge_may_fail(e),
			&e->to);
	if (edge_may_fail(e)) {
		_cleanup_diag_ struct diag why = DIAG_INIT;
		struct diag *d = r->d;

		r->d = &why;
		k = explain_edge(r, from, e);
		r->d = d;
		/* A version that is only too new will be there tomorrow: leaving it out silently
		 * would lock the project without, say, its platform's binary. */
		if (k == -ERR_TOO_NEW)
			return explain_edge(r, from, e);
		return e->kind == DEPENDENCY_OPTIONAL ? left_out_add(r, from, e, k) : 0;
	}
	if (from->required)
		return explain_edge(r, from, e);
	if (!from->failed)
		from->failed = e;
	return 0;
}

static int pending_cmp(const void *x, const void *y)
{
	const struct pending *a = x, *b = y;
	const struct need *na = a->edge->need, *nb = b->edge->need;
	int k = strcmp(na->pkg->e->name, nb->pkg->e->name);

	if (k == 0)
		k = str_cmp(na->pkg->name, nb->pkg->name);
	if (k == 0)
		k = str_cmp(na->text, nb->text);
	if (k == 0)
		k = (a->node->index > b->node->index) - (a->node->index < b->node->index);
	return k ? k : (a->edge > b->edge) - (a->edge < b->edge);
}

/* A level at a time, by name: what comes out does not depend on who was heard first. */
int graph_expand(struct resolver *r)
{
	struct pending *level = NULL;
	int k = 0;

	while (r->queue.n && k == 0) {
		size_t n = r->queue.n;

		level = TAKE_PTR(r->queue.v);
		r->queue.n = r->queue.cap = 0;
		qsort(level, n, sizeof(*level), pending_cmp);
		for (size_t i = 0; i < n && k == 0; i++)
			if (!level[i].edge->to)
				k = edge_resolve(r, level[i].node, level[i].edge);
		free(level);
	}
	return k;
}

/* Nodes that a required edge failed for go, with those who require them, up to an optional edge. */
static bool prune_node(struct resolver *r, struct node *n)
{
	bool changed = false;

	for (size_t i = 0; i < n->nedges; i++) {
		struct edge *e = &n->edges[i];

		if (!e->to || !e->to->failed)
			continue;
		if (edge_may_fail(e)) {
			_cleanup_buf_ struct buf why = BUF_INIT;
			const struct node *to = e->to;

			while (to->failed->to)
				to = to->failed->to;
			explain_chain(&why, r, to, to->failed);
			warn(r, "the optional dependency %.*s is left out: %s, which cannot be met",
				STR_ARG(e->alias), buf_text(&why));
			e->to = NULL;
			changed = true;
		} else if (!n->failed) {
			n->failed = e;
			changed = true;
		}
	}
	return changed;
}

int graph_prune(struct resolver *r)
{
	const struct node *n = r->root;
	bool changed;

	do {
		changed = added_prune(r);
		vec_foreach(p, &r->nodes)
			changed |= prune_node(r, *p);
	} while (changed);
	if (!n->failed)
		return 0;
	while (n->failed->to)
		n = n->failed->to;
	return explain_edge(r, n, n->failed);
}

typedef VEC(struct node *) node_stack;

static int mark(struct node *n, node_stack *s)
{
	if (!n || n->live)
		return 0;
	n->live = true;
	return vec_push(s, n);
}

int graph_mark_live(struct resolver *r)
{
	node_stack stack = { 0 };
	int k;

	vec_foreach(p, &r->nodes)
		(*p)->live = false;
	k = mark(r->root, &stack);
	map_foreach(entry, &r->peer_names) {
		struct added *a = entry->value;

		vec_foreach(x, &a->edges)
			k = k < 0 ? k : mark(x->edge->to, &stack);
	}
	while (stack.n && k == 0) {
		struct node *n = stack.v[--stack.n];

		for (size_t i = 0; i < n->nedges && k == 0; i++)
			k = mark(n->edges[i].to, &stack);
	}
	vec_done(&stack);
	return k;
}
