// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/archives.h"

#include "base/integrity.h"
#include "base/map.h"
#include "engine/registry/registry.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>

#define ARCHIVE_MAX	((size_t)2 << 30)
#define FLUSH_EVERY	256	/* archives: what a killed installation has at most to fetch again */
#define GUESSES_MAX	32	/* under way: metadata is waited for, and comes over the same connections */

struct job {
	struct archives *owner;
	struct lock_package *package;
	VEC(struct lock_package *) copies;	/* others of the same archive: they differ in peers */
	struct lock_package guess;	/* `package` of one that nobody asked for yet */
	bool asked;
	const struct ecosystem *ecosystem;
	struct str source;	/* key of CAS_SOURCE */
	struct buf body;
	struct digest tree;
	struct diag diag;
	bool done;
};

struct archives {
	struct loop *loop;
	struct pool *pool;
	struct fetcher *fetcher;
	struct cas_writer *writer;
	struct archives_options options;
	struct arena arena;
	struct map jobs;	/* source → struct job */
	struct job *failed;	/* the first */
	uint64_t wanted, done, bytes;
	unsigned guesses;	/* under way */
};

int archives_new(struct archives **ret, struct loop *l, struct pool *p, struct fetcher *f,
	struct cas_writer *w, const struct archives_options *o, struct diag *d)
{
	struct archives *a = calloc(1, sizeof(*a));

	if (!a)
		return diag_errno(d, -ENOMEM, "fetching packages");
	*a = (struct archives){ .loop = l, .pool = p, .fetcher = f, .writer = w, .options = *o };
	*ret = a;
	return 0;
}

void archives_free(struct archives *a)
{
	if (!a)
		return;
	map_foreach(e, &a->jobs) {
		struct job *j = e->value;

		if (!j)
			continue;
		buf_done(&j->body);
		diag_done(&j->diag);
		vec_done(&j->copies);
	}
	map_done(&a->jobs);
	arena_done(&a->arena);
	free(a);
}

/* The tree that the lockfile names is what every platform and every reader was promised. */
static int check_tree(struct job *j, const struct lock_package *p)
{
	char want[DIGEST_HEX], got[DIGEST_HEX];

	if (digest_is_zero(&p->tree) || digest_eq(&p->tree, &j->tree))
		return 0;
	diag_fail(&j->diag, -ERR_INTEGRITY,
		"%.*s unpacks to the tree %s, but the lockfile names %s", STR_ARG(p->id),
		digest_hex(&j->tree, got), digest_hex(&p->tree, want));
	diag_where(&j->diag, "%.*s", STR_ARG(p->source));
	return diag_hint(&j->diag,
		"the lockfile was edited, or made by another version: remove the "
		"package's tree line to accept what its integrity names");
}

static void give_tree(struct job *j, struct lock_package *p)
{
	if (j->diag.code == 0 && check_tree(j, p) == 0)
		p->tree = j->tree;
}

/* Of one that is done and was asked for. */
static void count(struct job *j)
{
	struct archives *a = j->owner;

	a->done++;
	if (j->diag.code && !a->failed)
		a->failed = j;
	if (!a->failed && a->done % FLUSH_EVERY == 0 && cas_writer_flush(a->writer, &j->diag) < 0)
		a->failed = j;
}

static void finish(struct job *j)
{
	j->done = true;
	buf_done(&j->body);
	if (!j->asked) {
		j->owner->guesses--;
		return;
	}
	give_tree(j, j->package);
	vec_foreach(copy, &j->copies)
		give_tree(j, *copy);
	count(j);
}

/* On a worker: not a byte is unpacked before the whole archive was compared with its integrity. */
static void unpack_work(void *data)
{
	struct job *j = data;
	const struct lock_package *p = j->package;
	struct str body = buf_str(&j->body);
	int r = 0;

	fetcher_release(j->owner->fetcher, body.n);
	if (p->integrity.n) {
		r = integrity_check(p->integrity, body.p, body.n, &j->diag);
		if (r < 0) {
			diag_context(&j->diag, "%.*s", STR_ARG(p->id));
			diag_where(&j->diag, "%.*s", STR_ARG(p->source));
			diag_hint(&j->diag, "the registry or something on the way to it serves other "
				"bytes than were locked; nothing of them was unpacked");
			return;
		}
	}
	r = j->ecosystem->unpack(j->owner->writer, body, p, j->source, &j->tree, &j->diag);
	if (r == 0)
		(void)check_tree(j, p);
	else
		diag_context(&j->diag, "%.*s", STR_ARG(p->id));
	buf_done(&j->body);
}

