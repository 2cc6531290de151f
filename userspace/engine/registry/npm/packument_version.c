// SPDX-License-Identifier: GPL-2.0-or-later
/* One version of a packument: its package.json as the registry has it, and where its archive is. */
#include "engine/registry/npm/packument-priv.h"

#include "base/integrity.h"
#include "engine/manifest/names.h"
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <errno.h>

#define DEPRECATED_MAX 4096

static const struct str field_names[] = {
#define X(name) STR(#name),
	FIELDS(X)
#undef X
};

static void read_fields(struct reader *r, struct json version)
{
	memset(r->field, 0, sizeof(r->field));
	json_foreach(i, version)
		for (size_t f = 0; f < FIELD_COUNT; f++)
			if (i.key.n == field_names[f].n && str_eq(i.key, field_names[f])) {
				/* The first of a name counts. */
				if (!r->field[f].at)
					r->field[f] = i.value;
				break;
			}
}

static int add_list(struct packer *k, const uint32_t *words, size_t n, size_t count, uint32_t *ret)
{
	*ret = 0;
	if (count == 0 || k->error)
		return k->error;
	*ret = (uint32_t)k->words.n;
	k->error = vec_push(&k->words, (uint32_t)count);
	for (size_t i = 0; i < n && k->error == 0; i++)
		k->error = vec_push(&k->words, words[i]);
	return k->error;
}

/* Appends an object of aliases and requirements. */
static int gather(struct found_list *l, struct json object, enum dependency_kind kind,
	struct json meta)
{
	int e;

	json_foreach(i, object) {
		struct found f = { i.key, json_str(i.value), kind };

		if (!i.key.p)	/* an array, as some very old documents have for "none" */
			return 0;
		if (!f.requirement.p || f.requirement.n > SEMVER_RANGE_MAX ||
				!npm_name_valid(f.alias) || l->v.n >= PACKED_LIST_MAX)
			return LEFT_OUT;
		if (kind == DEPENDENCY_PEER &&
				json_bool(json_get(json_get_str(meta, f.alias), "optional"), false))
			f.kind = DEPENDENCY_PEER_OPTIONAL;
		e = vec_push(&l->v, f);
		if (e < 0)
			return e;
	}
	return 0;
}

/* By alias; of one alias what npm lets win comes first: optional, normal, peer. */
static int by_alias(const void *x, const void *y)
{
	static const int rank[] = {
		[DEPENDENCY_OPTIONAL] = 0, [DEPENDENCY_NORMAL] = 1, [DEPENDENCY_DEV] = 2,
		[DEPENDENCY_PEER] = 3, [DEPENDENCY_PEER_OPTIONAL] = 3,
	};
	const struct found *a = x, *b = y;
	int r = str_cmp(a->alias, b->alias);

	return r ? r : rank[a->kind] - rank[b->kind];
}

static bool same_list(const struct found_list *a, const struct found_list *b)
{
	if (a->v.n != b->v.n)
		return false;
	for (size_t i = 0; i < a->v.n; i++) {
		const struct found *x = &a->v.v[i], *y = &b->v.v[i];

		if (x->kind != y->kind || !str_eq(x->alias, y->alias) ||
				!str_eq(x->requirement, y->requirement))
			return false;
	}
	return true;
}

static int put_dependencies(struct reader *r, struct found_list *l)
{
	struct packer *k = &r->packer;
	_cleanup_free_ struct found *sorted = NULL;
	size_t n = 0;

	l->at = 0;
	if (l->v.n == 0)
		return 0;
	/* The list itself stays as it came, to be compared with the next. */
	sorted = malloc(l->v.n * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, l->v.v, l->v.n * sizeof(*sorted));
	qsort(sorted, l->v.n, sizeof(*sorted), by_alias);
	l->at = (uint32_t)k->words.n;
	k->error = k->error ? k->error : vec_push(&k->words, 0);
	for (size_t i = 0; i < l->v.n && k->error == 0; i++) {
		const struct found *f = &sorted[i];
		uint32_t words[] = { 0, 0, f->kind };

		if (i && str_eq(f->alias, f[-1].alias))
			continue;
		words[0] = packer_shared(k, f->alias);
		words[1] = packer_shared(k, f->requirement);
		for (size_t w = 0; w < ARRAY_SIZE(words) && k->error == 0; w++)
			k->error = vec_push(&k->words, words[w]);
		n++;
	}
	if (k->error == 0)
		k->words.v[l->at] = (uint32_t)n;
	return k->error;
}

