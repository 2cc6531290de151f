/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slots strategy, for ecosystems that allow several versions of a name: every edge has a slot
 * that takes any version satisfying it. The steps (resolve.c has them in order):
 *
 *	root.c		what the project asks for
 *	graph.c		the nodes: releases and their edges, breadth first
 *	pick.c		which release an edge gets
 *	override.c	what the manifest's overrides make of a requirement
 *	extension.c	what releases need beyond what they declare
 *	ahead.c		hints for what will be needed, while waiting
 *	dedupe.c	versions that others can stand in for go
 *	peers.c		who provides each peer where, and the copies that this makes
 *	added.c		peers that nobody provides
 *	copies.c	contexts that make no difference become one package; names for those that do
 *	emit.c		the lockfile
 *	explain.c	sentences
 *	left_out.c	one for all optional dependencies that a package goes without
 *	check.c		a second opinion, which shares none of this
 *
 * A strategy with one version of a name would be files beside these, behind the same resolve().
 * Determinism: nothing that shows in the result may follow the order of arrival. Nodes are made in
 * breadth-first order with edges sorted, and it is that order that all steps follow.
 */
#ifndef CRATONS_RESOLVE_PRIV_H
#define CRATONS_RESOLVE_PRIV_H

#include "engine/resolve/extension.h"
#include "engine/resolve/resolve.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>

#define RESOLVE_NODES_MAX  LOCKFILE_PACKAGES_MAX
/* Each round adds a peer that nobody provides, or ends; real projects need two or three. */
#define RESOLVE_ROUNDS_MAX 100

struct node;
struct need;

/* A name in a registry. */
struct pkg {
	const struct ecosystem *e;
	struct str name;
	const struct package *meta;	/* NULL until it was asked for */
	bool hinted, arrived, asked;
	bool missing;			/* the registry has none */
	VEC(struct need *) needs;
	VEC(struct node *) nodes;	/* in the order in which they were made */
	VEC(const struct lock_package *) before, locked;	/* locked: not to be updated */
};

/* What is asked of a package: one for each text, however many edges say it. */
struct need {
	struct pkg *pkg;
	struct str text;
	struct requirement *requirement;	/* NULL: a tag, or nothing known */
	bool any;		/* "*" and "": pre-releases too */
	bool elsewhere;		/* a repository, a path: nothing that a registry has */
	bool picked;		/* `fresh` was looked for */
	bool looked;		/* ahead.c followed it */
	const struct release *fresh;	/* the choice where nothing else decides */
};

struct edge {
	struct str alias;
	struct need *need;
	struct node *to;	/* NULL until chosen, and where it was left out */
	enum dependency_kind kind;
	const struct lock_package *locked;	/* the lockfile before says so: it is not moved */
};

struct peer {
	struct str alias;
	struct need *need;
	uint32_t bit;		/* of the name, an index into `peer_names` */
	bool optional;
};

/* A chosen release under the overrides that are in force there. The root has no release. */
struct node {
	struct pkg *pkg;
	const struct release *release;
	struct str context;	/* override.c: how far each nested override has matched */
	struct edge *edges;	/* sorted by alias; none for bundled names and peers */
	size_t nedges;
	struct peer *peers;	/* sorted by alias */
	size_t npeers;
	struct node *parent;	/* who asked first, by which edge: for explanations */
	const struct edge *by;
	const struct lock_package *locked;	/* this version in the lockfile before */
	const char *outside;	/* "url" or "path": not a registry's; the release is made up */
	uint32_t index;
	bool live;		/* reachable now */
	bool required;		/* by edges none of which may be left out */
	const struct edge *failed;	/* a required edge that found nothing */
	/* Sets of peer names: what something here or below looks for above, the same without what
	 * only this node looks for, and what it provides to those below. */
	uint64_t *relevant, *inside, *provided;
	bool free;		/* relevant is empty: the same in every context */
	struct copy *only;	/* if free */
};

struct override_rule {
	const struct manifest_override *of;
	const struct ecosystem *e;
	struct str *parents, *parent_ranges;
	struct str name, range;		/* the target; an empty range is any */
	struct str requirement;		/* with $name replaced */
	size_t place;			/* its byte in a context; nested rules only */
};

