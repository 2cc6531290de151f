// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-tool COMMAND HOME [ARG...]: puts the store through what installs, mounts and gc do to it.
 * The contents of package N follow from N, so that every byte read back is judged without the store.
 *
 *	put FROM TO      puts packages, a root each (HOME/p<N>); again where gc interfered
 *	read FROM TO     reads what is there: fails on any wrong byte; prints "good bad missing"
 *	heal FROM TO     what an install does: asks for each, puts aside what is damaged, puts again
 *	gc, verify [dry] the like; verify prints "checked bad"
 *	live FROM TO MS  all of the above in turn, for a time
 *	story            one run through every operation, with damage in its middle
 *	bench PUTS FILES KIB   figures
 */
#include "base/fd.h"
#include "cas/cas-write.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define FILES	   8
#define LARGE_SIZE 150000

struct tool {
	int home_fd;
	const char *home;
	struct diag d;
};

static int failed(struct tool *t, int r, const char *what)
{
	fprintf(stderr, "store-tool: %s: %s (%s)\n", what, buf_text(&t->d.what), err_sentence(r));
	return r;
}

static void fill(char *bytes, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = seed += 0x9e3779b97f4a7c15;

		v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
		v ^= v >> 27;
		memcpy(bytes + i, &v, MIN((size_t)8, len - i));
	}
}

/* File i of package n: every package shares file 0 with all and file 1 with its neighbours. */
static size_t contents(uint64_t n, unsigned i, char *bytes)
{
	uint64_t seed = i == 0 ? 7 : i == 1 ? n / 4 * 1000 : n * 1000 + i;
	size_t len = i == FILES - 1 ? LARGE_SIZE : 100 + seed * 2654435761 % 9000;

	if (i == FILES - 1 && n % 3)
		len = 0;	/* not all have a large one */
	fill(bytes, len, seed);
	return len;
}

/* The package's tree; with `p` its files are put as well. */
static int build(struct tree_builder *b, struct cas_put *p, uint64_t n, struct diag *d)
{
	static char bytes[LARGE_SIZE];
	struct digest chunks[3];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < FILES; i++) {
		size_t len = contents(n, i, bytes);
		struct cas_file f = { .digest = hash_bytes(bytes, len), .size = len };
		char path[32];

		snprintf(path, sizeof(path), "lib/file%u", i);
		if (len > TREE_CHUNK) {
			for (f.nchunks = 0; f.nchunks * TREE_CHUNK < len; f.nchunks++)
				chunks[f.nchunks] = hash_bytes(bytes + f.nchunks * TREE_CHUNK,
					MIN((size_t)TREE_CHUNK, len - f.nchunks * TREE_CHUNK));
			f.chunks = chunks;
		}
		if (p)
			r = cas_put_file(p, bytes, len, &f, d);
		if (r == 0)
			r = tree_builder_file(b, str_from(path), false, f.size, &f.digest, f.chunks,
				f.nchunks);
	}
	return r;
}

static int put(struct cas_writer *w, uint64_t n, struct digest *ret, struct diag *d)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(cas_put_free_p) struct cas_put *p = NULL;
	char source[32];
	int r = tree_builder_new(&b);

	snprintf(source, sizeof(source), "test %llu", (unsigned long long)n);
	if (r == 0)
		r = cas_put_new(&p, w);
	if (r == 0)
		r = build(b, p, n, d);
	return r < 0 ? r : cas_put_commit(p, b, str_from(source), ret, d);
}

static int tree_of(uint64_t n, struct digest *ret)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	int r = tree_builder_new(&b);

	if (r == 0)
		r = build(b, NULL, n, NULL);
	return r < 0 ? r : tree_builder_end(b, &bytes, ret);
}

