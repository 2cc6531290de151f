// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of a try, and what to do next. */
#include "engine/fetch/fetch-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <sys/random.h>

#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 10000
#define RETRY_AFTER_MAX_MS 60000

static void redact(struct transfer *t)
{
	credentials_redact(t->f->credentials, &t->diag.what);
	credentials_redact(t->f->credentials, &t->diag.where);
}

/* Where the failure happened is the URL asked for; a redirect's target is part of the sentence. */
int outcome_fail(struct transfer *t, int error, const char *format, ...)
{
	_cleanup_buf_ struct buf what = BUF_INIT, place = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	(void)!buf_vaddf(&what, format, ap);
	va_end(ap);
	if (t->current && url_redact(str_from(t->current), &place) == 0)
		(void)!buf_addf(&what, ", redirected to %s", buf_text(&place));
	if (t->tries > 1)
		(void)!buf_addf(&what, " (%u tries)", t->tries);
	t->error = error;
	diag_fail(&t->diag, error, "%s", buf_text(&what));
	diag_where(&t->diag, "%s", t->shown);
	redact(t);
	return error;
}

/* Transport errors */

enum verdict { AGAIN, UNTRUSTED, UNREADABLE, NOT_SENT };

static enum verdict transport_verdict(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return AGAIN;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CERTPROBLEM:
		return UNTRUSTED;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WRITE_ERROR:
	case CURLE_OUT_OF_MEMORY:	/* a header line beyond libcurl's maximum */
		return UNREADABLE;
	default:
		return NOT_SENT;
	}
}

/* The jail (docs/jail.md) lets connections out to the ports that something of the user's names. */
static bool is_closed_port(struct transfer *t, CURLcode code)
{
	long error = 0;

	if (code == CURLE_COULDNT_CONNECT)
		t->f->curl->easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
	return error == EACCES;
}

static const char *reason(struct transfer *t, CURLcode code)
{
	return t->message[0] ? t->message : t->f->curl->easy_strerror(code);
}

static void fail_transport(struct transfer *t, CURLcode code)
{
	if (is_closed_port(t, code)) {
		outcome_fail(t, -ERR_NETWORK, "a connection to this port is not allowed: no registry or "
			"proxy of yours is on it");
		diag_hint(&t->diag, "if the registry is right to send you there, put that server's "
			"HOST:PORT into [install] allow-hosts in cratons.toml");
		return;
	}
	switch (transport_verdict(code)) {
	case UNTRUSTED:
		outcome_fail(t, -ERR_NETWORK, "the server's certificate was not accepted: %s",
			reason(t, code));
		diag_hint(&t->diag, "if your network re-signs TLS, name its certificate in ~/.npmrc: "
			"cafile=/path/to/ca.pem");
		break;
	case UNREADABLE:
		outcome_fail(t, -ERR_HTTP, "the server's answer cannot be read: %s",
			reason(t, code));
		break;
	case AGAIN:
		outcome_fail(t, -ERR_NETWORK, "the transfer failed: %s", reason(t, code));
		diag_hint(&t->diag, "check the network; behind a proxy, set https-proxy in ~/.npmrc");
		break;
	case NOT_SENT:
		outcome_fail(t, -ERR_NETWORK, "the request could not be made: %s",
			reason(t, code));
		break;
	}
}

/* Tries left, and time for one more after the pause? */
static enum outcome retry(struct transfer *t)
{
	if (t->tries > t->f->options.retries)
		return OUTCOME_FAILED;
	if (fetch_now_ms() + outcome_pause_ms(t) >= t->deadline)
		return OUTCOME_FAILED;
	return OUTCOME_RETRY;
}

/* A strong ETag or a date says whether the rest still belongs to what is here (RFC 9110 13.1.5). */
static void note_partial(struct transfer *t)
{
	const char *tag = t->etag && strncmp(t->etag, "W/", 2) != 0 ? t->etag : t->last_modified;

	if (t->status != 200)
		return;		/* of a 206, body_tag still holds */
	free(t->body_tag);
	t->body_tag = tag ? str_dup(str_from(tag)) : NULL;
}

/* Ended by on_header or on_body. */
static enum outcome judge_stop(struct transfer *t)
{
	switch (t->stop) {
	case -ERR_LIMIT:
		outcome_fail(t, -ERR_LIMIT, "the answer is larger than %zu bytes, the most that is "
			"taken here", t->max);
		break;
	case -EPROTO:
		outcome_fail(t, -ERR_HTTP, "the server sent another part than was asked for");
		break;
	default:
		outcome_fail(t, t->stop, "%s", err_sentence(t->stop));
	}
	return OUTCOME_FAILED;
}

/* Statuses */

