// SPDX-License-Identifier: GPL-2.0-or-later
#include "store.h"

#include <pthread.h>
#include <sys/wait.h>

Test(cas, what_was_put_is_read_after_a_flush)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	_cleanup_(cas_free_p) struct cas *c = NULL;
	struct digest t = put_package(w, 1, 50, true, "npm sha512-x"), from;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct cas_place place;
	const struct tree *tree;
	struct tree_entry e;
	uint32_t i;
	int bad;

	cr_assert_not(cas_has_tree(cas_writer_cas(w), &t), "nothing counts before the flush");
	cr_assert_not(cas_writer_want(w, &t));
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert(cas_writer_want(w, &t));
	cr_assert_eq(cas_open(&c, h.fd, NULL), 0);
	cr_assert(cas_has_tree(c, &t));
	cr_assert_eq(read_all(c, &t, &bad), 51);
	cr_assert_eq(bad, 0);
	cr_assert_eq(cas_fact_get(c, CAS_SOURCE, STR("npm sha512-x"), &b), 0);
	cr_assert_eq(b.len, sizeof(from));
	memcpy(&from, b.data, sizeof(from));
	cr_assert(digest_eq(&from, &t));
	cr_assert_eq(cas_tree(c, &t, &tree, NULL), 0);
	cr_assert_eq(tree_lookup(tree, STR("large.bin"), &i), 0);
	tree_get(tree, i, &e);
	cr_assert_eq(cas_locate(c, &e.digest, &place, NULL), 0);
	cr_assert(place.alone && place.size == 200000 && place.offset == 0);
	cr_assert_eq(tree_lookup(tree, STR("lib/f7.js"), &i), 0);
	tree_get(tree, i, &e);
	cr_assert_eq(cas_locate(c, &e.digest, &place, NULL), 0);
	cr_assert(!place.alone && place.size == 7 * 37);
}

/* As an installation does: the child closes what it has from its parent and begins anew. */
Test(cas, a_forks_child_has_a_session_of_its_own)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest ours = put_package(w, 1, 20, false, ""), theirs;
	int ends[2], status;
	pid_t pid;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct scratch again = h;
		struct cas_writer *mine = NULL;

		dup2(ends[1], 3);
		close_range(4, ~0u, 0);
		again.fd = open(h.path, O_RDONLY | O_DIRECTORY);
		if (cas_writer_open(&mine, again.fd, NULL) < 0 || !cas_writer_want(mine, &ours))
			_exit(1);
		theirs = put_package(mine, 2, 20, true, "npm sha512-y");
		if (cas_writer_flush(mine, NULL) < 0 || write(3, &theirs, sizeof(theirs)) < 0)
			_exit(2);
		cas_writer_free(mine);
		_exit(0);
	}
	close(ends[1]);
	cr_assert_eq(read(ends[0], &theirs, sizeof(theirs)), (ssize_t)sizeof(theirs));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	close(ends[0]);
	cr_assert(cas_writer_want(w, &theirs), "what the child put is there for its parent");
	cr_assert(cas_writer_want(w, &ours));
	put_package(w, 3, 20, false, "");
	cr_assert_eq(cas_writer_flush(w, NULL), 0, "whose own session goes on");
}

Test(cas, any_range_of_a_file_is_read)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 2, 0, true, "");
	static char want[200000], got[200000];
	struct cas *c = cas_writer_cas(w);
	const struct tree *tree;
	struct tree_entry e;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_tree(c, &t, &tree, NULL), 0);
	tree_get(tree, 0, &e);
	fill(want, sizeof(want), 2);
	for (uint64_t at = 0; at < 200000; at += 9973)
		for (size_t len = 1; len < 200000; len = len * 5 + 3) {
			size_t expect = MIN(len, (size_t)(200000 - at));

			cr_assert_eq(cas_read(c, &e, at, got, len, NULL), (ssize_t)expect);
			cr_assert_eq(memcmp(got, want + at, expect), 0);
		}
	cr_assert_eq(cas_read(c, &e, 200000, got, 10, NULL), 0);
	cr_assert_eq(cas_read(c, &e, UINT64_MAX, got, 10, NULL), 0);
}

Test(cas, the_same_contents_are_stored_once)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest a = put_package(w, 3, 20, true, "a"), b = put_package(w, 3, 20, true, "b");
	struct cas_usage u;
	int bad;

	cr_assert(digest_eq(&a, &b));
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	put_package(w, 3, 20, true, "c");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_usage(cas_writer_cas(w), &u, NULL), 0);
	cr_assert_eq(u.packs, 1);
	cr_assert_eq(u.large, 1);
	cr_assert_eq(u.trees, 1);
	cr_assert_eq(read_all(cas_writer_cas(w), &a, &bad), 21);
}

Test(cas, a_put_that_is_given_up_leaves_nothing)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	static char bytes[300000];
	struct cas_put *p;
	struct cas_file f;
	struct cas_usage before, after;

	cr_assert_eq(cas_usage(cas_writer_cas(w), &before, NULL), 0);
	cr_assert_eq(cas_put_new(&p, w), 0);
	/* More than a pack takes, so that one is written early. */
	for (unsigned i = 0; i < 700; i++) {
		fill(bytes, 60000, i);
		cr_assert_eq(cas_put_file(p, bytes, 60000, &f, NULL), 0);
	}
	cr_assert_eq(cas_put_file(p, bytes, sizeof(bytes), &f, NULL), 0);
	cr_assert_eq(f.nchunks, 5);
	cas_put_free(p);
	cr_assert_eq(cas_usage(cas_writer_cas(w), &after, NULL), 0);
	cr_assert_eq(after.bytes, before.bytes);
	cr_assert_eq(after.staging_bytes, before.staging_bytes);
}

