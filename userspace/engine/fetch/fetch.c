// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/fetch-priv.h"

#include "prim/err.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>

#define WAITING_MAX ((size_t)1 << 20)
#define CONCURRENCY 96		/* below the 100 streams that servers commonly allow a connection */
#define PER_HOST 16
#define RETRIES 3
#define HELD_MAX ((size_t)16 << 20)
#define STALL_SECONDS 30
#define TOTAL_SECONDS 600

uint64_t fetch_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Lists */

static void list_add(struct list *l, struct transfer *t)
{
	t->next = NULL;
	t->at = l->last;
	*l->last = t;
	l->last = &t->next;
}

static void list_remove(struct list *l, struct transfer *t)
{
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	else
		l->last = t->at;
}

/* The heap of those that wait */

static bool goes_first(const struct transfer *a, const struct transfer *b)
{
	return a->priority != b->priority ? a->priority > b->priority : a->number < b->number;
}

static int heap_add(struct fetcher *f, struct transfer *t)
{
	size_t i = f->heap.n;
	int r = vec_push(&f->heap, t);

	if (r < 0)
		return r;
	for (; i > 0 && goes_first(t, f->heap.v[(i - 1) / 2]); i = (i - 1) / 2)
		f->heap.v[i] = f->heap.v[(i - 1) / 2];
	f->heap.v[i] = t;
	return 0;
}

static struct transfer *heap_take(struct fetcher *f)
{
	struct transfer *first = f->heap.v[0], *last = f->heap.v[--f->heap.n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < f->heap.n && goes_first(f->heap.v[child + 1], f->heap.v[child]))
			child++;
		if (child >= f->heap.n || !goes_first(f->heap.v[child], last))
			break;
		f->heap.v[i] = f->heap.v[child];
		i = child;
	}
	if (f->heap.n)
		f->heap.v[i] = last;
	return first;
}

/* libcurl and the loop */

static void pump(struct fetcher *f);
static void drain(struct fetcher *f);

static void act(struct fetcher *f, curl_socket_t fd, int events)
{
	int running;

	f->curl->multi_socket_action(f->multi, fd, events, &running);
	drain(f);
	pump(f);
}

static void on_socket_event(void *data, int fd, unsigned events)
{
	int flags = 0;

	if (events & (POLLIN | POLLHUP))
		flags |= CURL_CSELECT_IN;
	if (events & POLLOUT)
		flags |= CURL_CSELECT_OUT;
	if (events & (POLLERR | POLLNVAL))
		flags |= CURL_CSELECT_ERR;
	act(data, fd, flags);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct fetcher *f = data;
	unsigned events = 0;

	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= POLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= POLLOUT;
	return loop_watch(f->loop, fd, events, on_socket_event, f) < 0 ? -1 : 0;
}

static void on_curl_timer(void *data)
{
	struct fetcher *f = data;

	f->curl_timer = 0;
	act(f, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	struct fetcher *f = data;

	loop_timer_cancel(f->loop, f->curl_timer);
	f->curl_timer = 0;
	if (ms < 0)
		return 0;
	f->curl_timer = loop_timer(f->loop, (uint64_t)ms, on_curl_timer, f);
	return f->curl_timer ? 0 : -1;
}

static int set_up_multi(struct fetcher *f)
{
	const struct curl_api *curl = f->curl;
	long per_host = (long)f->options.per_host;

	if (curl->multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
			curl->multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) ||
			curl->multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
			curl->multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) ||
			curl->multi_setopt(f->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) ||
			curl->multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host) ||
			curl->multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 2 * per_host) ||
			curl->share_setopt(f->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
		return -ENOMEM;
	return 0;
}

/* True if the folder has names as OpenSSL looks for them: "<hash>.0". */
static bool has_hashes(const char *path)
{
	DIR *dir = path ? opendir(path) : NULL;
	bool found = false;
	struct dirent *e;

	while (dir && !found && (e = readdir(dir)))
		found = str_ends(str_from(e->d_name), STR(".0"));
	if (dir)
		closedir(dir);
	return found;
}

/*
 * OpenSSL 3 takes some 25 ms to read the system's bundle of authorities, for each connection unless
 * libcurl can keep the result, which it cannot where a folder is set as well. From the folder alone
 * it reads just the one that is needed.
 */
static enum authorities choose_authorities(struct fetcher *f)
{
	const curl_version_info_data *v = f->curl->version_info(CURLVERSION_NOW);
	const char *own = credentials_cafile(f->credentials);

	if (credentials_ca(f->credentials) || (own && (!v->cainfo || strcmp(own, v->cainfo) != 0)))
		return AUTHORITIES_OWN;
	return has_hashes(v->capath) ? AUTHORITIES_FOLDER : AUTHORITIES_BUNDLE;
}

