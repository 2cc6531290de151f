// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/packed.h"

#include "engine/manifest/names.h"
#include "engine/registry/npm/npm.h"
#include "engine/registry/npm/semver.h"
#include "prim/err.h"

#include <errno.h>

/* The parts of a packed document whose sizes agree with its head. */
struct view {
	const struct packed_head *head;
	const struct packed_release *releases;
	const struct packed_tag *tags;
	const uint32_t *words, *offsets;
	const char *bytes;
	bool bad;	/* an index led nowhere */
};

int packer_init(struct packer *k)
{
	*k = (struct packer){ 0 };
	buf_init(&k->bytes, UINT32_MAX);
	k->error = vec_push(&k->offsets, 0);
	packer_string(k, STR(""));
	if (k->error == 0)
		k->error = vec_push(&k->words, 0);
	return k->error;
}

void packer_done(struct packer *k)
{
	map_done(&k->known);
	vec_done(&k->offsets);
	vec_done(&k->words);
	vec_done(&k->releases);
	vec_done(&k->tags);
	buf_done(&k->bytes);
}

uint32_t packer_string(struct packer *k, struct str s)
{
	if (k->error == 0)
		k->error = buf_addstr(&k->bytes, s);
	if (k->error == 0)
		k->error = vec_push(&k->offsets, (uint32_t)k->bytes.len);
	return k->error ? 0 : (uint32_t)k->offsets.n - 2;
}

uint32_t packer_shared(struct packer *k, struct str s)
{
	struct map_entry *e;

	if (s.n == 0 || k->error)
		return 0;
	e = map_entry(&k->known, s);
	if (!e) {
		k->error = -ENOMEM;
		return 0;
	}
	if (!e->value)
		e->value = (void *)(uintptr_t)packer_string(k, s);
	return (uint32_t)(uintptr_t)e->value;
}

static char *part(char *at, const void *bytes, size_t size)
{
	if (size)
		memcpy(at, bytes, size);
	return at + size;
}

static struct digest digest_of(const struct packed_head *head, size_t size)
{
	return hash_bytes((const char *)head + sizeof(head->digest), size - sizeof(head->digest));
}

static int open_package(struct package *p, struct diag *d);

