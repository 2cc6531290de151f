/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP for the engine: libcurl's multi interface driven by the event loop. Bounded concurrency, one
 * queue with priorities, connection reuse, HTTP/2, retries with backoff on the errors that deserve
 * them (RFC 9110 section 9.2.2: idempotent requests only), Retry-After, resume of cut transfers,
 * stall and total time-outs. Credentials come from struct credentials and go to the host and path
 * that they are for, never across a redirect to another origin, never into a message.
 *
 * libcurl is loaded when the first request is made, so that commands that need no network do not
 * pay for it.
 */
#ifndef CRATONS_ENGINE_FETCH_H
#define CRATONS_ENGINE_FETCH_H

#include "base/loop.h"
#include "engine/fetch/credentials.h"

struct fetch_request {
	const char *url;
	const char *accept;		/* or NULL */
	const char *if_none_match;	/* ETag, or NULL */
	const char *if_modified_since;	/* or NULL */
	size_t max;			/* bytes of the body, decoded; more is -ERR_LIMIT; 0: 1 GiB */
	int priority;			/* higher first; 0 is ordinary */
	bool metadata;			/* counts as metadata in the statistics, else as archive */
};

struct fetch_result {
	int error;		/* 0 (status is 2xx or 304) or negative; then `diag` tells */
	struct diag *diag;	/* borrowed for the callback */
	long status;
	struct buf body;	/* take it with buf_take, or it is freed */
	const char *etag, *last_modified;	/* or NULL; borrowed */
	const char *url;	/* the one asked for */
};

typedef void (*fetch_fn)(void *data, struct fetch_result *result);

struct fetch_options {
	unsigned concurrency;		/* requests at once; 0: 96 */
	unsigned per_host;		/* connections to one host; 0: 16 */
	unsigned retries;		/* further tries; UINT_MAX: 3 */
	unsigned stall_seconds;		/* no byte for so long: try again; 0: 30 */
	unsigned total_seconds;		/* for one request with its retries; 0: 600 */
	size_t held_max;		/* bytes; 0: 16 MiB; see fetcher_hold */
	bool offline;			/* every request fails with -ERR_OFFLINE */
	bool http1;			/* no HTTP/2 */
};

struct fetch_statistics {
	uint64_t requests, retries, connections, bytes;
	uint64_t metadata_bytes, archive_bytes;
	unsigned active, waiting;
	const char *waiting_for;	/* the URL of the oldest active request, or NULL */
};

struct fetcher;
int fetcher_new(struct fetcher **ret, struct loop *l, const struct credentials *c,
	const struct fetch_options *o, struct diag *d);
void fetcher_free(struct fetcher *f);	/* cancels what is under way, without callbacks */
DEFINE_CLEANUP(struct fetcher *, fetcher_free);

/* fn is called once, from loop_step, and may make further requests, but not free the fetcher. The
 * request is copied. -ENOMEM, or -ERR_LIMIT when a million requests are waiting. */
int fetcher_get(struct fetcher *f, const struct fetch_request *r, fetch_fn fn, void *data);

/*
 * Back-pressure: the bytes of bodies that wait for a worker. While more than held_max are held, no
 * further request is started; those under way go on. hold: on the loop's thread; release: on any,
 * followed by fetcher_go_on on the loop's thread when the work is done.
 */
void fetcher_hold(struct fetcher *f, size_t bytes);
void fetcher_release(struct fetcher *f, size_t bytes);
void fetcher_go_on(struct fetcher *f);

void fetcher_statistics(const struct fetcher *f, struct fetch_statistics *ret);

#endif