Test(cas, a_descriptor_gives_the_same_objects)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	static const size_t sizes[] = { 0, 1, TREE_CHUNK, TREE_CHUNK + 1, 5 * TREE_CHUNK, 777777 };
	static char bytes[800000];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_(cas_put_free_p) struct cas_put *p = NULL;
		_cleanup_fd_ int fd = openat(h.fd, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct cas_file a, b;

		fill(bytes, sizes[i], 9);
		cr_assert_eq(fd_write_all(fd, bytes, sizes[i]), 0);
		cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
		cr_assert_eq(cas_put_new(&p, w), 0);
		cr_assert_eq(cas_put_fd(p, fd, sizes[i], &a, NULL), 0);
		cr_assert_eq(cas_put_file(p, bytes, sizes[i], &b, NULL), 0);
		cr_assert(digest_eq(&a.digest, &b.digest));
		cr_assert_eq(a.nchunks, b.nchunks);
		cr_assert_eq(a.nchunks && memcmp(a.chunks, b.chunks, a.nchunks * DIGEST_SIZE), 0);
		cr_assert_eq(a.nchunks, sizes[i] > TREE_CHUNK ? (sizes[i] + TREE_CHUNK - 1) / TREE_CHUNK : 0);
	}
}

Test(cas, facts_small_and_large)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	_cleanup_buf_ struct buf b = BUF_INIT;
	static char bytes[100000];
	struct cas *c = cas_writer_cas(w);

	fill(bytes, sizeof(bytes), 4);
	cr_assert_eq(cas_fact_get(c, CAS_DOCUMENT, STR("https://r/x"), &b), -ENOENT);
	for (size_t len = 0; len < sizeof(bytes); len = len * 2 + 1) {
		buf_reset(&b);
		cr_assert_eq(cas_writer_fact(w, CAS_DOCUMENT, STR("https://r/x"), bytes, len), 0);
		cr_assert_eq(cas_writer_flush(w, NULL), 0);
		cr_assert_eq(cas_fact_get(c, CAS_DOCUMENT, STR("https://r/x"), &b), 0);
		cr_assert(b.len == len && memcmp(buf_text(&b), bytes, len) == 0);
		cr_assert_eq(cas_fact_get(c, CAS_BUILD, STR("https://r/x"), &b), -ENOENT, "own key spaces");
	}
}

Test(cas, a_tree_that_reaches_what_is_not_there_is_refused)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest no = hash_bytes("no", 2), t = tree_of(w, &no);

	cr_assert_eq(cas_writer_flush(w, NULL), -ESTALE);
	cr_assert_not(cas_has_tree(cas_writer_cas(w), &t));
	cr_assert_eq(cas_writer_flush(w, NULL), 0, "the queue was dropped");
}

static int count_roots(void *data, const struct cas_root *root)
{
	++*(int *)data;
	return root->n == 1 ? 0 : -EINVAL;
}

Test(cas, roots_are_listed_replaced_and_removed)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 1, false, ""), no = hash_bytes("no", 2);
	int n = 0;

	cr_assert_eq(cas_root_set(w, STR("/x"), &t, 1, NULL), -ERR_STORE_MISSING, "not flushed");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_root_set(w, STR("/x"), &t, 1, NULL), 0);
	cr_assert_eq(cas_root_set(w, STR("/x"), &t, 1, NULL), 0);
	cr_assert_eq(cas_root_set(w, STR("/y"), &t, 1, NULL), 0);
	cr_assert_eq(cas_root_set(w, STR("/y"), &no, 1, NULL), -ERR_STORE_MISSING);
	cr_assert_eq(cas_root_each(cas_writer_cas(w), count_roots, &n), 0);
	cr_assert_eq(n, 2);
	cr_assert_eq(cas_root_remove(w, STR("/x"), NULL), 0);
	cr_assert_eq(cas_root_remove(w, STR("/x"), NULL), 0);
	n = 0;
	cr_assert_eq(cas_root_each(cas_writer_cas(w), count_roots, &n), 0);
	cr_assert_eq(n, 1);
}

Test(cas, another_format_is_refused)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	struct cas_writer *w = NULL;
	struct cas *c = NULL;

	cr_assert_eq(cas_open(&c, h.fd, NULL), -ERR_STORE_MISSING);
	cas_writer_free(writer(&h));
	cr_assert_eq(file_replace(h.fd, "store/version", "2\n", 2, 0600), 0);
	cr_assert_eq(cas_open(&c, h.fd, NULL), -ERR_STORE_VERSION);
	cr_assert_eq(cas_writer_open(&w, h.fd, NULL), -ERR_STORE_VERSION);
}

struct worker {
	struct cas_writer *w;
	unsigned from;
	struct digest trees[12];
};

static void *work(void *data)
{
	struct worker *k = data;
	int bad;

	for (unsigned i = 0; i < ARRAY_SIZE(k->trees); i++) {
		/* Neighbours put the same packages at the same time. */
		k->trees[i] = put_package(k->w, k->from + i, 40, i % 4 == 0, "x");
		if (i % 3 == 2) {
			cr_assert_eq(cas_writer_flush(k->w, NULL), 0);
			read_all(cas_writer_cas(k->w), &k->trees[i], &bad);
			cr_assert_eq(bad, 0);
		}
	}
	return NULL;
}

Test(cas, several_threads_put_flush_and_read_at_once)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct worker workers[4];
	pthread_t threads[4];
	int bad;

	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
		workers[i] = (struct worker){ .w = w, .from = i * 6 };
		cr_assert_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(workers[i].trees); j++) {
			cr_assert(cas_writer_want(w, &workers[i].trees[j]));
			cr_assert_geq(read_all(cas_writer_cas(w), &workers[i].trees[j], &bad), 40);
		}
}