static void unpack_done(void *data)
{
	struct job *j = data;

	finish(j);
	fetcher_go_on(j->owner->fetcher);
}

static void fetched(void *data, struct fetch_result *result)
{
	struct job *j = data;

	if (result->error < 0) {
		diag_copy(&j->diag, result->diag);
		if (result->error == -ERR_LIMIT)
			j->diag.code = -ERR_ARCHIVE;
		diag_context(&j->diag, "%.*s", STR_ARG(j->package->id));
		finish(j);
		return;
	}
	j->owner->bytes += result->body.len;
	j->body = result->body;
	result->body = (struct buf)BUF_INIT;
	fetcher_hold(j->owner->fetcher, j->body.len);
	if (pool_run(j->owner->pool, unpack_work, unpack_done, j) < 0) {
		unpack_work(j);
		unpack_done(j);
	}
}

static int check_integrity_given(struct archives *a, const struct lock_package *p, struct diag *d)
{
	enum integrity_strength s = integrity_strength(p->integrity);
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (s == INTEGRITY_NONE && !(p->integrity.n == 0 && a->options.allow_missing_integrity)) {
		diag_fail(d, -ERR_NO_INTEGRITY, "there is no integrity for %.*s to check its archive "
			"against", STR_ARG(p->id));
		return diag_hint(d, "[install] allow-missing-integrity = true takes what the "
			"registry sends");
	}
	if (s == INTEGRITY_SHA1 && a->options.warn && buf_addf(&text,
			"%.*s is checked by SHA-1 only: its registry has nothing better",
			STR_ARG(p->id)) == 0)
		a->options.warn(a->options.data, buf_text(&text));
	return 0;
}

/* "npm express@4.19.2 sha512-…": the same bytes under another name are not the same package. */
static struct str source_key(struct archives *a, const struct lock_package *p)
{
	return arena_fmt(&a->arena, "%.*s %.*s@%.*s %.*s", STR_ARG(p->ecosystem), STR_ARG(p->name),
		STR_ARG(p->version), STR_ARG(p->integrity));
}

static bool in_store(struct archives *a, struct lock_package *p, struct str source)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	struct digest tree;

	if (!digest_is_zero(&p->tree) && cas_writer_want(a->writer, &p->tree))
		return true;
	if (p->integrity.n == 0 ||
			cas_fact_get(cas_writer_cas(a->writer), CAS_SOURCE, source, &value) < 0 ||
			value.len != DIGEST_SIZE)
		return false;
	memcpy(tree.b, value.data, DIGEST_SIZE);
	if (!digest_is_zero(&p->tree) && !digest_eq(&p->tree, &tree))
		return false;
	if (!cas_writer_want(a->writer, &tree))
		return false;
	p->tree = tree;
	return true;
}

static int request(struct archives *a, struct job *j, struct diag *d)
{
	_cleanup_free_ char *url = str_dup(j->package->source);
	struct fetch_request r = { .max = ARCHIVE_MAX, .url = url };
	int error;

	if (!url)
		return diag_errno(d, -ENOMEM, "fetching packages");
	error = fetcher_get(a->fetcher, &r, fetched, j);
	return error < 0 ? diag_errno(d, error, "asking for %s", url) : 0;
}

static int start(struct archives *a, struct job *j, struct diag *d)
{
	const struct lock_package *p = j->package;
	int r = check_integrity_given(a, p, d);

	if (r < 0)
		return r;
	if (a->options.offline) {
		diag_fail(d, -ERR_OFFLINE, "%.*s is not in the store", STR_ARG(p->id));
		return diag_hint(d, "run 'cratons install' once without --offline");
	}
	r = request(a, j, d);
	a->wanted += r == 0;
	return r;
}