/* A name that somebody has as a peer and, where nobody provides it, the project's hidden edges. */
struct added_edge {
	struct edge *edge;
	struct copy *copy;
};

struct ask {
	struct need *need;
	struct node *asker;	/* the first with this need */
};

struct asks {
	struct ask *v;
	size_t n, cap;
};

struct added {
	const struct ecosystem *e;
	struct str alias;
	uint32_t bit;
	struct asks asks;	/* what `edges` were chosen for */
	struct asks asked;	/* in this round */
	VEC(struct added_edge) edges;
};

enum slot_kind { SLOT_NONE, SLOT_NODE, SLOT_EDGE, SLOT_SELF, SLOT_ADDED };

/* Who provides a name: a node that is the same everywhere, the target of owner's edge, owner itself,
 * or the project's hidden edges. */
struct slot {
	enum slot_kind kind;
	uint32_t edge;
	struct copy *owner;
	struct node *node;
};

/* A node in a context. */
struct copy {
	struct node *node;
	struct copy *parent;
	struct slot *env;	/* one for each name in node->relevant */
	struct copy **targets;	/* one for each edge; NULL where it was left out */
	struct copy **peers;	/* one for each peer; NULL where there is none */
	uint32_t index;
	uint32_t class;		/* copies.c: those of one class are one package */
	bool reached;
};

struct pending {
	struct node *node;
	struct edge *edge;
};

/* In the order in which they came up, each once; said when all is done. */
struct warnings {
	struct arena arena;
	struct map texts;	/* → whether it is a detail, as an enum telling */
};

enum telling { TELL_WARNING = 1, TELL_DETAIL };

/* An optional dependency that cannot be had. */
struct left_out {
	struct node *from;
	const struct edge *edge;
	int code;
};

struct resolver {
	const struct manifest *m;
	const struct resolve_source *source;
	const struct resolve_options *o;
	struct diag *d;
	struct arena arena;
	struct map pkgs;	/* "npm:name" */
	struct map needs;	/* "npm:name\nrequirement" */
	struct map locked_names;	/* "npm:name" → the first struct lock_package of that name */
	struct buf key;		/* scratch */
	struct node *root;
	VEC(struct node *) nodes;
	VEC(struct pending) queue;
	VEC(struct need *) ahead;
	struct extensions extensions;
	struct override_rule *rules;
	size_t nrules, ncontext;
	struct map peer_names;	/* "npm:alias" → struct added; a name's bit is its position */
	size_t words;		/* of a set of peer names */
	/* Of the current round: */
	struct arena round;
	VEC(struct copy *) copies;
	struct map copies_by_key;
	struct added **by_name;	/* those of peer_names when the round began, sorted */
	size_t nby_name;
	uint32_t nclasses;
	unsigned rounds;
	VEC(struct left_out) left_out;
	struct warnings *warnings;
	struct version *node_version;	/* of [environment] node; NULL where it is not known */
};

/* graph.c */
struct pkg *pkg_get(struct resolver *r, const struct ecosystem *e, struct str name);
void need_hint(struct resolver *r, const struct need *need);
/* Waits for the metadata. 0 also where the registry has none: pkg->missing. */
int pkg_load(struct resolver *r, struct pkg *pkg);
struct need *need_get(struct resolver *r, struct pkg *pkg, struct str text);
int node_get(struct resolver *r, struct pkg *pkg, const struct release *release, struct node *from,
	const struct edge *by, bool required, struct node **ret);
struct node *node_new(struct resolver *r);
/* Adds the next of n->edges, for which there must be room, and queues it. */
int node_add_edge(struct resolver *r, struct node *n, const struct ecosystem *e,
	const struct dependency *dep);
int graph_expand(struct resolver *r);
/* Leaves out optional edges that lead to what cannot be had; fails where the project is hit. */
int graph_prune(struct resolver *r);
int graph_mark_live(struct resolver *r);

/* root.c: makes r->root with its edges. */
int root_start(struct resolver *r);

/* pick.c: those that give a release give NULL where none satisfies. */
bool need_matches(const struct need *need, const struct release *release);
bool release_old_enough(const struct resolver *r, const struct pkg *pkg,
	const struct release *release);