static int set_root(struct tool *t, struct cas_writer *w, uint64_t n, const struct digest *tree)
{
	char name[32], path[4200];

	snprintf(name, sizeof(name), "p%llu", (unsigned long long)n);
	snprintf(path, sizeof(path), "%s/%s", t->home, name);
	if (mkdirat(t->home_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return cas_root_set(w, str_from(path), tree, 1, &t->d);
}

static int put_flushed(struct tool *t, struct cas_writer *w, uint64_t n)
{
	struct digest tree;
	int r = -ESTALE;

	for (int tries = 0; r == -ESTALE && tries < 20; tries++) {
		r = put(w, n, &tree, &t->d);
		if (r == 0)
			r = cas_writer_flush(w, &t->d);
	}
	return r < 0 ? r : set_root(t, w, n, &tree);
}

static int do_put(struct tool *t, uint64_t from, uint64_t to)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	int r = cas_writer_open(&w, t->home_fd, &t->d);

	for (uint64_t n = from; r == 0 && n < to; n++)
		r = put_flushed(t, w, n);
	return r < 0 ? failed(t, r, "put") : 0;
}

/* 0, 1 if the file is refused as damaged or missing; -1 for a wrong byte. */
static int read_file(struct cas *c, const struct tree_entry *e, uint64_t n, struct digest *ret_bad)
{
	static char want[LARGE_SIZE], got[LARGE_SIZE + 1];
	unsigned i = (unsigned)(e->name.p[e->name.n - 1] - '0');
	size_t len = contents(n, i, want);
	ssize_t r = cas_read(c, e, 0, got, sizeof(got), NULL);

	if (r < 0) {
		*ret_bad = e->digest;
		return 1;
	}
	return (size_t)r == len && memcmp(got, want, len) == 0 ? 0 : -1;
}

struct counts {
	unsigned good, bad, missing;
};

/* The first damaged thing is left in ret_bad. */
static int read_package(struct cas *c, uint64_t n, struct counts *counts, struct digest *ret_bad)
{
	const struct tree *t;
	struct digest digest;
	int bad = 0, r = tree_of(n, &digest);

	if (r < 0)
		return r;
	if (!cas_has_tree(c, &digest)) {
		counts->missing++;
		return 0;
	}
	if (cas_tree(c, &digest, &t, NULL) < 0) {
		*ret_bad = digest;
		counts->bad++;
		return 0;
	}
	for (uint32_t i = 0; i < tree_nentries(t); i++) {
		struct tree_entry e;

		tree_get(t, i, &e);
		if (e.kind != TREE_FILE)
			continue;
		r = read_file(c, &e, n, ret_bad);
		if (r < 0) {
			fprintf(stderr, "store-tool: package %llu, file %.*s: WRONG BYTES SERVED\n",
				(unsigned long long)n, STR_ARG(e.name));
			return -EBADMSG;
		}
		bad += r;
	}
	counts->bad += bad > 0;
	counts->good += bad == 0;
	return 0;
}

static int do_read(struct tool *t, uint64_t from, uint64_t to, bool quiet)
{
	_cleanup_(cas_free_p) struct cas *c = NULL;
	struct counts counts = { 0 };
	struct digest bad;
	int r = cas_open(&c, t->home_fd, &t->d);

	/* No store yet, or an index that a writer will make anew: nothing is served. */
	if (r == -ERR_STORE_MISSING || r == -ERR_STORE)
		r = 0;
	else if (r < 0)
		return failed(t, r, "read");
	for (uint64_t n = from; c && r == 0 && n < to; n++)
		r = read_package(c, n, &counts, &bad);
	if (r == 0 && !quiet)
		printf("%u %u %u\n", counts.good, counts.bad, counts.missing);
	return r;
}

static int heal(struct tool *t, struct cas_writer *w, uint64_t n)
{
	/* Each time round takes one damaged object out; a package has no more than its files. */
	for (int tries = 0; tries < 4 * FILES; tries++) {
		struct counts counts = { 0 };
		struct digest tree, bad;
		int r = tree_of(n, &tree);

		if (r == 0 && !cas_writer_want(w, &tree))
			r = put_flushed(t, w, n);
		if (r == 0)
			r = read_package(cas_writer_cas(w), n, &counts, &bad);
		if (r < 0)
			return r;
		if (counts.good)
			return set_root(t, w, n, &tree);
		if (counts.bad)
			r = cas_quarantine(w, &bad, &t->d);
		if (r < 0)
			return r;
	}
	return diag_fail(&t->d, -EIO, "package %llu does not heal", (unsigned long long)n);
}

static int do_heal(struct tool *t, uint64_t from, uint64_t to)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	int r = cas_writer_open(&w, t->home_fd, &t->d);

	for (uint64_t n = from; r == 0 && n < to; n++)
		r = heal(t, w, n);
	return r < 0 ? failed(t, r, "heal") : 0;
}

static int do_gc(struct tool *t, bool quiet)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	struct cas_usage freed;
	int r = cas_writer_open(&w, t->home_fd, &t->d);

	if (r == 0)
		r = cas_gc(w, NULL, &freed, &t->d);
	if (r < 0)
		return failed(t, r, "gc");
	if (!quiet)
		printf("%llu trees %llu objects %llu bytes\n", (unsigned long long)freed.trees,
			(unsigned long long)freed.objects, (unsigned long long)freed.bytes);
	return 0;
}