static int read_dependencies(struct reader *r, struct packed_release *out)
{
	struct found_list swap = r->lists[1], *l = &r->lists[0];
	int e;

	/* The one before moves to [1]; its predecessor's memory is used again. */
	r->lists[1] = r->lists[0];
	r->lists[0] = swap;
	l->v.n = 0;
	e = gather(l, r->field[FIELD_optionalDependencies], DEPENDENCY_OPTIONAL, (struct json){ 0 });
	if (e == 0)
		e = gather(l, r->field[FIELD_dependencies], DEPENDENCY_NORMAL, (struct json){ 0 });
	if (e == 0)
		e = gather(l, r->field[FIELD_peerDependencies], DEPENDENCY_PEER,
			r->field[FIELD_peerDependenciesMeta]);
	if (e) {
		l->v.n = 0;
		l->at = 0;
		return e;
	}
	if (same_list(&r->lists[0], &r->lists[1]))
		l->at = r->lists[1].at;
	else
		e = put_dependencies(r, l);
	out->dependencies = l->at;
	return e;
}

/* An array of strings or one string; what `valid` refuses is passed over. */
static int read_strings(struct reader *r, struct json v, bool (*valid)(struct str), uint32_t *ret)
{
	uint32_t words[64];
	size_t n = 0;

	if (json_kind(v) == JSON_STRING && valid(json_str(v)))
		words[n++] = packer_shared(&r->packer, json_str(v));
	json_foreach(i, v) {
		struct str s = json_str(i.value);

		if (i.key.p || n == ARRAY_SIZE(words))
			return LEFT_OUT;
		if (s.p && valid(s))
			words[n++] = packer_shared(&r->packer, s);
	}
	return add_list(&r->packer, words, n, n, ret);
}

static bool platform_valid(struct str s)
{
	return name_is_line(s, 64);
}

static int put_bundled(struct reader *r, struct str name, size_t *n)
{
	struct packer *k = &r->packer;

	if (!npm_name_valid(name))
		return 0;
	if (*n == PACKED_LIST_MAX)
		return LEFT_OUT;
	k->error = k->error ? k->error : vec_push(&k->words, packer_shared(k, name));
	++*n;
	return k->error;
}

static int read_bundled(struct reader *r, uint32_t *ret)
{
	struct packer *k = &r->packer;
	struct json v = r->field[FIELD_bundleDependencies];
	size_t n = 0, start = k->words.n;
	int e = k->error;

	if (!v.at)
		v = r->field[FIELD_bundledDependencies];
	*ret = 0;
	/* true: all. An object is as good as its keys. */
	if (json_bool(v, false))
		v = r->field[FIELD_dependencies];
	if (json_kind(v) != JSON_ARRAY && json_kind(v) != JSON_OBJECT)
		return 0;
	if (e == 0)
		e = k->error = vec_push(&k->words, 0);
	json_foreach(i, v) {
		struct str name = i.key.p ? i.key : json_str(i.value);

		if (e == 0 && name.p)
			e = put_bundled(r, name, &n);
	}
	if (e == 0 && n) {
		k->words.v[start] = (uint32_t)n;
		*ret = (uint32_t)start;
	} else if (start) {
		k->words.n = start;
	}
	return e;
}

static int read_integrity(struct reader *r, struct json dist, uint32_t *ret)
{
	struct str sri = json_str(json_get(dist, "integrity"));

	*ret = 0;
	if (!sri.p || integrity_strength(sri) == INTEGRITY_NONE) {
		buf_reset(&r->scratch);
		sri = json_str(json_get(dist, "shasum"));
		if (!sri.p || integrity_from_sha1_hex(sri, &r->scratch) < 0)
			return 0;
		sri = buf_str(&r->scratch);
	}
	*ret = packer_string(&r->packer, sri);
	return r->packer.error;
}

static int read_dist(struct reader *r, struct str version, struct packed_release *out)
{
	struct json dist = r->field[FIELD_dist];
	struct str url = json_str(json_get(dist, "tarball")), prefix = url;

	if (!name_is_url(url))
		return LEFT_OUT;
	if (str_ends(prefix, STR(".tgz"))) {
		prefix.n -= 4;
		if (str_ends(prefix, version)) {
			url = str_slice(prefix, 0, prefix.n - version.n);
			out->flags |= PACKED_URL_IS_PREFIX;
		}
	}
	out->url = packer_shared(&r->packer, url);
	return read_integrity(r, dist, &out->integrity);
}

/* The last part of a path, whatever it is separated by. */
static struct str base_name(struct str s)
{
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == '/' || s.p[i] == '\\' || s.p[i] == ':')
			return str_slice(s, i + 1, s.n);
	return s;
}

