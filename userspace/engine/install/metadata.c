// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/install-priv.h"

#include "base/map.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>

#define FRESH_MS	((int64_t)5 * 60 * 1000)
#define METADATA_MAX	((size_t)256 << 20)	/* several times the largest */
#define DOCUMENT_MAGIC	0x31444d43u	/* "CMD1" */

enum entry_state { ENTRY_FETCHING, ENTRY_PARSING, ENTRY_READY, ENTRY_FAILED };

struct entry {
	struct metadata *owner;
	const struct ecosystem *ecosystem;
	struct str name;
	const char *url;
	enum entry_state state;
	struct buf body;		/* as fetched */
	struct buf document;		/* as cached, until it is confirmed or replaced */
	char *etag, *last_modified;
	struct package *package;
	struct diag diag;
};

struct metadata {
	struct loop *loop;
	struct pool *pool;
	struct fetcher *fetcher;
	const struct credentials *credentials;
	struct cas_writer *writer;
	enum install_network network;
	struct arena arena;
	struct map entries;		/* "npm:name" → struct entry */
	uint64_t done;
	VEC(struct entry *) answered;	/* in the order of arrival; the first `told` were given out */
	size_t told;
	void (*tick)(void *data);
	void *tick_data;
};

/* A cached document: this, the ETag, Last-Modified, then what the ecosystem packed. */
struct document {
	uint32_t magic;
	uint32_t etag_len, modified_len;
	uint32_t reserved;
	int64_t confirmed;	/* ms since 1970 */
};
_Static_assert(sizeof(struct document) == 24, "stored as it is");

int metadata_new(struct metadata **ret, struct loop *l, struct pool *p, struct fetcher *f,
	const struct credentials *c, struct cas_writer *w, enum install_network network,
	struct diag *d)
{
	struct metadata *m = calloc(1, sizeof(*m));

	if (!m)
		return diag_errno(d, -ENOMEM, "reading metadata");
	*m = (struct metadata){ .loop = l, .pool = p, .fetcher = f, .credentials = c, .writer = w,
		.network = network };
	*ret = m;
	return 0;
}

void metadata_free(struct metadata *m)
{
	if (!m)
		return;
	map_foreach(e, &m->entries) {
		struct entry *entry = e->value;

		package_free(entry->package);
		buf_done(&entry->body);
		buf_done(&entry->document);
		free(entry->etag);
		free(entry->last_modified);
		diag_done(&entry->diag);
	}
	map_done(&m->entries);
	vec_done(&m->answered);
	arena_done(&m->arena);
	free(m);
}

static void finish(struct entry *e, int error)
{
	e->state = error < 0 ? ENTRY_FAILED : ENTRY_READY;
	e->owner->done++;
	buf_done(&e->body);
	/* Without memory for it, the resolver looks less far ahead. */
	(void)vec_push(&e->owner->answered, e);
}

/* The parts of a cached document; false when it is not one. */
static bool document_split(const struct buf *b, struct document *ret, struct str *etag,
	struct str *modified, struct str *packed)
{
	struct str s = buf_str(b);

	if (s.n < sizeof(*ret))
		return false;
	memcpy(ret, s.p, sizeof(*ret));
	s = str_slice(s, sizeof(*ret), s.n);
	if (ret->magic != DOCUMENT_MAGIC || ret->etag_len > s.n ||
			ret->modified_len > s.n - ret->etag_len)
		return false;
	*etag = str_slice(s, 0, ret->etag_len);
	*modified = str_slice(s, ret->etag_len, ret->etag_len + ret->modified_len);
	*packed = str_slice(s, ret->etag_len + ret->modified_len, s.n);
	return true;
}