static void print_bad(void *data, const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
}

static int do_verify(struct tool *t, bool dry)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	uint64_t checked, bad;
	int r = cas_writer_open(&w, t->home_fd, &t->d);

	if (r == 0)
		r = cas_verify(w, dry, print_bad, NULL, &checked, &bad, &t->d);
	if (r < 0)
		return failed(t, r, "verify");
	printf("%llu %llu\n", (unsigned long long)checked, (unsigned long long)bad);
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int do_live(struct tool *t, uint64_t from, uint64_t to, uint64_t ms)
{
	double end = now() + (double)ms / 1000;
	uint64_t n = from;
	int r = 0;

	while (r == 0 && now() < end) {
		char root[64];

		r = do_put(t, n, MIN(n + 3, to));
		if (r == 0)
			r = do_read(t, from, to, true);
		/* A project goes away: gc may take what only it had. */
		snprintf(root, sizeof(root), "p%llu", (unsigned long long)n);
		unlinkat(t->home_fd, root, AT_REMOVEDIR);
		if (r == 0 && n % 5 == 0)
			r = do_gc(t, true);
		if (r == 0 && n % 7 == 0)
			r = do_heal(t, from, from + 2);
		n = n + 3 < to ? n + 3 : from;
	}
	return r;
}

/* Turns a byte of an object that package n has, wherever it is stored. */
static int spoil(struct tool *t, struct cas_writer *w, uint64_t n, unsigned file)
{
	static char bytes[LARGE_SIZE];
	_cleanup_fd_ int fd = -1;
	size_t len = contents(n, file, bytes);
	struct digest d = hash_bytes(bytes, len);
	struct cas_place place;
	char path[64], byte;
	int r = cas_locate(cas_writer_cas(w), &d, &place, &t->d);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place.fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_pread_all(fd, &byte, 1, (off_t)place.offset + 5);
	byte ^= 4;
	return r < 0 ? r : fd_pwrite_all(fd, &byte, 1, (off_t)place.offset + 5);
}

static int story(struct tool *t)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	static char document[5000];
	int r = cas_writer_open(&w, t->home_fd, &t->d);

	for (uint64_t n = 0; r == 0 && n < 4; n++)
		r = put_flushed(t, w, n);
	if (r == 0)
		r = cas_writer_fact(w, CAS_DOCUMENT, STR("https://r/x"), document, sizeof(document));
	if (r == 0)
		r = cas_writer_flush(w, &t->d);
	cas_writer_free(TAKE_PTR(w));
	unlinkat(t->home_fd, "p1", AT_REMOVEDIR);
	unlinkat(t->home_fd, "p2", AT_REMOVEDIR);
	if (r == 0)
		r = do_gc(t, true);
	if (r == 0)
		r = cas_writer_open(&w, t->home_fd, &t->d);
	if (r == 0)
		r = spoil(t, w, 0, 3);
	if (r == 0)
		r = spoil(t, w, 3, FILES - 1);
	for (uint64_t n = 0; r == 0 && n < 4; n++)
		r = heal(t, w, n);
	if (r == 0)
		r = cas_root_remove(w, STR("/none"), &t->d);
	cas_writer_free(TAKE_PTR(w));
	if (r == 0 && (unlinkat(t->home_fd, "store/index/state", 0) < 0))
		r = -errno;
	return r < 0 ? failed(t, r, "story") : do_put(t, 3, 5);
}

static int bench_put(struct cas_writer *w, uint64_t n, unsigned files, size_t kib, char *bytes,
	struct digest *ret, struct diag *d)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(cas_put_free_p) struct cas_put *p = NULL;
	int r = tree_builder_new(&b);

	if (r == 0)
		r = cas_put_new(&p, w);
	for (unsigned i = 0; r == 0 && i < files; i++) {
		struct cas_file f;
		char path[32];

		snprintf(path, sizeof(path), "lib/file%u.js", i);
		memcpy(bytes, &n, sizeof(n));
		memcpy(bytes + 8, &i, sizeof(i));
		r = cas_put_file(p, bytes, kib << 10, &f, d);
		if (r == 0)
			r = tree_builder_file(b, str_from(path), false, f.size, &f.digest, f.chunks,
				f.nchunks);
	}
	return r < 0 ? r : cas_put_commit(p, b, (struct str){ 0 }, ret, d);
}

static void figure(const char *what, double from)
{
	printf("%-32s %9.2f ms\n", what, (now() - from) * 1000);
}