/* A path as if from the package's root, which ".." cannot leave. Appends to `to`. */
static int put_inner_path(struct buf *to, struct str path)
{
	size_t start = to->len;
	size_t i = 0;
	int e = 0;

	while (i < path.n && e == 0) {
		size_t from = i;
		struct str part;

		while (i < path.n && path.p[i] != '/' && path.p[i] != '\\')
			i++;
		part = str_slice(path, from, i++);
		if (part.n == 0 || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			while (to->len > start && to->data[--to->len] != '/')
				;
			continue;
		}
		if (to->len > start)
			e = buf_addc(to, '/');
		if (e == 0)
			e = buf_addstr(to, part);
	}
	return e;
}

static int add_bin(struct reader *r, struct str name, struct str path, uint32_t *words, size_t *n)
{
	struct str inner;
	int e;

	name = base_name(name);
	if (!path.p || path.n > 4095 || !name_is_command(name))
		return 0;
	buf_reset(&r->scratch);
	e = put_inner_path(&r->scratch, path);
	if (e < 0)
		return e;
	inner = buf_str(&r->scratch);
	if (!name_is_inner_path(inner))
		return 0;
	inner = arena_str(&r->arena, inner);
	if (!inner.p)
		return -ENOMEM;
	words[(*n)++] = packer_shared(&r->packer, name);
	words[(*n)++] = packer_shared(&r->packer, inner);
	return r->packer.error;
}

static int read_bins(struct reader *r, uint32_t *ret)
{
	struct json bin = r->field[FIELD_bin];
	uint32_t words[2 * 256];
	size_t n = 0;
	int e = 0;

	if (json_kind(bin) == JSON_STRING)
		e = add_bin(r, r->name, json_str(bin), words, &n);
	if (json_kind(bin) == JSON_OBJECT)
		json_foreach(i, bin)
			if (e == 0 && n < ARRAY_SIZE(words))
				e = add_bin(r, i.key, json_str(i.value), words, &n);
	return e ? e : add_list(&r->packer, words, n, n / 2, ret);
}

static bool has_scripts(struct reader *r)
{
	static const char *const names[] = { "preinstall", "install", "postinstall" };

	/* gypfile: npm compiles what has a binding.gyp and no script of its own. */
	if (json_bool(r->field[FIELD_hasInstallScript], false) ||
			json_bool(r->field[FIELD_gypfile], false))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_str(json_get(r->field[FIELD_scripts], names[i])).n)
			return true;
	return false;
}

/* Text of whole characters, at most `max` bytes. */
static struct str cut_text(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	s.n = max;
	while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

int packument_version(struct reader *r, struct str version, struct json v, struct candidate *c)
{
	struct packed_release *out = &c->packed;
	struct str said;
	int e;

	*c = (struct candidate){ .text = version };
	if (!name_is_version(version))
		return LEFT_OUT;
	e = npm_versions.parse(&r->arena, version, VERSION_LOOSE, &c->version);
	if (e < 0)
		return e == -ENOMEM ? e : LEFT_OUT;
	read_fields(r, v);
	/* A document that says under one name or version what it says of another is not believed. */
	said = json_str(r->field[FIELD_name]);
	if (said.p && !str_eq(said, r->name))
		return LEFT_OUT;
	said = json_str(r->field[FIELD_version]);
	if (said.p && !str_eq(said, version))
		return LEFT_OUT;
	out->version = packer_string(&r->packer, version);
	out->deprecated = packer_shared(&r->packer,
		cut_text(json_str(r->field[FIELD_deprecated]), DEPRECATED_MAX));
	said = json_str(json_get(r->field[FIELD_engines], "node"));
	if (said.n <= SEMVER_RANGE_MAX)
		out->engines = packer_shared(&r->packer, said);
	out->published = -1;
	out->flags = has_scripts(r) ? PACKED_SCRIPTS : 0;
	e = read_dist(r, version, out);
	if (e == 0)
		e = read_dependencies(r, out);
	if (e == 0)
		e = read_bundled(r, &out->bundled);
	if (e == 0)
		e = read_bins(r, &out->bins);
	if (e == 0)
		e = read_strings(r, r->field[FIELD_os], platform_valid, &out->os);
	if (e == 0)
		e = read_strings(r, r->field[FIELD_cpu], platform_valid, &out->cpu);
	if (e == 0)
		e = read_strings(r, r->field[FIELD_libc], platform_valid, &out->libc);
	return e ? e : r->packer.error;
}