bool release_fits_node(const struct resolver *r, const struct pkg *pkg,
	const struct release *release);
const struct release *release_find(const struct package *p, struct str version);
const struct release *release_tagged(const struct package *p, struct str tag);
const struct release *need_fresh(const struct resolver *r, struct need *need);
const struct release *pick_for_edge(const struct resolver *r, const struct node *from,
	struct edge *e);
/* The locked version, if all take it and it is higher than `best`; else `best`. */
const struct release *pick_locked(const struct resolver *r, const struct pkg *pkg,
	struct str version, struct need *const *needs, size_t n, const struct release *best);
const struct release *pick_for_all(const struct resolver *r, struct need *const *needs, size_t n);

/* override.c */
int overrides_init(struct resolver *r);
/* The context below `release` where it is reached from `context`; .p is NULL on no memory. */
struct str override_enter(struct resolver *r, struct str context, const struct pkg *pkg,
	const struct release *release);
/* `ret` gets what holds for `dep` in this context, which is `dep` where no rule applies. */
int override_apply(struct resolver *r, struct str context, const struct ecosystem *e,
	const struct dependency *dep, struct dependency *ret, const struct override_rule **ret_rule);

/* "@scope/name@range" → the two; "*" is no range. */
void split_target(struct str target, struct str *ret_name, struct str *ret_range);
bool version_in(const struct ecosystem *e, struct str range, const struct release *release);

/* ahead.c */
/* Waits until `pkg` has arrived, and meanwhile follows what else has. */
void ahead_until(struct resolver *r, struct pkg *pkg);

/* dedupe.c */
int dedupe(struct resolver *r);

/* peers.c */
int peer_bit(struct resolver *r, const struct ecosystem *e, struct str alias, uint32_t *ret);
/* Makes the copies. *ret_more: other peers were added, and this is to be done again. */
int peers_resolve(struct resolver *r, bool *ret_more);
/* Conflicts: an error at the project's own dependencies, else a warning. */
int peers_judge(struct resolver *r);

/* added.c */
int added_ask(struct added *a, struct need *need, struct node *asker);
struct copy *added_for(const struct added *a, const struct need *need);
/* After all asked. *ret_more: other edges than before were chosen. */
int added_update(struct resolver *r, bool *ret_more);
/* Who asked for what cannot be had fails with it; whether that changed anything. */
bool added_prune(struct resolver *r);

/* copies.c */
/* Edges and then peers. */
size_t copy_ntargets(const struct copy *c);
struct copy *copy_target(const struct copy *c, size_t i);
/* Gives each copy that is reached its class; *ret is one copy of each, in order. */
int copies_merge(struct resolver *r, struct copy ***ret);
/* One suffix for each class, from the round's arena: empty where its release has no other class. */
int copies_name(struct resolver *r, struct copy *const *classes, struct str **ret);

/* emit.c */
/* *ret_unsure: resolve.c */
int emit(struct resolver *r, struct lockfile **ret, bool *ret_unsure);

/* explain.c */
int explain_edge(struct resolver *r, const struct node *from, const struct edge *e);
int explain_peer_conflict(struct resolver *r, const struct copy *c, const struct peer *p,
	const struct copy *provider);
/* The same as a warning. */
void explain_peer_mismatch(struct resolver *r, const struct copy *c, const struct peer *p,
	const struct copy *provider);
/* "app needs a ^1, a 1.2.0 needs b ^2": the way to `n` and, with `e`, one step on. */
void explain_chain(struct buf *b, const struct resolver *r, const struct node *n,
	const struct edge *e);
/* "express 4.19.2", or the project's name. */
void explain_node(struct buf *b, const struct resolver *r, const struct node *n);
/* Gives the failure its place in the manifest; returns its code. */
int place(struct resolver *r, struct toml_place at);
/* Each text once. */
void warn(struct resolver *r, const char *format, ...) _printf_(2, 3);
void detail(struct resolver *r, const char *format, ...) _printf_(2, 3);

/* left_out.c */
int left_out_add(struct resolver *r, struct node *from, const struct edge *e, int code);
/* A warning for each parent, and a detail for each dependency where there are several. */
int left_out_tell(struct resolver *r);

#endif
