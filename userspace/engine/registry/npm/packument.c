// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registry's document of a package, full or abbreviated:
 * https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 * A version that is malformed in what decides the graph is left out; what only informs (engines,
 * deprecated, bin) is left out by itself.
 */
#include "base/integrity.h"
#include "base/json.h"
#include "engine/manifest/names.h"
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/packed.h"
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <errno.h>

#define BODY_MAX       ((size_t)512 << 20)
#define DEPRECATED_MAX 4096
#define TAGS_MAX       10000

/* The fields of one version that are looked at. */
#define FIELDS(X)                                                                                  \
	X(bin) X(bundleDependencies) X(bundledDependencies) X(cpu) X(dependencies) X(deprecated)   \
	X(dist) X(engines) X(gypfile) X(hasInstallScript) X(libc) X(name)                          \
	X(optionalDependencies) X(os) X(peerDependencies) X(peerDependenciesMeta) X(scripts)       \
	X(version)

enum field {
#define X(name) FIELD_##name,
	FIELDS(X)
#undef X
	FIELD_COUNT,
};

static const struct str field_names[] = {
#define X(name) STR(#name),
	FIELDS(X)
#undef X
};

/* A dependency as it was found. */
struct found {
	struct str alias, requirement;
	enum dependency_kind kind;
};

struct found_list {
	VEC(struct found) v;
	uint32_t at;	/* where it was put into the words */
};

/* A release before they are put in order. */
struct candidate {
	struct packed_release packed;
	struct str text;
	struct version *version;
};

struct reader {
	struct str name;
	struct packer packer;
	struct arena arena;
	VEC(struct candidate) candidates;
	struct map by_text;	/* a version's text → its index in candidates, plus one */
	/* The dependencies of this release and of the one before: most often they are the same. */
	struct found_list lists[2];
	struct buf scratch;
	struct json field[FIELD_COUNT];
};

/* 1: this version is left out. */
#define LEFT_OUT 1

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

static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
	/* http://howardhinnant.github.io/date_algorithms.html#days_from_civil, years from 0 on */
	int64_t era, day;

	y -= m <= 2;
	era = y / 400;
	y -= era * 400;
	day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + y * 365 + y / 4 - y / 100 + day - 719468;
}

/* "2015-01-31T23:59:59.123Z"; -1 when it is none. */
static int64_t read_time(struct str s)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:dd";
	int64_t part[6] = { 0 }, ms = 0;
	size_t n = 0, i;

	if (s.n < sizeof(pattern))
		return -1;
	for (i = 0; i < sizeof(pattern) - 1; i++) {
		if (pattern[i] != 'd' ? s.p[i] != pattern[i] : !is_digit(s.p[i]))
			return -1;
		if (pattern[i] != 'd')
			n++;
		else
			part[n] = part[n] * 10 + (s.p[i] - '0');
	}
	if (s.p[i] == '.') {
		int64_t unit = 100;

		for (i++; i < s.n && is_digit(s.p[i]); i++, unit /= 10)
			ms += unit * (s.p[i] - '0');
	}
	if (i + 1 != s.n || s.p[i] != 'Z' || part[0] < 1970 || part[1] < 1 || part[1] > 12 ||
			part[2] < 1 || part[2] > 31 || part[3] > 23 || part[4] > 59 || part[5] > 60)
		return -1;
	return ((days_from_civil(part[0], part[1], part[2]) * 24 + part[3]) * 60 + part[4]) * 60000 +
	       part[5] * 1000 + ms;
}

static int read_release(struct reader *r, struct str version, struct json v, struct candidate *c)
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

static int by_version(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;
	int r = npm_versions.order(a->version, b->version);

	return r ? r : str_cmp(a->text, b->text);
}

static int read_versions(struct reader *r, struct json versions, struct diag *d)
{
	struct map_entry *entry;
	struct candidate c;
	int e;

	json_foreach(i, versions) {
		if (r->candidates.n == PACKED_RELEASES_MAX)
			return diag_fail(d, -ERR_METADATA, "more than %u versions",
				PACKED_RELEASES_MAX);
		e = json_kind(i.value) == JSON_OBJECT ? read_release(r, i.key, i.value, &c) : LEFT_OUT;
		if (e < 0)
			return e;
		if (e == LEFT_OUT)
			continue;
		entry = map_entry(&r->by_text, i.key);
		if (!entry)
			return -ENOMEM;
		/* Of a version that is there twice the first counts, as of any key. */
		if (entry->value)
			continue;
		e = vec_push(&r->candidates, c);
		if (e < 0)
			return e;
		entry->value = (void *)(uintptr_t)r->candidates.n;
	}
	return 0;
}