/* What was guessed is asked for. A guess that failed did so unheard: it is tried again. */
static int adopt(struct archives *a, struct job *j, struct lock_package *p, struct diag *d)
{
	j->asked = true;
	if (j->done && j->diag.code) {
		diag_reset(&j->diag);
		j->done = false;
		j->package = p;
		return start(a, j, d);
	}
	a->wanted++;
	if (!j->done) {
		a->guesses--;
		return vec_push(&j->copies, p);
	}
	/* From here on it stands for the guess: for copies too, which take their tree from it. */
	give_tree(j, p);
	j->package = p;
	count(j);
	return 0;
}

/* Another package of an archive that was asked for already. */
static int add_copy(struct job *j, struct lock_package *p, struct diag *d)
{
	if (!digest_is_zero(&p->tree) && !digest_is_zero(&j->package->tree) &&
			!digest_eq(&p->tree, &j->package->tree))
		return diag_fail(d, -ERR_LOCKFILE,
			"%.*s and %.*s are one archive, but have different trees",
			STR_ARG(p->id), STR_ARG(j->package->id));
	if (j->done)
		p->tree = j->package->tree;
	return j->done ? 0 : vec_push(&j->copies, p);
}

static struct job *add_job(struct archives *a, struct str source, struct str ecosystem)
{
	struct map_entry *slot = map_entry(&a->jobs, source);
	struct job *j = slot ? arena_new(&a->arena, struct job) : NULL;

	if (!j)
		return NULL;
	*j = (struct job){ .owner = a, .source = source, .ecosystem = ecosystem_find(ecosystem) };
	slot->value = j;
	return j;
}

int archives_want(struct archives *a, struct lock_package *p, struct diag *d)
{
	struct str source = source_key(a, p);
	struct job *j;

	if (!source.p)
		return diag_errno(d, -ENOMEM, "fetching packages");
	j = map_get(&a->jobs, source);
	if (j)
		return j->asked ? add_copy(j, p, d) : adopt(a, j, p, d);
	if (in_store(a, p, source))
		return 0;
	j = add_job(a, source, p->ecosystem);
	if (!j)
		return diag_errno(d, -ENOMEM, "fetching packages");
	j->package = p;
	j->asked = true;
	return start(a, j, d);
}

/* The guess's texts outlive those of the metadata that it was made from. */
static bool copy_guess(struct archives *a, struct job *j, const struct lock_package *p)
{
	j->guess = (struct lock_package){
		.id = arena_fmt(&a->arena, "%.*s:%.*s@%.*s", STR_ARG(p->ecosystem), STR_ARG(p->name),
			STR_ARG(p->version)),
		.ecosystem = arena_str(&a->arena, p->ecosystem),
		.name = arena_str(&a->arena, p->name),
		.version = arena_str(&a->arena, p->version),
		.source = arena_str(&a->arena, p->source),
		.integrity = arena_str(&a->arena, p->integrity),
	};
	j->package = &j->guess;
	return j->guess.id.p && j->guess.ecosystem.p && j->guess.name.p && j->guess.version.p &&
	       j->guess.source.p && j->guess.integrity.p;
}

void archives_guess(struct archives *a, const struct lock_package *p)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	struct str source;
	struct job *j;

	/* What needs a warning, or is refused, is for those that are asked for. */
	if (a->guesses >= GUESSES_MAX || a->options.offline ||
			integrity_strength(p->integrity) <= INTEGRITY_SHA1)
		return;
	source = source_key(a, p);
	if (!source.p || map_get(&a->jobs, source) ||
			cas_fact_get(cas_writer_cas(a->writer), CAS_SOURCE, source, &value) == 0)
		return;
	j = add_job(a, source, p->ecosystem);
	if (!j)
		return;
	if (!copy_guess(a, j, p) || request(a, j, &j->diag) < 0) {
		diag_fail(&j->diag, -ENOMEM, "fetching packages");
		j->done = true;
		return;
	}
	a->guesses++;
}

int archives_wait(struct archives *a, void (*tick)(void *data), void *data, struct diag *d)
{
	while (a->done < a->wanted && !a->failed) {
		int r = loop_step(a->loop, 100);

		if (r < 0)
			return diag_errno(d, r, "waiting for packages");
		if (tick)
			tick(data);
	}
	if (a->failed)
		return diag_copy(d, &a->failed->diag);
	return 0;
}

void archives_statistics(const struct archives *a, struct archives_statistics *ret)
{
	*ret = (struct archives_statistics){ .wanted = a->wanted, .done = a->done,
		.bytes = a->bytes };
}
