// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/manifest/manifest.h"

/*
 * The graph digest is the BLAKE3 of a list of fields, each its length as a 64-bit little-endian number
 * and its bytes, so that no two manifests run together. In this order:
 *
 *	"cratons-graph-1"
 *	for each dependency, by ecosystem, kind, name:
 *		"dependency" ecosystem kind name requirement url integrity path
 *	for each override, by ecosystem, parents, target:
 *		"override" ecosystem target requirement, number of parents, each parent
 *	for each extension, by ecosystem, target:
 *		"extension" ecosystem target, number of additions, each: kind name requirement
 *	for each registry, by ecosystem, scope:
 *		"registry" ecosystem scope url
 *	"minimum-age" seconds, if any		"node" requirement, if any
 *
 * Numbers are decimal text; what is not set is an empty field.
 */
static void add(struct hasher *h, struct str s)
{
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)s.n >> (8 * i));
	hash_add(h, length, sizeof(length));
	if (s.n)
		hash_add(h, s.p, s.n);
}

static void add_number(struct hasher *h, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	add(h, str_from(text));
}

static void add_dependency(struct hasher *h, const struct manifest_dependency *dep)
{
	add(h, STR("dependency"));
	add(h, dep->ecosystem);
	add_number(h, dep->kind);
	add(h, dep->name);
	add(h, dep->requirement);
	add(h, dep->url);
	add(h, dep->integrity);
	add(h, dep->path);
}

static void add_override(struct hasher *h, const struct manifest_override *o)
{
	add(h, STR("override"));
	add(h, o->ecosystem);
	add(h, o->target);
	add(h, o->requirement);
	add_number(h, (int64_t)o->nparents);
	for (size_t i = 0; i < o->nparents; i++)
		add(h, o->parents[i]);
}

static void add_extension(struct hasher *h, const struct manifest_extension *x)
{
	add(h, STR("extension"));
	add(h, x->ecosystem);
	add(h, x->target);
	add_number(h, (int64_t)x->nadds);
	for (size_t i = 0; i < x->nadds; i++) {
		add_number(h, x->adds[i].kind);
		add(h, x->adds[i].name);
		add(h, x->adds[i].requirement);
	}
}

struct digest manifest_graph_digest(const struct manifest *m)
{
	struct hasher h;

	hash_init(&h);
	add(&h, STR("cratons-graph-1"));
	for (size_t i = 0; i < m->ndependencies; i++)
		add_dependency(&h, &m->dependencies[i]);
	for (size_t i = 0; i < m->noverrides; i++)
		add_override(&h, &m->overrides[i]);
	for (size_t i = 0; i < m->nextensions; i++)
		add_extension(&h, &m->extensions[i]);
	for (size_t i = 0; i < m->nregistries; i++) {
		add(&h, STR("registry"));
		add(&h, m->registries[i].ecosystem);
		add(&h, m->registries[i].scope);
		add(&h, m->registries[i].url);
	}
	if (m->minimum_age > 0) {
		add(&h, STR("minimum-age"));
		add_number(&h, m->minimum_age);
	}
	if (m->node.n) {
		add(&h, STR("node"));
		add(&h, m->node);
	}
	return hash_end(&h);
}
