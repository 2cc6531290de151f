// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drives the fetcher from the command line, for tests and measurements: one JSON object a line for
 * each request as it ends, and one for the statistics with --stats. --reverse gives each URL a
 * higher priority than those before it.
 *
 *	fetch-tool [--metadata] [--body] [--http1] [--plain] [--offline] [--stats]
 *		[--concurrency=N] [--per-host=N] [--retries=N] [--stall=N] [--total=N] [--max=N]
 *		[--abandon=N: free the fetcher after N answers]
 *		[--npmrc=FILE] [--project-npmrc=FILE] [--etag=TAG] [--quiet] [--reverse] URL… | --list=FILE
 */
#include "base/fd.h"
#include "base/json.h"
#include "engine/fetch/fetch.h"
#include "prim/err.h"
#include "prim/hash.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>

struct tool {
	struct fetch_options options;
	struct fetch_request request;
	struct credentials *credentials;
	struct fetcher *fetcher;
	enum loop_backend backend;
	struct buf list;
	unsigned pending, answers, abandon;
	bool body, stats, quiet, reverse, failed;
	struct timespec start;
};

static void print_line(struct buf *line)
{
	puts(buf_text(line));
	fflush(stdout);
}

static void put_diag(struct json_out *o, const struct fetch_result *result)
{
	json_out_key(o, "code");
	json_out_text(o, err_sentence(result->error));
	json_out_key(o, "what");
	json_out_text(o, buf_text(&result->diag->what));
	json_out_key(o, "where");
	json_out_text(o, buf_text(&result->diag->where));
	json_out_key(o, "hint");
	json_out_text(o, buf_text(&result->diag->hint));
}

static void put_body(struct json_out *o, const struct fetch_result *result, bool whole)
{
	struct digest digest = hash_bytes(buf_text(&result->body), result->body.len);
	char hex[DIGEST_HEX];

	json_out_key(o, "bytes");
	json_out_int(o, (int64_t)result->body.len);
	json_out_key(o, "blake3");
	json_out_text(o, digest_hex(&digest, hex));
	json_out_key(o, "etag");
	json_out_text(o, result->etag);
	if (whole) {
		json_out_key(o, "body");
		json_out_str(o, buf_str(&result->body));
	}
}

static void on_result(void *data, struct fetch_result *result)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct tool *t = data;
	struct json_out o;

	t->pending--;
	t->answers++;
	t->failed |= result->error < 0;
	if (t->quiet && !result->error)
		return;
	json_out_start(&o, &line, false);
	json_out_open(&o, '{');
	json_out_key(&o, "url");
	json_out_text(&o, result->url);
	json_out_key(&o, "status");
	json_out_int(&o, result->status);
	json_out_key(&o, "exit");
	json_out_int(&o, err_exit_status(result->error));
	if (result->error)
		put_diag(&o, result);
	else
		put_body(&o, result, t->body);
	json_out_close(&o, '}');
	if (json_out_end(&o) == 0)
		print_line(&line);
}

static void print_statistics(struct tool *t, const struct loop *l)
{
	_cleanup_buf_ struct buf line = BUF_INIT;
	struct fetch_statistics s;
	struct timespec now;
	struct json_out o;

	clock_gettime(CLOCK_MONOTONIC, &now);
	fetcher_statistics(t->fetcher, &s);
	json_out_start(&o, &line, false);
	json_out_open(&o, '{');
	json_out_key(&o, "loop");
	json_out_text(&o, loop_backend(l) == LOOP_URING ? "io_uring" : "epoll");
	json_out_key(&o, "requests");
	json_out_int(&o, (int64_t)s.requests);
	json_out_key(&o, "retries");
	json_out_int(&o, (int64_t)s.retries);
	json_out_key(&o, "connections");
	json_out_int(&o, (int64_t)s.connections);
	json_out_key(&o, "bytes");
	json_out_int(&o, (int64_t)s.bytes);
	json_out_key(&o, "ms");
	json_out_int(&o, (now.tv_sec - t->start.tv_sec) * 1000 +
		(now.tv_nsec - t->start.tv_nsec) / 1000000);
	json_out_close(&o, '}');
	if (json_out_end(&o) == 0)
		print_line(&line);
}

static int fail(const struct diag *d, int r)
{
	fprintf(stderr, "fetch-tool: %s%s%s\n", buf_text(&d->where), d->where.len ? ": " : "",
		d->what.len ? buf_text(&d->what) : err_sentence(r));
	return err_exit_status(r);
}

static int read_npmrc(struct tool *t, const char *path, bool trusted)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r = file_slurp(AT_FDCWD, path, &text, 1 << 20);

	if (r == 0)
		r = credentials_npmrc(t->credentials, buf_str(&text), path, trusted, &d);
	if (r < 0)
		exit(fail(&d, r));
	return r;
}