static int set_up_curl(struct fetcher *f, struct diag *d)
{
	int r = curl_load(&f->curl, d);

	if (r < 0)
		return r;
	f->authorities = choose_authorities(f);
	f->multi = f->curl->multi_init();
	f->share = f->curl->share_init();
	r = f->multi && f->share ? set_up_multi(f) : -ENOMEM;
	return r < 0 ? diag_fail(d, r, "%s", err_sentence(r)) : 0;
}

/* The way of a transfer */

static void finish(struct transfer *t)
{
	list_add(&t->f->finished, t);
}

static void on_pause_over(void *data)
{
	struct transfer *t = data;
	struct fetcher *f = t->f;

	t->timer = 0;
	list_remove(&f->pausing, t);
	if (heap_add(f, t) < 0) {
		outcome_fail(t, -ENOMEM, "%s", err_sentence(-ENOMEM));
		finish(t);
	}
	pump(f);
}

static void pause_before_retry(struct transfer *t)
{
	struct fetcher *f = t->f;
	uint64_t pause = outcome_pause_ms(t);

	f->statistics.retries++;
	free(t->current);
	t->current = NULL;
	t->redirects = 0;
	t->left_origin = false;
	list_add(&f->pausing, t);
	t->timer = loop_timer(f->loop, pause, on_pause_over, t);
	if (!t->timer)
		on_pause_over(t);
}

static void start(struct transfer *t, bool first_hop)
{
	struct fetcher *f = t->f;

	if (!t->deadline)
		t->deadline = fetch_now_ms() + f->options.total_seconds * 1000ull;
	t->tries += first_hop;
	if (transfer_start(t) < 0) {
		outcome_fail(t, -ERR_NETWORK, "the request could not be made");
		finish(t);
		return;
	}
	list_add(&f->active, t);
	f->nactive++;
}

static void ended(struct transfer *t, CURLcode code)
{
	struct fetcher *f = t->f;
	enum outcome o = outcome_judge(t, code);
	long connections = 0;

	f->curl->easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connections);
	f->statistics.connections += (uint64_t)connections;
	transfer_stop(t);
	list_remove(&f->active, t);
	f->nactive--;
	switch (o) {
	case OUTCOME_DONE:
	case OUTCOME_FAILED:
		finish(t);
		break;
	case OUTCOME_AT_ONCE:
		start(t, false);
		break;
	case OUTCOME_RETRY:
		pause_before_retry(t);
		break;
	}
}

static void drain(struct fetcher *f)
{
	CURLMsg *m;
	int left;

	while ((m = f->curl->multi_info_read(f->multi, &left))) {
		struct transfer *t = NULL;

		if (m->msg == CURLMSG_DONE &&
				f->curl->easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK)
			ended(t, m->data.result);
	}
}

static void deliver(struct transfer *t)
{
	struct fetch_result result = {
		.error = t->error,
		.diag = &t->diag,
		.status = t->status,
		.body = t->error ? (struct buf)BUF_INIT : t->body,
		.etag = t->etag,
		.last_modified = t->last_modified,
		.url = t->url,
	};

	if (!t->error)
		t->body = (struct buf)BUF_INIT;
	if (t->fn)
		t->fn(t->data, &result);
	buf_done(&result.body);
	transfer_free(t);
}

/* Fails all that wait, with one reason: offline, or no libcurl. */
static void fail_waiting(struct fetcher *f, int error, const struct diag *why)
{
	while (f->heap.n) {
		struct transfer *t = heap_take(f);

		outcome_fail(t, error, "%s", buf_text(&why->what));
		diag_hint(&t->diag, "%s", buf_text(&why->hint));
		finish(t);
	}
}

static void fail_offline(struct fetcher *f)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	diag_fail(&d, -ERR_OFFLINE, "not fetched, as the network is not to be used");
	diag_hint(&d, "run once without --offline");
	fail_waiting(f, -ERR_OFFLINE, &d);
}

static void start_waiting(struct fetcher *f)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r = 0;

	if (!f->heap.n)
		return;
	if (f->options.offline) {
		fail_offline(f);
		return;
	}
	if (!f->multi)
		r = set_up_curl(f, &d);
	if (r < 0) {
		fail_waiting(f, r, &d);
		return;
	}
	while (f->heap.n && f->nactive < f->options.concurrency &&
			atomic_load(&f->held) <= f->options.held_max)
		start(heap_take(f), true);
}

/* Callbacks come last, as they make new requests. */
static void pump(struct fetcher *f)
{
	do {
		struct list done = f->finished;

		f->finished = (struct list){ .last = &f->finished.first };
		while (done.first) {
			struct transfer *t = done.first;

			done.first = t->next;
			deliver(t);
		}
		start_waiting(f);
	} while (f->finished.first);
}

static void on_pump(void *data)
{
	struct fetcher *f = data;

	f->pump_timer = 0;
	pump(f);
}

/* Making and freeing */

static char *copy(const char *text, bool *failed)
{
	char *s = text ? str_dup(str_from(text)) : NULL;

	*failed |= text && !s;
	return s;
}

