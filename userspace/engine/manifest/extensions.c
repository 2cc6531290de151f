// SPDX-License-Identifier: GPL-2.0-or-later
/* [extensions], and the same table in a file of its own. */
#include "engine/manifest/manifest-priv.h"
#include "engine/manifest/names.h"

#include <errno.h>

struct extension_reader {
	struct manifest_extension x;
	VEC(struct manifest_dependency) adds;
};

static int push_add(struct extension_reader *er, struct toml_reader *r, struct str name,
	struct str requirement, enum dependency_kind kind, struct toml_place at)
{
	struct manifest_dependency dep = {
		.ecosystem = er->x.ecosystem,
		.name = name,
		.requirement = requirement,
		.kind = kind,
		.place = at,
	};

	if (!name_is_package(name))
		return toml_read_fail(r, at, "'%.*s' is not a package name", STR_ARG(name));
	vec_foreach(other, &er->adds)
		if (str_eq(other->name, name))
			return toml_read_fail(r, at, "'%.*s' is added twice", STR_ARG(name));
	return vec_push(&er->adds, dep);
}

static int read_adds(struct toml_reader *r, const struct toml_node *t, struct extension_reader *er,
	enum dependency_kind kind)
{
	for (size_t i = 0; i < toml_count(t); i++) {
		struct str name = toml_key_at(t, i), requirement;
		int e = manifest_requirement(r, name, toml_at(t, i), &requirement);

		if (e == 0)
			e = push_add(er, r, name, requirement, kind, toml_key_place_at(t, i));
		if (e < 0)
			return e;
	}
	return 0;
}

static int read_dependencies(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return read_adds(r, t, into, DEPENDENCY_NORMAL);
}

static int read_peers(struct toml_reader *r, const struct toml_node *t, void *into)
{
	return read_adds(r, t, into, DEPENDENCY_PEER);
}

/* Names alone: whatever version is there is what the package is going to find. */
static int read_optional_peers(struct toml_reader *r, const struct toml_node *list, void *into)
{
	for (size_t i = 0; i < toml_count(list); i++) {
		const struct toml_node *v = toml_at(list, i);
		int e = toml_read_kind(r, v, TOML_STRING, "a name in 'optional-peers'");

		if (e == 0)
			e = push_add(into, r, toml_str(v), STR("*"), DEPENDENCY_PEER_OPTIONAL,
				toml_place(v));
		if (e < 0)
			return e;
	}
	return 0;
}

/* For who reads the file. */
static int read_reason(struct toml_reader *r, const struct toml_node *v, void *into)
{
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct manifest_dependency *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static int push_extension(struct manifest_reader *mr, struct extension_reader *er)
{
	size_t n = er->adds.n;

	er->x.adds = arena_newn(&mr->m->arena, struct manifest_dependency, n);
	if (!er->x.adds && n)
		return -ENOMEM;
	if (n) {
		qsort(er->adds.v, n, sizeof(*er->adds.v), by_name);
		memcpy(er->x.adds, er->adds.v, n * sizeof(*er->adds.v));
	}
	er->x.nadds = n;
	return vec_push(&mr->extensions, er->x);
}

static int read_extension(struct toml_reader *r, struct str ecosystem, const struct toml_node *t,
	size_t i)
{
	static const struct toml_key keys[] = {
		{ "dependencies", TOML_TABLE, read_dependencies },
		{ "peers", TOML_TABLE, read_peers },
		{ "optional-peers", TOML_ARRAY, read_optional_peers },
		{ "reason", TOML_STRING, read_reason },
	};
	struct extension_reader er = { .x = {
		.ecosystem = ecosystem,
		.target = toml_key_at(t, i),
	} };
	char label[300];
	int e;

	if (!manifest_target_valid(er.x.target))
		return toml_read_fail(r, toml_key_place_at(t, i),
			"'%.*s' is not \"name\" or \"name@range\"", STR_ARG(er.x.target));
	snprintf(label, sizeof(label), "the extension of '%.*s'",
		(int)MIN(er.x.target.n, (size_t)214), er.x.target.p);
	e = toml_read_kind(r, toml_at(t, i), TOML_TABLE, label);
	if (e == 0)
		e = toml_read_table(r, toml_at(t, i), label, keys, ARRAY_SIZE(keys), &er);
	if (e == 0)
		e = push_extension(manifest_reader(r), &er);
	vec_done(&er.adds);
	return e;
}

static int read_extensions_of(struct toml_reader *r, struct str ecosystem, const struct toml_node *t)
{
	int e = toml_count(t) > MANIFEST_LIST_MAX ?
		toml_read_fail(r, toml_place(t), "too many extensions") : 0;

	for (size_t i = 0; e == 0 && i < toml_count(t); i++)
		e = read_extension(r, ecosystem, t, i);
	return e;
}

int manifest_read_extensions(struct toml_reader *r, const struct toml_node *t, void *into)
{
	for (size_t i = 0; i < toml_count(t); i++) {
		struct str ecosystem = toml_key_at(t, i);
		int e = manifest_ecosystem(r, ecosystem, toml_key_place_at(t, i), "extensions");

		if (e == 0)
			e = toml_read_kind(r, toml_at(t, i), TOML_TABLE, "'extensions.npm'");
		if (e == 0)
			e = read_extensions_of(r, ecosystem, toml_at(t, i));
		if (e < 0)
			return e;
	}
	return 0;
}

int manifest_read_extensions_file(struct manifest_reader *mr, struct str ecosystem)
{
	return read_extensions_of(&mr->base, ecosystem, toml_root(mr->m->doc));
}