static int bench(struct tool *t, uint64_t puts, uint64_t files, uint64_t kib)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	_cleanup_free_ struct digest *trees = calloc(puts, sizeof(*trees));
	_cleanup_free_ char *bytes = malloc((kib << 10) + 16);
	double at = now();
	int r = trees && bytes ? cas_writer_open(&w, t->home_fd, &t->d) : -ENOMEM;

	if (r < 0)
		return failed(t, r, "bench");
	figure("open, creating", at);
	fill(bytes, kib << 10, 1);
	at = now();
	for (uint64_t n = 0; r == 0 && n < puts; n++)
		r = bench_put(w, n, (unsigned)files, kib, bytes, &trees[n], &t->d);
	figure("put", at);
	at = now();
	if (r == 0)
		r = cas_writer_flush(w, &t->d);
	figure("flush", at);
	at = now();
	for (uint64_t n = 0; r == 0 && n < puts; n++)
		r = bench_put(w, n, (unsigned)files, kib, bytes, &trees[n], &t->d);
	if (r == 0)
		r = cas_writer_flush(w, &t->d);
	figure("put and flush again", at);
	at = now();
	for (uint64_t n = 0; r == 0 && n < puts; n++)
		r = cas_writer_want(w, &trees[n]) ? 0 : -ENOENT;
	figure("want each", at);
	at = now();
	for (uint64_t n = 0; r == 0 && n < puts; n++) {
		const struct tree *tree;

		r = cas_tree(cas_writer_cas(w), &trees[n], &tree, &t->d);
		for (uint32_t i = 0; r >= 0 && i < tree_nentries(tree); i++) {
			struct tree_entry e;

			tree_get(tree, i, &e);
			if (e.kind == TREE_FILE)
				r = (int)cas_read(cas_writer_cas(w), &e, 0, bytes, kib << 10, &t->d);
		}
		r = MIN(r, 0);
	}
	figure("read all", at);
	if (r == 0)
		r = cas_root_set(w, str_from(t->home), trees, puts, &t->d);
	cas_writer_free(TAKE_PTR(w));
	at = now();
	for (int i = 0; r == 0 && i < 100; i++) {
		r = cas_writer_open(&w, t->home_fd, &t->d);
		cas_writer_free(TAKE_PTR(w));
	}
	figure("open and close, 100 times", at);
	at = now();
	if (r == 0)
		r = do_gc(t, true);
	figure("gc, all alive", at);
	unlinkat(t->home_fd, "store/index/state", 0);
	at = now();
	if (r == 0)
		r = cas_writer_open(&w, t->home_fd, &t->d);
	figure("open, making the index anew", at);
	return r < 0 ? failed(t, r, "bench") : 0;
}

static uint64_t number(const char *text)
{
	uint64_t n = 0;

	if (text)
		(void)!str_u64(str_from(text), &n);
	return n;
}

static int run(struct tool *t, const char *command, char **argv)
{
	uint64_t a = number(argv[0]), b = argv[0] ? number(argv[1]) : 0;
	uint64_t c = argv[0] && argv[1] ? number(argv[2]) : 0;

	if (strcmp(command, "put") == 0)
		return do_put(t, a, b);
	if (strcmp(command, "read") == 0)
		return do_read(t, a, b, false);
	if (strcmp(command, "heal") == 0)
		return do_heal(t, a, b);
	if (strcmp(command, "gc") == 0)
		return do_gc(t, false);
	if (strcmp(command, "verify") == 0)
		return do_verify(t, argv[0] != NULL);
	if (strcmp(command, "live") == 0)
		return do_live(t, a, b, c);
	if (strcmp(command, "story") == 0)
		return story(t);
	if (strcmp(command, "bench") == 0)
		return bench(t, a, b, c);
	fprintf(stderr, "store-tool: no command '%s'\n", command);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct tool t = { .home_fd = -1 };
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: store-tool COMMAND HOME [ARG...]\n");
		return EXIT_USAGE;
	}
	t.home = argv[2];
	dir_make_all(AT_FDCWD, t.home, 0700);
	t.home_fd = open(t.home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t.home_fd < 0) {
		perror(t.home);
		return EXIT_ERROR;
	}
	r = run(&t, argv[1], argv + 3);
	diag_done(&t.d);
	close(t.home_fd);
	/* A full disk is told from other failures: tests want just that. */
	return r == 0 ? 0 : r == -ENOSPC || r == -EDQUOT ? 28 : EXIT_ERROR;
}
