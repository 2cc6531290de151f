// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registry's document of a package, full or abbreviated:
 * https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 * A version that is malformed in what decides the graph is left out; what only informs (engines,
 * deprecated, bin) is left out by itself.
 */
#include "engine/registry/npm/packument-priv.h"

#include "engine/manifest/names.h"
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <errno.h>

#define BODY_MAX ((size_t)256 << 20)
#define TAGS_MAX 10000

/* Days from 1970 to a day of the Gregorian calendar. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	static const int16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t past = year - 1;
	int64_t leap_days = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);

	return 365 * (year - 1970) + leap_days + before[month - 1] + (leap && month > 2) + day - 1;
}

/* The numbers of `s` where `pattern` has runs of 'd'; all else must be the same. */
static bool read_pattern(struct str s, const char *pattern, int64_t *part)
{
	if (s.n != strlen(pattern))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (pattern[i] != 'd' ? s.p[i] != pattern[i] : !is_digit(s.p[i]))
			return false;
		if (pattern[i] != 'd')
			continue;
		if (i == 0 || pattern[i - 1] != 'd')
			*part++ = 0;
		part[-1] = part[-1] * 10 + (s.p[i] - '0');
	}
	return true;
}

/* The minutes by which a time zone is ahead: "Z", "+02:00". */
static bool read_zone(struct str s, int64_t *ret)
{
	int64_t part[2] = { 0 };

	*ret = 0;
	if (str_is(s, "Z"))
		return true;
	if (!read_pattern(s, "+dd:dd", part) && !read_pattern(s, "-dd:dd", part))
		return false;
	*ret = (part[0] * 60 + part[1]) * (s.p[0] == '-' ? -1 : 1);
	return part[0] < 24 && part[1] < 60;
}

/* RFC 3339, "2015-01-31T23:59:59.123Z", in ms since 1970; -1 when it is none. */
static int64_t read_time(struct str s)
{
	int64_t t[6], ms = 0, zone;
	size_t i = 19;

	if (!read_pattern(str_slice(s, 0, i), "dddd-dd-ddTdd:dd:dd", t))
		return -1;
	if (i < s.n && s.p[i] == '.')
		for (int64_t unit = 100; ++i < s.n && is_digit(s.p[i]); unit /= 10)
			ms += unit * (s.p[i] - '0');
	if (!read_zone(str_slice(s, i, s.n), &zone) || t[0] < 1970 || t[1] < 1 || t[1] > 12 ||
			t[2] < 1 || t[2] > 31 || t[3] > 23 || t[4] > 59 || t[5] > 60)
		return -1;
	ms += ((days_since_1970(t[0], t[1], t[2]) * 24 + t[3]) * 60 + t[4] - zone) * 60000 +
	      t[5] * 1000;
	return ms < 0 ? -1 : ms;
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
		e = json_kind(i.value) == JSON_OBJECT ? packument_version(r, i.key, i.value, &c) : LEFT_OUT;
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
