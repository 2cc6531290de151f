/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transfer is one request on its way, from fetcher_get to its callback: waiting (in the heap) →
 * active (in libcurl's hands) → pausing (before a further try) → waiting … → finished. fetch.c moves
 * them between these places, transfer.c drives libcurl for one, outcome.c judges what came of it.
 */
#ifndef CRATONS_ENGINE_FETCH_PRIV_H
#define CRATONS_ENGINE_FETCH_PRIV_H

#include "engine/fetch/curl-load.h"
#include "engine/fetch/fetch.h"
#include "engine/fetch/url.h"
#include "prim/vec.h"

#include <stdatomic.h>

#define REDIRECTS_MAX 10
#define RESUME_MIN ((size_t)64 << 10)	/* less is fetched again rather than continued */
#define HEADER_MAX 8192			/* of the header fields that are kept */

struct list {
	struct transfer *first, **last;
};

struct transfer {
	struct fetcher *f;
	struct transfer *next, **at;	/* in the list it is in */
	uint64_t number;		/* the order of fetcher_get */
	int priority;
	bool metadata;
	char *url, *accept, *if_none_match, *if_modified_since;
	char *shown;			/* the URL without secrets, for messages */
	size_t max;
	fetch_fn fn;
	void *data;

	/* over all tries */
	uint64_t deadline;		/* CLOCK_MONOTONIC, ms; 0 before the first try */
	unsigned tries;
	uint64_t timer;			/* while pausing */
	bool bundle_tried;		/* the last try was with AUTHORITIES_BUNDLE */
	struct buf body;		/* kept for resuming when a try was cut */
	char *body_tag;			/* what `body` is a part of: a strong ETag or a date */

	/* of this try */
	char *current;			/* where redirects have led, or NULL */
	unsigned redirects;
	bool left_origin;		/* so no credentials any more */
	bool authorized;		/* credentials were sent */
	CURL *easy;
	struct curl_slist *headers;
	bool ranged;			/* the rest of `body` was asked for */
	bool started;			/* the body's first byte was seen */
	size_t discarded;		/* bytes of a body that is not wanted */
	int stop;			/* why a callback ended it, or 0 */
	long status;
	char *etag, *last_modified;	/* of the response */
	uint64_t retry_after;		/* ms */
	int64_t range_start;		/* of Content-Range, or -1 */
	char message[CURL_ERROR_SIZE];

	int error;
	struct diag diag;
};

struct fetcher {
	struct loop *loop;
	const struct credentials *credentials;
	struct fetch_options options;
	struct fetch_statistics statistics;
	const struct curl_api *curl;	/* NULL before the first request */
	CURLM *multi;
	CURLSH *share;
	enum authorities {
		AUTHORITIES_OWN,	/* cafile or ca, in place of the system's */
		AUTHORITIES_FOLDER,	/* the system's, one file each, found by hash */
		AUTHORITIES_BUNDLE,	/* the system's, all in one file */
	} authorities;
	uint64_t curl_timer, pump_timer;
	uint64_t numbers;
	VEC(struct transfer *) heap;	/* waiting: by priority, then number */
	VEC(CURL *) idle;		/* handles to use again */
	struct list active, pausing, finished;
	unsigned nactive;
	atomic_size_t held;
};

uint64_t fetch_now_ms(void);

/* transfer.c: starts a try (the handle is in the multi afterwards) and cleans up after it. */
int transfer_start(struct transfer *t);
void transfer_stop(struct transfer *t);
void transfer_free(struct transfer *t);

/* outcome.c: what a finished try means. */
enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_AT_ONCE, OUTCOME_RETRY };
enum outcome outcome_judge(struct transfer *t, CURLcode code);
uint64_t outcome_pause_ms(const struct transfer *t);	/* before the next try */
int outcome_fail(struct transfer *t, int error, const char *format, ...) _printf_(3, 4);

#endif