static int document_save(struct entry *e, struct str packed)
{
	struct str etag = str_from(e->etag), modified = str_from(e->last_modified);
	struct document head = { .magic = DOCUMENT_MAGIC, .etag_len = (uint32_t)etag.n,
		.modified_len = (uint32_t)modified.n, .confirmed = installation_now() };
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = buf_add(&b, &head, sizeof(head));

	if (r == 0)
		r = buf_addstr(&b, etag);
	if (r == 0)
		r = buf_addstr(&b, modified);
	if (r == 0)
		r = buf_addstr(&b, packed);
	if (r == 0)
		r = cas_writer_fact(e->owner->writer, CAS_DOCUMENT, str_from(e->url), b.data,
			b.len);
	return r;
}

/* From the cache; whether it was good. */
static bool use_document(struct entry *e)
{
	struct document head;
	struct str etag, modified, packed;

	return document_split(&e->document, &head, &etag, &modified, &packed) &&
	       e->ecosystem->metadata_unpack(packed, e->name, &e->package, NULL) == 0;
}

static void confirm_document(struct entry *e)
{
	struct document head;
	struct str etag, modified, packed;

	if (document_split(&e->document, &head, &etag, &modified, &packed))
		(void)document_save(e, packed);
}

/* On a worker. What is kept of the body is what was understood; its packed form goes to the cache. */
static void parse_work(void *data)
{
	struct entry *e = data;
	_cleanup_buf_ struct buf packed = BUF_INIT;
	int r;

	fetcher_release(e->owner->fetcher, e->body.len);
	r = e->ecosystem->metadata_parse(buf_str(&e->body), e->name, e->url, &e->package, &e->diag);
	buf_done(&e->body);
	if (r == 0 && e->ecosystem->metadata_pack(e->package, &packed) == 0)
		(void)document_save(e, buf_str(&packed));
}

static void parse_done(void *data)
{
	struct entry *e = data;

	finish(e, e->diag.code);
	fetcher_go_on(e->owner->fetcher);
}

static void no_package(struct entry *e)
{
	diag_fail(&e->diag, -ERR_NO_PACKAGE, "the registry has no %s package '%.*s'",
		e->ecosystem->name, STR_ARG(e->name));
	diag_where(&e->diag, "%s", e->url);
	diag_hint(&e->diag, "check the name; if it is private, .npmrc must name its registry and "
		"a token for it");
}

static void fetched(void *data, struct fetch_result *result)
{
	struct entry *e = data;

	if (result->status == 404) {
		no_package(e);
		finish(e, -ERR_NO_PACKAGE);
		return;
	}
	if (result->error < 0) {
		diag_copy(&e->diag, result->diag);
		if (result->error == -ERR_LIMIT)
			e->diag.code = -ERR_METADATA;
		finish(e, e->diag.code);
		return;
	}
	if (result->status == 304 && use_document(e)) {
		confirm_document(e);
		finish(e, 0);
		return;
	}
	free(e->etag);
	free(e->last_modified);
	e->etag = result->etag ? strdup(result->etag) : NULL;
	e->last_modified = result->last_modified ? strdup(result->last_modified) : NULL;
	e->body = result->body;
	result->body = (struct buf)BUF_INIT;
	e->state = ENTRY_PARSING;
	fetcher_hold(e->owner->fetcher, e->body.len);
	if (pool_run(e->owner->pool, parse_work, parse_done, e) < 0) {
		parse_work(e);
		parse_done(e);
	}
}

static int start_fetch(struct entry *e, const char *accept)
{
	struct fetch_request r = {
		.url = e->url,
		.accept = accept,
		.if_none_match = e->etag,
		.if_modified_since = e->etag ? NULL : e->last_modified,
		.max = METADATA_MAX,
		.priority = 1,
		.metadata = true,
	};

	return fetcher_get(e->owner->fetcher, &r, fetched, e);
}