static uint64_t number(const char *text)
{
	uint64_t v;

	if (str_u64(str_from(text), &v) < 0) {
		fprintf(stderr, "fetch-tool: '%s' is not a number\n", text);
		exit(EXIT_USAGE);
	}
	return v;
}

static void parse_option(struct tool *t, const char *name)
{
	if (strcmp(name, "metadata") == 0)
		t->request.metadata = true;
	else if (strcmp(name, "body") == 0)
		t->body = true;
	else if (strcmp(name, "http1") == 0)
		t->options.http1 = true;
	else if (strcmp(name, "plain") == 0)
		t->backend = LOOP_PLAIN;
	else if (strcmp(name, "offline") == 0)
		t->options.offline = true;
	else if (strcmp(name, "stats") == 0)
		t->stats = true;
	else if (strcmp(name, "quiet") == 0)
		t->quiet = true;
	else if (strcmp(name, "reverse") == 0)
		t->reverse = true;
	else if (strcmp(name, "npmrc") == 0)
		read_npmrc(t, optarg, true);
	else if (strcmp(name, "project-npmrc") == 0)
		read_npmrc(t, optarg, false);
	else if (strcmp(name, "etag") == 0)
		t->request.if_none_match = optarg;
	else if (strcmp(name, "max") == 0)
		t->request.max = number(optarg);
	else if (strcmp(name, "concurrency") == 0)
		t->options.concurrency = (unsigned)number(optarg);
	else if (strcmp(name, "per-host") == 0)
		t->options.per_host = (unsigned)number(optarg);
	else if (strcmp(name, "retries") == 0)
		t->options.retries = (unsigned)number(optarg);
	else if (strcmp(name, "stall") == 0)
		t->options.stall_seconds = (unsigned)number(optarg);
	else if (strcmp(name, "total") == 0)
		t->options.total_seconds = (unsigned)number(optarg);
	else if (strcmp(name, "abandon") == 0)
		t->abandon = (unsigned)number(optarg);
	else if (strcmp(name, "list") == 0 && file_slurp(AT_FDCWD, optarg, &t->list, 64 << 20) < 0)
		exit(EXIT_USAGE);
}

static void parse(struct tool *t, int argc, char **argv)
{
	static const struct option options[] = {
		{ "metadata", 0, NULL, 1 }, { "body", 0, NULL, 1 }, { "http1", 0, NULL, 1 },
		{ "plain", 0, NULL, 1 }, { "offline", 0, NULL, 1 }, { "stats", 0, NULL, 1 },
		{ "quiet", 0, NULL, 1 }, { "reverse", 0, NULL, 1 }, { "npmrc", 1, NULL, 1 },
		{ "project-npmrc", 1, NULL, 1 },
		{ "etag", 1, NULL, 1 }, { "max", 1, NULL, 1 }, { "concurrency", 1, NULL, 1 },
		{ "per-host", 1, NULL, 1 }, { "retries", 1, NULL, 1 }, { "stall", 1, NULL, 1 },
		{ "total", 1, NULL, 1 }, { "abandon", 1, NULL, 1 }, { "list", 1, NULL, 1 }, { 0 },
	};
	int c, i;

	while ((c = getopt_long(argc, argv, "", options, &i)) != -1) {
		if (c != 1)
			exit(EXIT_USAGE);
		parse_option(t, options[i].name);
	}
}

static int get(struct tool *t, const char *url)
{
	t->request.url = url;
	t->request.priority += t->reverse;
	t->pending++;
	return fetcher_get(t->fetcher, &t->request, on_result, t);
}

static int get_all(struct tool *t, char **urls)
{
	struct str rest = buf_str(&t->list);
	int r = 0;

	for (; r == 0 && *urls; urls++)
		r = get(t, *urls);
	while (r == 0 && rest.p) {
		_cleanup_free_ char *url = str_dup(str_trim(str_cut(&rest, '\n')));

		if (url && *url)
			r = get(t, url);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct tool t = { .options.retries = UINT32_MAX };
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct loop *l = NULL;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &t.start);
	if (credentials_new(&t.credentials) < 0)
		return EXIT_ERROR;
	parse(&t, argc, argv);
	r = loop_new(&l, t.backend, &d);
	if (r == 0)
		r = fetcher_new(&t.fetcher, l, t.credentials, &t.options, &d);
	if (r == 0)
		r = get_all(&t, argv + optind);
	while (r == 0 && t.pending && (!t.abandon || t.answers < t.abandon))
		r = loop_step(l, -1);
	if (r == 0 && t.stats)
		print_statistics(&t, l);
	if (t.fetcher)
		fetcher_free(t.fetcher);
	loop_free(l);
	credentials_free(t.credentials);
	buf_done(&t.list);
	return r < 0 ? fail(&d, r) : t.failed;
}
