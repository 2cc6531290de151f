// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/fetch-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <stdio.h>

#define CONNECT_SECONDS 20
#define RESERVE_MAX ((size_t)64 << 20)	/* a Content-Length is a claim, not a fact */
#define BUFFER_SIZE (32 << 10)		/* each request under way has one */
#define ERROR_BODY_MAX ((size_t)64 << 10)	/* of what is not wanted; read to keep the connection */
#define AGENT "cratons/" CRATONS_VERSION

/* Response headers */

static int keep(char **to, struct str value)
{
	free(*to);
	*to = value.n <= HEADER_MAX ? str_dup(value) : NULL;
	return *to || value.n > HEADER_MAX ? 0 : -ENOMEM;
}

/* A new response begins: also after 100 Continue. */
static void new_response(struct transfer *t)
{
	free(t->etag);
	free(t->last_modified);
	t->etag = t->last_modified = NULL;
	t->retry_after = 0;
	t->range_start = -1;
	t->started = false;
	t->discarded = 0;
}

/* Seconds or an HTTP date (RFC 9110 section 10.2.3). */
static int on_retry_after(struct transfer *t, struct str value)
{
	_cleanup_free_ char *text = str_dup(value);
	uint64_t seconds;
	time_t at, now;

	if (!text)
		return -ENOMEM;
	if (str_u64(value, &seconds) == 0) {
		t->retry_after = MIN(seconds, (uint64_t)86400) * 1000;
		return 0;
	}
	at = t->f->curl->getdate(text, NULL);
	now = time(NULL);
	if (at > now)
		t->retry_after = MIN((uint64_t)(at - now), (uint64_t)86400) * 1000;
	return 0;
}

static int on_etag(struct transfer *t, struct str value)
{
	return keep(&t->etag, value);
}

static int on_last_modified(struct transfer *t, struct str value)
{
	return keep(&t->last_modified, value);
}

/* "bytes 100-199/200" */
static int on_content_range(struct transfer *t, struct str value)
{
	uint64_t start;

	if (!str_starts(value, STR("bytes ")))
		return 0;
	value = str_trim(str_slice(value, 6, value.n));
	if (str_u64(str_cut(&value, '-'), &start) == 0 && start <= INT64_MAX)
		t->range_start = (int64_t)start;
	return 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *data)
{
	static const struct {
		const char *name;
		int (*fn)(struct transfer *t, struct str value);
	} fields[] = {
		{ "etag", on_etag },
		{ "last-modified", on_last_modified },
		{ "retry-after", on_retry_after },
		{ "content-range", on_content_range },
	};
	struct str line = { p, size * n }, rest = line, name;
	struct transfer *t = data;

	if (str_starts(line, STR("HTTP/")))
		new_response(t);
	name = str_cut(&rest, ':');
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (name.n == strlen(fields[i].name) && rest.p &&
				strncasecmp(name.p, fields[i].name, name.n) == 0) {
			t->stop = fields[i].fn(t, str_trim(rest));
			return t->stop < 0 ? 0 : line.n;
		}
	return line.n;
}

/* The body */

static void reserve(struct transfer *t)
{
	curl_off_t length = -1;

	t->f->curl->easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length > 0)
		(void)!buf_reserve(&t->body, MIN((size_t)length, RESERVE_MAX));
}

/* At the body's first byte: is it the rest of what was cut, or all of it? */
static int begin_body(struct transfer *t)
{
	t->started = true;
	t->f->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->status == 206) {
		if (!t->ranged || t->range_start < 0 || (size_t)t->range_start != t->body.len)
			return -EPROTO;
	} else if (t->status / 100 == 2) {
		buf_reset(&t->body);
	}
	reserve(t);
	return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;
	struct fetch_statistics *s = &t->f->statistics;

	n *= size;
	if (!t->started)
		t->stop = begin_body(t);
	if (t->stop < 0)
		return 0;
	s->bytes += n;
	if (t->metadata)
		s->metadata_bytes += n;
	else
		s->archive_bytes += n;
	t->discarded += n;
	if (t->status / 100 == 2)
		t->stop = buf_add(&t->body, p, n);
	else if (t->discarded > ERROR_BODY_MAX)
		t->stop = -ECANCELED;
	return t->stop < 0 ? 0 : n;
}

/* Setting up a try */

/* Stops at the first failure: a request without one of its options is not sent. */
#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (ok)                                                                            \
			ok = curl->easy_setopt(t->easy, option, value) == CURLE_OK;                \
	} while (0)

static bool add_header(struct transfer *t, const char *name, const char *value)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct curl_slist *more;

	if (!value)
		return true;
	if (buf_addf(&line, "%s: %s", name, value) < 0)
		return false;
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < ' ')
			return false;	/* an ETag from a cache is input, too */
	more = t->f->curl->slist_append(t->headers, line.data);
	if (!more)
		return false;
	t->headers = more;
	return true;
}

static const char *target(const struct transfer *t)
{
	return t->current ? t->current : t->url;
}