static const char *phrase(long status)
{
	static const struct {
		long status;
		const char *text;
	} phrases[] = {
		{ 400, " Bad Request" }, { 401, " Unauthorized" }, { 403, " Forbidden" },
		{ 404, " Not Found" }, { 407, " Proxy Authentication Required" },
		{ 408, " Request Timeout" }, { 410, " Gone" }, { 429, " Too Many Requests" },
		{ 500, " Internal Server Error" }, { 502, " Bad Gateway" },
		{ 503, " Service Unavailable" }, { 504, " Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "";
}

static bool worth_another_try(long status)
{
	return status == 408 || status == 421 || status == 425 || status == 429 ||
	       (status >= 500 && status != 501 && status != 505);
}

static void hint_auth(struct transfer *t)
{
	const char *unset = credentials_unset(t->f->credentials, t->url);
	struct url u;

	if (t->authorized)
		diag_hint(&t->diag, "the credential for it in .npmrc was sent and refused: renew it");
	else if (t->left_origin)
		diag_hint(&t->diag, "credentials are not sent to another host by a redirect");
	else if (unset)
		diag_hint(&t->diag, "the credential for it in .npmrc is in the variable %s, which is "
			"not set", unset);
	else if (url_parse(&u, str_from(t->url)) == 0)
		diag_hint(&t->diag, "put a credential for it into ~/.npmrc: //%.*s:%u/:_authToken=...",
			STR_ARG(u.host), u.port);
}

static void fail_status(struct transfer *t)
{
	bool auth = t->status == 401 || t->status == 403 || t->status == 407;

	outcome_fail(t, auth ? -ERR_AUTH : -ERR_HTTP, "the server answered %ld%s", t->status,
		phrase(t->status));
	if (t->status == 407)
		diag_hint(&t->diag, "the proxy wants a user and password: "
			"https-proxy=http://user:password@host:port/ in ~/.npmrc");
	else if (auth)
		hint_auth(t);
	else if (t->status == 404 || t->status == 410)
		diag_hint(&t->diag, "check the name, and which registry it is looked up in");
	else if (worth_another_try(t->status))
		diag_hint(&t->diag, "the server is overloaded or broken: try again later");
}

/* A proxy's answer to CONNECT, which libcurl counts as a transport error. */
static bool refused_by_proxy(struct transfer *t)
{
	long status = 0;

	t->f->curl->easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (t->status || status < 400 || worth_another_try(status))
		return false;
	t->status = status;
	return true;
}

/* The system's folder of authorities may lack what its bundle has: then that one is asked, too. */
static bool may_use_bundle(struct transfer *t)
{
	if (t->bundle_tried || t->f->authorities == AUTHORITIES_OWN)
		return false;
	t->f->authorities = AUTHORITIES_BUNDLE;
	t->bundle_tried = true;
	return true;
}

static enum outcome judge_transport(struct transfer *t, CURLcode code)
{
	enum outcome o = OUTCOME_FAILED;

	if (code == CURLE_FILESIZE_EXCEEDED)
		t->stop = -ERR_LIMIT;
	if (t->stop < 0)
		return judge_stop(t);
	if (refused_by_proxy(t)) {
		fail_status(t);
		return OUTCOME_FAILED;
	}
	if (transport_verdict(code) == UNTRUSTED && may_use_bundle(t))
		return OUTCOME_AT_ONCE;
	if (transport_verdict(code) == AGAIN && !is_closed_port(t, code)) {
		note_partial(t);
		o = retry(t);
	}
	if (o == OUTCOME_FAILED)
		fail_transport(t, code);
	return o;
}

static enum outcome judge_status(struct transfer *t)
{
	enum outcome o = OUTCOME_FAILED;

	if (t->status == 416 && t->ranged) {
		buf_reset(&t->body);
		o = retry(t);
	} else if (worth_another_try(t->status)) {
		o = retry(t);
	}
	if (o == OUTCOME_FAILED)
		fail_status(t);
	return o;
}

/* Redirects */

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The next hop: an error if it may not be taken. */
static int follow(struct transfer *t, const char *to)
{
	struct url from, next;
	char *copy;

	if (t->redirects >= REDIRECTS_MAX)
		return outcome_fail(t, -ERR_HTTP, "more than %d redirects", REDIRECTS_MAX);
	if (url_parse(&from, str_from(t->current ? t->current : t->url)) < 0 ||
			url_parse(&next, str_from(to)) < 0)
		return outcome_fail(t, -ERR_HTTP, "the server redirects to what is not a plain http "
			"or https URL");
	if (from.https && !next.https)
		return outcome_fail(t, -ERR_HTTP, "the server redirects from https to http");
	copy = str_dup(str_from(to));
	if (!copy)
		return outcome_fail(t, -ENOMEM, "%s", err_sentence(-ENOMEM));
	t->left_origin = t->left_origin || !url_same_origin(&from, &next);
	free(t->current);
	t->current = copy;
	t->redirects++;
	return 0;
}

static enum outcome judge_redirect(struct transfer *t)
{
	const char *to = NULL;

	t->f->curl->easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to) {
		fail_status(t);
		return OUTCOME_FAILED;
	}
	return follow(t, to) < 0 ? OUTCOME_FAILED : OUTCOME_AT_ONCE;
}

enum outcome outcome_judge(struct transfer *t, CURLcode code)
{
	t->f->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (code != CURLE_OK && !(t->stop == -ECANCELED && t->status >= 300))
		return judge_transport(t, code);
	if (is_redirect(t->status))
		return judge_redirect(t);
	if (t->status == 304 && (t->if_none_match || t->if_modified_since))
		return OUTCOME_DONE;
	if (t->status / 100 != 2)
		return judge_status(t);
	if (t->status == 200 && !t->started)
		buf_reset(&t->body);	/* an empty answer replaces what was being resumed */
	t->status = t->status == 206 ? 200 : t->status;	/* the parts are one whole now */
	return OUTCOME_DONE;
}

/* Exponential, with half of it random so that many who failed together do not come back together. */
uint64_t outcome_pause_ms(const struct transfer *t)
{
	unsigned doublings = MIN(t->tries ? t->tries - 1 : 0, 10u);
	uint64_t pause = MIN((uint64_t)PAUSE_FIRST_MS << doublings, (uint64_t)PAUSE_MAX_MS);
	uint32_t random = 0;

	(void)!getrandom(&random, sizeof(random), 0);
	pause = pause / 2 + random % (pause / 2 + 1);
	return MAX(pause, MIN(t->retry_after, (uint64_t)RETRY_AFTER_MAX_MS));
}