int packer_end(struct packer *k, struct str name, struct package **ret)
{
	_cleanup_(package_free_p) struct package *p = calloc(1, sizeof(*p));
	struct packed_head head = { .magic = PACKED_MAGIC, .name = packer_shared(k, name),
		.nreleases = (uint32_t)k->releases.n, .ntags = (uint32_t)k->tags.n,
		.nwords = (uint32_t)k->words.n, .nstrings = (uint32_t)k->offsets.n - 1,
		.nbytes = (uint32_t)k->bytes.len };
	char *packed, *at;
	int r;

	if (!p || k->error)
		return k->error ? k->error : -ENOMEM;
	p->npacked = sizeof(head) + k->releases.n * sizeof(*k->releases.v) +
		k->tags.n * sizeof(*k->tags.v) + (k->words.n + k->offsets.n) * sizeof(uint32_t) +
		k->bytes.len;
	packed = arena_alloc(&p->arena, p->npacked);
	if (!packed)
		return -ENOMEM;
	at = part(packed, &head, sizeof(head));
	at = part(at, k->releases.v, k->releases.n * sizeof(*k->releases.v));
	at = part(at, k->tags.v, k->tags.n * sizeof(*k->tags.v));
	at = part(at, k->words.v, k->words.n * sizeof(uint32_t));
	at = part(at, k->offsets.v, k->offsets.n * sizeof(uint32_t));
	part(at, k->bytes.data, k->bytes.len);
	p->packed = packed;
	r = open_package(p, NULL);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

int npm_metadata_pack(const struct package *p, struct buf *ret)
{
	struct packed_head head;
	int r;

	if (p->npacked < sizeof(head))
		return -EINVAL;
	memcpy(&head, p->packed, sizeof(head));
	head.digest = digest_of(p->packed, p->npacked);
	r = buf_reserve(ret, p->npacked);
	if (r == 0)
		r = buf_add(ret, &head, sizeof(head));
	if (r == 0)
		r = buf_add(ret, (const char *)p->packed + sizeof(head), p->npacked - sizeof(head));
	return r;
}

/* False when the sizes in the head are not those of the document. */
static bool view_open(struct view *v, const struct package *p)
{
	const char *at = p->packed, *end = at + p->npacked;
	const struct packed_head *h = p->packed;
	uint64_t size = sizeof(*h);

	if (p->npacked < sizeof(*h) || h->magic != PACKED_MAGIC ||
			h->nreleases > PACKED_RELEASES_MAX)
		return false;
	size += (uint64_t)h->nreleases * sizeof(*v->releases);
	size += (uint64_t)h->ntags * sizeof(*v->tags);
	size += ((uint64_t)h->nwords + h->nstrings + 1) * sizeof(uint32_t);
	size += h->nbytes;
	if (size != (uint64_t)(end - at))
		return false;
	*v = (struct view){ .head = h };
	v->releases = (const void *)(at + sizeof(*h));
	v->tags = (const void *)(v->releases + h->nreleases);
	v->words = (const void *)(v->tags + h->ntags);
	v->offsets = v->words + h->nwords;
	v->bytes = (const char *)(v->offsets + h->nstrings + 1);
	return true;
}

static struct str string_at(struct view *v, uint32_t i)
{
	uint32_t from, to;

	if (i >= v->head->nstrings) {
		v->bad = true;
		return STR("");
	}
	from = v->offsets[i];
	to = v->offsets[i + 1];
	if (from > to || to > v->head->nbytes) {
		v->bad = true;
		return STR("");
	}
	return str_of(v->bytes + from, to - from);
}

/* The items of a list that have `size` words each. */
static const uint32_t *list_at(struct view *v, uint32_t i, size_t size, size_t *ret_n)
{
	*ret_n = 0;
	if (i >= v->head->nwords || v->words[i] > PACKED_LIST_MAX ||
			v->words[i] * size > v->head->nwords - i - 1) {
		v->bad = true;
		return NULL;
	}
	*ret_n = v->words[i];
	return v->words + i + 1;
}

static int damaged(struct diag *d)
{
	return diag_fail(d, -ERR_METADATA, "the cached metadata is damaged");
}

static bool load_strings(struct view *v, struct arena *a, uint32_t list, struct str **ret,
	size_t *ret_n)
{
	const uint32_t *words = list_at(v, list, 1, ret_n);
	struct str *s = arena_newn(a, struct str, *ret_n);

	if (!s)
		return false;
	for (size_t i = 0; i < *ret_n; i++)
		s[i] = string_at(v, words[i]);
	*ret = s;
	return true;
}

static bool load_dependencies(struct view *v, struct arena *a, uint32_t list, struct release *r)
{
	const uint32_t *words = list_at(v, list, 3, &r->ndependencies);
	struct dependency *dep = arena_newn(a, struct dependency, r->ndependencies);

	if (!dep)
		return false;
	r->dependencies = dep;
	for (size_t i = 0; i < r->ndependencies; i++, dep++, words += 3) {
		npm_alias_split(string_at(v, words[0]), string_at(v, words[1]), dep);
		dep->kind = words[2];
		v->bad = v->bad || words[2] > DEPENDENCY_PEER_OPTIONAL || !npm_name_valid(dep->alias);
	}
	return true;
}

static bool load_bins(struct view *v, struct arena *a, uint32_t list, struct release *r)
{
	const uint32_t *words = list_at(v, list, 2, &r->nbins);

	r->bins = arena_newn(a, struct lock_bin, r->nbins);
	if (!r->bins)
		return false;
	for (size_t i = 0; i < r->nbins; i++) {
		struct lock_bin *b = &r->bins[i];

		*b = (struct lock_bin){ string_at(v, words[2 * i]), string_at(v, words[2 * i + 1]) };
		v->bad = v->bad || !name_is_command(b->name) || !name_is_inner_path(b->path);
	}
	return true;
}

static int load(struct package *p, struct release *r, struct diag *d)
{
	const struct packed_release *from;
	struct arena *a = &p->arena;
	struct release full = *r;
	struct view v;

	if (!view_open(&v, p))
		return damaged(d);
	from = &v.releases[r - p->releases];
	full.scripts = from->flags & PACKED_SCRIPTS;
	full.integrity = string_at(&v, from->integrity);
	full.engines = string_at(&v, from->engines);
	full.url = string_at(&v, from->url);
	if (from->flags & PACKED_URL_IS_PREFIX)
		full.url = arena_fmt(a, "%.*s%.*s.tgz", STR_ARG(full.url), STR_ARG(r->version));
	if (!full.url.p || !load_dependencies(&v, a, from->dependencies, &full) ||
			!load_bins(&v, a, from->bins, &full) ||
			!load_strings(&v, a, from->bundled, &full.bundled, &full.nbundled) ||
			!load_strings(&v, a, from->os, &full.platform.os, &full.platform.nos) ||
			!load_strings(&v, a, from->cpu, &full.platform.cpu, &full.platform.ncpu) ||
			!load_strings(&v, a, from->libc, &full.platform.libc, &full.platform.nlibc))
		return -ENOMEM;
	for (size_t i = 0; i < full.nbundled; i++)
		v.bad = v.bad || !npm_name_valid(full.bundled[i]);
	if (v.bad || !name_is_url(full.url))
		return damaged(d);
	full.loaded = true;
	*r = full;
	return 0;
}

static int open_release(struct view *v, size_t i, struct arena *a, struct release *r)
{
	r->version = string_at(v, v->releases[i].version);
	r->deprecated = string_at(v, v->releases[i].deprecated);
	r->published = v->releases[i].published;
	if (!name_is_version(r->version))
		return -ERR_VERSION;
	return npm_versions.parse(a, r->version, VERSION_LOOSE, &r->parsed);
}

/* Reads what every look at a package needs; the rest waits for load. */
static int open_package(struct package *p, struct diag *d)
{
	struct view v;
	int r;

	if (!view_open(&v, p))
		return damaged(d);
	p->load = load;
	p->name = string_at(&v, v.head->name);
	p->nreleases = v.head->nreleases;
	p->ntags = v.head->ntags;
	p->releases = arena_newn(&p->arena, struct release, p->nreleases);
	p->tags = arena_newn(&p->arena, struct dist_tag, p->ntags);
	if (!p->releases || !p->tags)
		return -ENOMEM;
	for (size_t i = 0; i < p->nreleases; i++) {
		r = open_release(&v, i, &p->arena, &p->releases[i]);
		if (r < 0)
			return r == -ENOMEM ? r : damaged(d);
	}
	for (size_t i = 0; i < p->ntags; i++)
		p->tags[i] = (struct dist_tag){ string_at(&v, v.tags[i].name),
			string_at(&v, v.tags[i].version) };
	return v.bad ? damaged(d) : 0;
}

int npm_metadata_unpack(struct str packed, struct str name, struct package **ret, struct diag *d)
{
	_cleanup_(package_free_p) struct package *p = NULL;
	struct packed_head head;
	struct digest digest;
	int r;

	if (packed.n < sizeof(head))
		return damaged(d);
	memcpy(&head, packed.p, sizeof(head));
	digest = digest_of((const void *)packed.p, packed.n);
	if (!digest_eq(&digest, &head.digest))
		return damaged(d);
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->npacked = packed.n;
	p->packed = arena_str(&p->arena, packed).p;
	r = p->packed ? open_package(p, d) : -ENOMEM;
	if (r < 0)
		return r;
	if (!str_eq(p->name, name))
		return diag_fail(d, -ERR_METADATA, "the cached metadata is of '%.*s'",
			STR_ARG(p->name));
	*ret = TAKE_PTR(p);
	return 0;
}