static int transfer_new(struct fetcher *f, const struct fetch_request *r, struct transfer **ret)
{
	_cleanup_buf_ struct buf shown = BUF_INIT;
	struct transfer *t = calloc(1, sizeof(*t));
	bool failed = false;

	if (!t)
		return -ENOMEM;
	t->f = f;
	t->number = f->numbers++;
	t->priority = r->priority;
	t->metadata = r->metadata;
	t->max = r->max ? r->max : BUF_MAX_DEFAULT;
	t->url = copy(r->url, &failed);
	t->accept = copy(r->accept, &failed);
	t->if_none_match = copy(r->if_none_match, &failed);
	t->if_modified_since = copy(r->if_modified_since, &failed);
	if (url_redact(str_from(r->url), &shown) == 0) {
		credentials_redact(f->credentials, &shown);
		t->shown = buf_take(&shown);
	}
	if (failed || !t->shown) {
		transfer_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

/* A URL that is refused before anything is sent. */
static int check_url(struct transfer *t)
{
	struct url u;
	int r = url_parse(&u, str_from(t->url));

	if (r == 0)
		return 0;
	if (r == -EACCES) {
		outcome_fail(t, -ERR_CONFIG, "a URL may not hold credentials");
		diag_hint(&t->diag, "put them into ~/.npmrc: //host/path/:_authToken=...");
		return -ERR_CONFIG;
	}
	return outcome_fail(t, -ERR_CONFIG, "this is not a plain http or https URL");
}

int fetcher_get(struct fetcher *f, const struct fetch_request *request, fetch_fn fn, void *data)
{
	struct transfer *t;
	int r;

	if (f->heap.n >= WAITING_MAX)
		return -ERR_LIMIT;
	r = transfer_new(f, request, &t);
	if (r < 0)
		return r;
	t->fn = fn;
	t->data = data;
	if (!f->pump_timer)
		f->pump_timer = loop_timer(f->loop, 0, on_pump, f);
	if (!f->pump_timer)
		r = -ENOMEM;
	else if (check_url(t) < 0)
		finish(t);
	else
		r = heap_add(f, t);
	if (r < 0) {
		transfer_free(t);
		return r;
	}
	f->statistics.requests++;
	return 0;
}

void fetcher_hold(struct fetcher *f, size_t bytes)
{
	atomic_fetch_add(&f->held, bytes);
}

void fetcher_release(struct fetcher *f, size_t bytes)
{
	atomic_fetch_sub(&f->held, bytes);
}

void fetcher_go_on(struct fetcher *f)
{
	if (f->heap.n && !f->pump_timer)
		f->pump_timer = loop_timer(f->loop, 0, on_pump, f);
}

static void set_defaults(struct fetch_options *o)
{
	if (!o->concurrency)
		o->concurrency = CONCURRENCY;
	if (!o->per_host)
		o->per_host = PER_HOST;
	if (o->retries == UINT32_MAX)
		o->retries = RETRIES;
	if (!o->held_max)
		o->held_max = HELD_MAX;
	if (!o->stall_seconds)
		o->stall_seconds = STALL_SECONDS;
	if (!o->total_seconds)
		o->total_seconds = TOTAL_SECONDS;
}

int fetcher_new(struct fetcher **ret, struct loop *l, const struct credentials *c,
	const struct fetch_options *o, struct diag *d)
{
	struct fetcher *f = calloc(1, sizeof(*f));

	if (!f)
		return diag_fail(d, -ENOMEM, "%s", err_sentence(-ENOMEM));
	f->loop = l;
	f->credentials = c;
	f->options = o ? *o : (struct fetch_options){ .retries = UINT32_MAX };
	set_defaults(&f->options);
	f->active.last = &f->active.first;
	f->pausing.last = &f->pausing.first;
	f->finished.last = &f->finished.first;
	*ret = f;
	return 0;
}

static void free_list(struct list *l)
{
	while (l->first) {
		struct transfer *t = l->first;

		list_remove(l, t);
		loop_timer_cancel(t->f->loop, t->timer);
		transfer_free(t);
	}
}

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	free_list(&f->active);
	free_list(&f->pausing);
	free_list(&f->finished);
	vec_foreach(t, &f->heap)
		transfer_free(*t);
	vec_foreach(easy, &f->idle)
		f->curl->easy_cleanup(*easy);
	if (f->multi)
		f->curl->multi_cleanup(f->multi);
	if (f->share)
		f->curl->share_cleanup(f->share);
	loop_timer_cancel(f->loop, f->curl_timer);
	loop_timer_cancel(f->loop, f->pump_timer);
	vec_done(&f->heap);
	vec_done(&f->idle);
	free(f);
}

void fetcher_statistics(const struct fetcher *f, struct fetch_statistics *ret)
{
	*ret = f->statistics;
	ret->active = f->nactive;
	ret->waiting = (unsigned)f->heap.n;
	for (struct transfer *t = f->pausing.first; t; t = t->next)
		ret->waiting++;
	ret->waiting_for = f->active.first ? f->active.first->shown : NULL;
}