static bool set_headers(struct transfer *t)
{
	const struct curl_api *curl = t->f->curl;
	const char *authorization = t->left_origin ? NULL :
		credentials_for(t->f->credentials, target(t));
	bool ok;

	t->ranged = !t->metadata && t->body.len >= RESUME_MIN && t->body_tag;
	if (!t->ranged)
		buf_reset(&t->body);
	t->authorized = authorization;
	ok = add_header(t, "Accept", t->accept) && add_header(t, "Authorization", authorization) &&
	     add_header(t, "If-None-Match", t->if_none_match) &&
	     add_header(t, "If-Modified-Since", t->if_modified_since);
	if (ok && t->ranged) {
		char range[32];

		snprintf(range, sizeof(range), "%zu-", t->body.len);
		ok = add_header(t, "If-Range", t->body_tag);
		SET(CURLOPT_RANGE, range);
	}
	SET(CURLOPT_HTTPHEADER, t->headers);
	return ok;
}

static bool set_callbacks(struct transfer *t)
{
	const struct curl_api *curl = t->f->curl;
	bool ok = true;

	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->message);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	return ok;
}

/* Authorities of the user's own replace the system's, as with npm. */
static bool set_authorities(struct transfer *t)
{
	const struct credentials *c = t->f->credentials;
	const struct curl_api *curl = t->f->curl;
	const char *ca = credentials_ca(c);
	struct curl_blob blob = { (void *)ca, ca ? strlen(ca) : 0, CURL_BLOB_NOCOPY };
	bool ok = true;

	if (t->f->authorities == AUTHORITIES_FOLDER) {
		SET(CURLOPT_CAINFO, NULL);
		return ok;
	}
	SET(CURLOPT_CAPATH, NULL);
	t->bundle_tried = true;
	if (t->f->authorities == AUTHORITIES_BUNDLE)
		return ok;
	if (ca)
		SET(CURLOPT_CAINFO_BLOB, &blob);
	else
		SET(CURLOPT_CAINFO, credentials_cafile(c));
	return ok;
}

static bool set_tls(struct transfer *t)
{
	const struct curl_api *curl = t->f->curl;
	bool ok = set_authorities(t);

	if (!credentials_verify_tls(t->f->credentials)) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	SET(CURLOPT_SHARE, t->f->share);
	return ok;
}

static bool set_proxy(struct transfer *t)
{
	const struct credentials *c = t->f->credentials;
	const struct curl_api *curl = t->f->curl;
	bool https = str_starts(str_from(target(t)), STR("https:"));
	const char *proxy = credentials_proxy(c, https), *no = credentials_noproxy(c);
	bool ok = true;

	/* "": the environment was read already, by the credentials */
	SET(CURLOPT_PROXY, proxy ? proxy : "");
	SET(CURLOPT_NOPROXY, no ? no : "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	return ok;
}

static bool set_limits(struct transfer *t)
{
	const struct curl_api *curl = t->f->curl;
	uint64_t now = fetch_now_ms(), left = t->deadline > now ? t->deadline - now : 1;
	bool ok = true;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	SET(CURLOPT_TIMEOUT_MS, (long)MIN(left, (uint64_t)INT32_MAX));
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)t->f->options.stall_seconds);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)MIN(t->max, (size_t)INT64_MAX));
	return ok;
}

/*
 * Redirects are followed here (outcome.c), not by libcurl: each hop is judged and gets credentials
 * of its own or none. Only metadata is asked for compressed: an archive is, and could not be resumed.
 */
static bool set_http(struct transfer *t)
{
	const struct curl_api *curl = t->f->curl;
	bool ok = true;

	SET(CURLOPT_URL, target(t));
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_USERAGENT, AGENT);
	SET(CURLOPT_HTTP_VERSION, (long)(t->f->options.http1 ? CURL_HTTP_VERSION_1_1 :
		CURL_HTTP_VERSION_2TLS));
	SET(CURLOPT_PIPEWAIT, 1L);
	/* Refused on a handle whose last try did not get as far as a connection (libcurl 7.88). */
	(void)curl->easy_setopt(t->easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
	if (t->metadata)
		SET(CURLOPT_ACCEPT_ENCODING, "");
	return ok;
}

static CURL *take_handle(struct fetcher *f)
{
	if (f->idle.n)
		return f->idle.v[--f->idle.n];
	return f->curl->easy_init();
}

int transfer_start(struct transfer *t)
{
	struct fetcher *f = t->f;

	t->easy = take_handle(f);
	if (!t->easy)
		return -ENOMEM;
	t->stop = 0;
	t->status = 0;
	t->message[0] = '\0';
	t->body.max = t->max;
	new_response(t);
	if (!set_callbacks(t) || !set_http(t) || !set_headers(t) || !set_tls(t) || !set_proxy(t) ||
			!set_limits(t) || f->curl->multi_add_handle(f->multi, t->easy) != CURLM_OK) {
		transfer_stop(t);
		return -ENOMEM;
	}
	return 0;
}

/* Removing a handle that was never added does nothing. */
void transfer_stop(struct transfer *t)
{
	struct fetcher *f = t->f;

	if (!t->easy)
		return;
	f->curl->multi_remove_handle(f->multi, t->easy);
	f->curl->easy_reset(t->easy);
	f->curl->slist_free_all(t->headers);
	t->headers = NULL;
	if (vec_push(&f->idle, t->easy) < 0)
		f->curl->easy_cleanup(t->easy);
	t->easy = NULL;
}

void transfer_free(struct transfer *t)
{
	transfer_stop(t);
	free(t->url);
	free(t->accept);
	free(t->if_none_match);
	free(t->if_modified_since);
	free(t->shown);
	free(t->current);
	free(t->body_tag);
	free(t->etag);
	free(t->last_modified);
	buf_done(&t->body);
	diag_done(&t->diag);
	free(t);
}