/* What the cache has: true when nothing needs to be asked. */
static bool start_cached(struct entry *e)
{
	struct metadata *m = e->owner;
	struct document head;
	struct str etag, modified, packed;

	if (cas_fact_get(cas_writer_cas(m->writer), CAS_DOCUMENT, str_from(e->url),
			&e->document) < 0)
		return false;
	if (!document_split(&e->document, &head, &etag, &modified, &packed))
		return false;
	if (m->network == INSTALL_ONLINE && (installation_now() - head.confirmed > FRESH_MS ||
			head.confirmed > installation_now())) {
		e->etag = etag.n ? str_dup(etag) : NULL;
		e->last_modified = modified.n ? str_dup(modified) : NULL;
		return false;
	}
	return use_document(e);
}

static int start(struct entry *e)
{
	struct metadata *m = e->owner;
	const char *registry = credentials_registry(m->credentials,
		str_from(e->ecosystem->name), e->name, e->ecosystem->default_registry);
	_cleanup_buf_ struct buf url = BUF_INIT;
	const char *accept = NULL;
	int r = e->ecosystem->metadata_url(str_from(registry), e->name, &url, &accept);

	if (r < 0)
		return diag_fail(&e->diag, -ERR_NO_PACKAGE, "'%.*s' is not a valid %s package name",
			STR_ARG(e->name), e->ecosystem->name);
	e->url = arena_str(&m->arena, buf_str(&url)).p;
	if (!e->url)
		return diag_errno(&e->diag, -ENOMEM, "reading metadata");
	if (start_cached(e)) {
		finish(e, 0);
		return 0;
	}
	r = start_fetch(e, accept);
	return r < 0 ? diag_errno(&e->diag, r, "asking for %s", e->url) : 0;
}

static struct entry *entry_for(struct metadata *m, const struct ecosystem *e, struct str name)
{
	struct str key = arena_fmt(&m->arena, "%s:%.*s", e->name, STR_ARG(name));
	struct map_entry *slot = key.p ? map_entry(&m->entries, key) : NULL;
	struct entry *entry;
	int r;

	if (!slot || slot->value)
		return slot ? slot->value : NULL;
	entry = arena_new(&m->arena, struct entry);
	if (!entry)
		return NULL;
	slot->value = entry;
	entry->owner = m;
	entry->ecosystem = e;
	entry->name = str_slice(key, strlen(e->name) + 1, key.n);
	r = start(entry);
	if (r < 0)
		finish(entry, r);
	return entry;
}

static void hint(void *data, const struct ecosystem *e, struct str name)
{
	(void)entry_for(data, e, name);
}

static int wait_once(struct metadata *m)
{
	int r = loop_step(m->loop, 100);

	if (r == 0 && m->tick)
		m->tick(m->tick_data);
	return r;
}

static bool next(void *data, const struct ecosystem **ret_e, struct str *ret_name)
{
	struct metadata *m = data;
	const struct entry *e;

	while (m->told == m->answered.n)
		if (m->done == m->entries.n || wait_once(m) < 0)
			return false;
	e = m->answered.v[m->told++];
	*ret_e = e->ecosystem;
	*ret_name = e->name;
	return true;
}

static int get(void *data, const struct ecosystem *e, struct str name, const struct package **ret,
	struct diag *d)
{
	struct metadata *m = data;
	struct entry *entry = entry_for(m, e, name);

	if (!entry)
		return diag_errno(d, -ENOMEM, "reading metadata");
	while (entry->state < ENTRY_READY) {
		int r = wait_once(m);

		if (r < 0)
			return diag_errno(d, r, "waiting for %s", entry->url);
	}
	if (entry->state == ENTRY_FAILED)
		return diag_copy(d, &entry->diag);
	*ret = entry->package;
	return 0;
}

struct resolve_source metadata_source(struct metadata *m, void (*tick)(void *data), void *data)
{
	m->tick = tick;
	m->tick_data = data;
	return (struct resolve_source){ .hint = hint, .get = get, .next = next, .data = m };
}

void metadata_statistics(const struct metadata *m, struct metadata_statistics *ret)
{
	ret->wanted = m->entries.n;
	ret->done = m->done;
}