static void read_times(struct reader *r, struct json times)
{
	json_foreach(i, times) {
		size_t at = i.key.p ? (uintptr_t)map_get(&r->by_text, i.key) : 0;
		struct packed_release *release = at ? &r->candidates.v[at - 1].packed : NULL;

		if (release && release->published < 0)
			release->published = read_time(json_str(i.value));
	}
}

static int put_releases(struct reader *r)
{
	struct packer *k = &r->packer;

	if (r->candidates.n)
		qsort(r->candidates.v, r->candidates.n, sizeof(*r->candidates.v), by_version);
	vec_foreach(c, &r->candidates)
		if (k->error == 0)
			k->error = vec_push(&k->releases, c->packed);
	return k->error;
}

struct tag {
	struct str name;
	struct packed_tag packed;
};

static int by_name(const void *x, const void *y)
{
	const struct tag *a = x, *b = y;

	return str_cmp(a->name, b->name);
}

static int put_tags(struct packer *k, const struct tag *tags, size_t n)
{
	for (size_t i = 0; i < n && k->error == 0; i++)
		if (i == 0 || !str_eq(tags[i].name, tags[i - 1].name))
			k->error = vec_push(&k->tags, tags[i].packed);
	return k->error;
}

/* Those that lead to a version that was not left out. */
static int read_tags(struct reader *r, struct json object)
{
	VEC(struct tag) tags = { 0 };
	int e = 0;

	json_foreach(i, object) {
		struct str version = json_str(i.value);
		size_t at = i.key.p && version.p ? (uintptr_t)map_get(&r->by_text, version) : 0;
		struct tag t = { .name = i.key };

		if (!at || !name_is_line(i.key, 256) || tags.n == TAGS_MAX || e)
			continue;
		t.packed.name = packer_shared(&r->packer, i.key);
		t.packed.version = r->candidates.v[at - 1].packed.version;
		e = vec_push(&tags, t);
	}
	if (tags.n)
		qsort(tags.v, tags.n, sizeof(*tags.v), by_name);
	if (e == 0)
		e = put_tags(&r->packer, tags.v, tags.n);
	vec_done(&tags);
	return e;
}

static int read_document(struct reader *r, struct json root, struct package **ret, struct diag *d)
{
	struct json versions = json_get(root, "versions");
	struct str name = json_str(json_get(root, "name"));
	int e;

	if (json_kind(root) != JSON_OBJECT)
		return diag_fail(d, -ERR_METADATA, "it is not an object");
	if (name.p && !str_eq(name, r->name))
		return diag_fail(d, -ERR_METADATA, "it is that of '%.*s' ('name')",
			STR_ARG(str_slice(name, 0, 256)));
	if (json_kind(versions) != JSON_OBJECT)
		return diag_fail(d, -ERR_METADATA, "'versions' is %s",
			json_kind(versions) == JSON_NOTHING ? "missing" : "not an object");
	e = read_versions(r, versions, d);
	if (e < 0)
		return e;
	read_times(r, json_get(root, "time"));
	e = read_tags(r, json_get(root, "dist-tags"));
	if (e == 0)
		e = put_releases(r);
	return e ? e : packer_end(&r->packer, r->name, ret);
}

static void reader_done(struct reader *r)
{
	packer_done(&r->packer);
	arena_done(&r->arena);
	vec_done(&r->candidates);
	map_done(&r->by_text);
	vec_done(&r->lists[0].v);
	vec_done(&r->lists[1].v);
	buf_done(&r->scratch);
}

static int read_body(struct reader *r, struct str body, const char *url, struct package **ret,
	struct diag *d)
{
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	int e;

	if (body.n > BODY_MAX)
		return diag_fail(d, -ERR_METADATA, "%zu bytes are more than the %zu allowed", body.n,
			BODY_MAX);
	e = json_parse(&doc, body, url, d);
	if (e < 0)
		return e == -ENOMEM || e == -ELIBACC ? e : -ERR_METADATA;
	e = packer_init(&r->packer);
	return e < 0 ? e : read_document(r, json_root(doc), ret, d);
}

int npm_metadata_parse(struct str body, struct str name, const char *url, struct package **ret,
	struct diag *d)
{
	struct reader r = { .name = name };
	int e = npm_name_valid(name) ? read_body(&r, body, url, ret, d) :
				       diag_fail(d, -ERR_METADATA, "the name is not valid");

	reader_done(&r);
	if (e == 0)
		return 0;
	if (d && !d->code)
		return diag_errno(d, e, "the metadata of %.*s", STR_ARG(name));
	diag_context(d, "the metadata of %.*s", STR_ARG(str_slice(name, 0, 256)));
	diag_where(d, "%s", url);
	if (d)
		d->code = e;
	return e;
}
