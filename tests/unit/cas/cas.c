// SPDX-License-Identifier: GPL-2.0-or-later
#include "store.h"

#include <pthread.h>
#include <sys/wait.h>

Test(cas, what_was_put_is_read_after_a_flush)
{
	_cleanup_(home_done) struct home h = home_new();
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
	_cleanup_(home_done) struct home h = home_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest ours = put_package(w, 1, 20, false, ""), theirs;
	int ends[2], status;
	pid_t pid;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct home again = h;
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
	_cleanup_(home_done) struct home h = home_new();
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
	_cleanup_(home_done) struct home h = home_new();
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
	_cleanup_(home_done) struct home h = home_new();
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
	_cleanup_(home_done) struct home h = home_new();
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
	_cleanup_(home_done) struct home h = home_new();
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

static struct digest tree_of(struct cas_writer *w, const struct digest *sub)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct digest t;

	cr_assert_eq(tree_builder_new(&b), 0);
	cr_assert_eq(tree_builder_subtree(b, STR("node_modules/x"), sub), 0);
	cr_assert_eq(cas_writer_tree(w, b, &t, NULL), 0);
	return t;
}

Test(cas, a_tree_that_reaches_what_is_not_there_is_refused)
{
	_cleanup_(home_done) struct home h = home_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest no = hash_bytes("no", 2), t = tree_of(w, &no);

	cr_assert_eq(cas_writer_flush(w, NULL), -ESTALE);
	cr_assert_not(cas_has_tree(cas_writer_cas(w), &t));
	cr_assert_eq(cas_writer_flush(w, NULL), 0, "the queue was dropped");
}

/* A project folder and its root. */
static void set_root(struct cas_writer *w, const struct home *h, const char *name,
	const struct digest *tree)
{
	char path[128];

	cr_assert(mkdirat(h->fd, name, 0700) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s", h->path, name);
	cr_assert_eq(cas_root_set(w, str_from(path), tree, 1, NULL), 0);
}

static void gc(const struct home *h, struct cas_usage *freed)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(h);
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(cas_gc(w, NULL, freed, &d), 0, "%s", buf_text(&d.what));
}

Test(gc, keeps_roots_and_what_they_reach_and_nothing_else)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h);
	struct digest a = put_package(w, 1, 20, true, "a"), b = put_package(w, 2, 20, true, "b");
	struct digest e = tree_of(w, &a);
	_cleanup_(cas_free_p) struct cas *c = NULL;
	_cleanup_buf_ struct buf buf = BUF_INIT;
	struct cas_usage freed, u;
	int bad;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	set_root(w, &h, "project", &e);
	gc(&h, &freed);
	cr_assert_eq(freed.trees, 0, "the session that put them lives");
	cas_writer_free(w);
	gc(&h, &freed);
	cr_assert_eq(freed.trees, 1);
	cr_assert_eq(freed.packs, 1);
	cr_assert_eq(freed.large, 1);
	cr_assert_eq(cas_open(&c, h.fd, NULL), 0);
	cr_assert(cas_has_tree(c, &e) && cas_has_tree(c, &a) && !cas_has_tree(c, &b));
	cr_assert_eq(read_all(c, &a, &bad), 21);
	cr_assert_eq(cas_fact_get(c, CAS_SOURCE, STR("a"), &buf), 0);
	cr_assert_eq(cas_fact_get(c, CAS_SOURCE, STR("b"), &buf), -ENOENT);
	unlinkat(h.fd, "project", AT_REMOVEDIR);
	gc(&h, &freed);
	cr_assert_eq(freed.trees, 2, "the project is gone");
	cr_assert_eq(cas_usage(c, &u, NULL), 0);
	cr_assert(u.objects == 0 && u.packs == 0 && u.large == 0 && u.trees == 0);
}

Test(gc, dry_counts_the_same_and_removes_nothing)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 20, true, "a");
	struct cas_gc_options o = { .dry = true };
	struct cas_usage would, did;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cas_writer_free(w);
	w = writer(&h);
	cr_assert_eq(cas_gc(w, &o, &would, NULL), 0);
	cr_assert(cas_has_tree(cas_writer_cas(w), &t));
	cr_assert_eq(cas_gc(w, NULL, &did, NULL), 0);
	cr_assert_eq(memcmp(&would, &did, sizeof(did)), 0);
	cr_assert_eq(did.trees, 1);
	cas_writer_free(w);
}

Test(gc, a_wanted_tree_stays_as_long_as_the_session)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h);
	struct digest a = put_package(w, 1, 5, false, "a"), e = tree_of(w, &a);
	struct cas_usage freed;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cas_writer_free(w);
	w = writer(&h);
	cr_assert(cas_writer_want(w, &e));
	gc(&h, &freed);
	cr_assert_eq(freed.trees, 0);
	cr_assert(cas_has_tree(cas_writer_cas(w), &a));
	cas_writer_free(w);
	gc(&h, &freed);
	cr_assert_eq(freed.trees, 2);
}

Test(gc, what_it_took_from_under_a_put_is_told)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h), *other;
	struct cas_usage freed;
	struct digest t;
	int bad;

	put_package(w, 1, 30, true, "a");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cas_writer_free(w);
	w = writer(&h);
	other = writer(&h);
	t = put_package(w, 1, 30, true, "b");	/* relies on what is there */
	cr_assert_eq(cas_gc(other, NULL, &freed, NULL), 0);
	cr_assert_eq(cas_writer_flush(w, NULL), -ESTALE);
	t = put_package(w, 1, 30, true, "b");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(read_all(cas_writer_cas(w), &t, &bad), 31);
	cas_writer_free(w);
	cas_writer_free(other);
}

/* Half of a package's files are another's too; when it dies, its pack shrinks to these. */
Test(gc, a_pack_that_is_mostly_dead_is_written_anew)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h);
	struct digest few, all = put_package(w, 7, 300, false, "all");
	struct cas_usage before, after, freed;
	int bad;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	few = put_package(w, 7, 60, false, "few");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	set_root(w, &h, "project", &few);
	cr_assert_eq(cas_usage(cas_writer_cas(w), &before, NULL), 0);
	cas_writer_free(w);
	gc(&h, &freed);
	w = writer(&h);
	cr_assert_eq(cas_usage(cas_writer_cas(w), &after, NULL), 0);
	cr_assert_eq(after.packs, 1);
	cr_assert_lt(after.bytes, before.bytes - 200000);
	cr_assert_not(cas_has_tree(cas_writer_cas(w), &all));
	cr_assert_eq(read_all(cas_writer_cas(w), &few, &bad), 60);
	cas_writer_free(w);
}

static int count_roots(void *data, const struct cas_root *root)
{
	++*(int *)data;
	return root->n == 1 ? 0 : -EINVAL;
}

Test(cas, roots_are_listed_replaced_and_removed)
{
	_cleanup_(home_done) struct home h = home_new();
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

/* Changes a byte in the middle of the first file of a kind. */
/* Changes a file at or below store/`where`. */
static void damage(const struct home *h, const char *where)
{
	char command[512];

	snprintf(command, sizeof(command), "f=$(find %s/store/%s -type f -size +100c | head -1); "
		"printf '\\377\\376\\375' | dd of=$f bs=1 seek=$(($(stat -c %%s $f) / 3)) "
		"conv=notrunc status=none", h->path, where);
	cr_assert_eq(system(command), 0);
}

static void count_bad(void *data, const char *path, const char *why)
{
	++*(int *)data;
}

static void heals(const char *kind)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 40, true, "a"), other = put_package(w, 2, 40, true, "b");
	struct digest e = tree_of(w, &t), again;
	uint64_t checked, bad_count;
	struct cas *c;
	int bad, n = 0;

	char where[128], hex[DIGEST_HEX];

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cas_writer_free(w);
	/* Of the trees the first package's: the environment's would take no package with it. */
	digest_hex(&t, hex);
	if (strcmp(kind, "trees") == 0)
		snprintf(where, sizeof(where), "trees/%.2s/%s", hex, hex);
	else
		snprintf(where, sizeof(where), "%s", kind);
	damage(&h, where);
	w = writer(&h);
	c = cas_writer_cas(w);
	cr_assert_eq(cas_verify(w, true, count_bad, &n, &checked, &bad_count, NULL), 0);
	cr_assert_eq(n, 1);
	cr_assert_eq(bad_count, 1);
	cr_assert(cas_writer_want(w, &t) && cas_writer_want(w, &other), "dry changes nothing");
	cr_assert_eq(cas_verify(w, false, count_bad, &n, &checked, &bad_count, NULL), 0);
	cr_assert_eq(n, 2);
	cr_assert(!cas_writer_want(w, &t) || !cas_writer_want(w, &other));
	cr_assert(cas_writer_want(w, &t) || cas_writer_want(w, &other), "the other is whole");
	cr_assert_eq(cas_writer_want(w, &e), cas_writer_want(w, &t));
	again = put_package(w, 1, 40, true, "a");
	cr_assert(digest_eq(&again, &t));
	put_package(w, 2, 40, true, "b");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(read_all(c, &t, &bad), 41);
	cr_assert_eq(read_all(c, &other, &bad), 41);
	cr_assert_eq(cas_verify(w, true, NULL, NULL, &checked, &bad_count, NULL), 0);
	cr_assert_eq(bad_count, 0);
	cas_writer_free(w);
}

Test(verify, a_damaged_pack_is_put_aside_and_filled_again)
{
	heals("packs");
}

Test(verify, a_damaged_large_object_is_put_aside_and_filled_again)
{
	heals("objects");
}

Test(verify, a_damaged_tree_is_put_aside_and_filled_again)
{
	heals("trees");
}

Test(quarantine, what_is_well_stays)
{
	_cleanup_(home_done) struct home h = home_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 5, true, "a"), no = hash_bytes("no", 2);
	const struct tree *tree;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_tree(cas_writer_cas(w), &t, &tree, NULL), 0);
	for (uint32_t i = 0; i < tree_nentries(tree); i++) {
		struct tree_entry e;

		tree_get(tree, i, &e);
		if (e.kind == TREE_FILE)
			cr_assert_eq(cas_quarantine(w, &e.digest, NULL), 0);
	}
	cr_assert_eq(cas_quarantine(w, &t, NULL), 0);
	cr_assert_eq(cas_quarantine(w, &no, NULL), 0);
	cr_assert(cas_writer_want(w, &t));
}

/* A handle that had a damaged file open finds the one that replaced it. */
Test(quarantine, a_reader_that_was_there_before_is_healed_too)
{
	_cleanup_(home_done) struct home h = home_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 10, true, "a");
	_cleanup_(cas_free_p) struct cas *c = NULL;
	const struct tree *tree;
	int bad;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_open(&c, h.fd, NULL), 0);
	cr_assert_eq(read_all(c, &t, &bad), 11);
	damage(&h, "objects");
	damage(&h, "packs");
	read_all(c, &t, &bad);
	cr_assert_eq(bad, 2);
	cr_assert_eq(cas_tree(c, &t, &tree, NULL), 0);
	for (uint32_t i = 0; i < tree_nentries(tree); i++) {
		struct tree_entry e;

		tree_get(tree, i, &e);
		if (e.kind == TREE_FILE)
			cr_assert_eq(cas_quarantine(w, &e.digest, NULL), 0);
	}
	cr_assert_not(cas_writer_want(w, &t));
	put_package(w, 1, 10, true, "a");
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(read_all(c, &t, &bad), 11);
	cr_assert_eq(bad, 0);
}

/* Every way in which the index may not be as it was left. */
Test(index, is_made_anew_from_the_files)
{
	_cleanup_(home_done) struct home h = home_new();
	static const char *const ways[] = {
		"rm -r index", "rm index/state", "rm index/data.mdb", ": >index/data.mdb",
		"truncate -s 5000 index/data.mdb", "head -c 100000 /dev/urandom >index/data.mdb",
		"printf x | dd of=index/data.mdb bs=1 seek=24 conv=notrunc status=none",
		"printf x | dd of=index/state bs=1 seek=50 conv=notrunc status=none",
		"touch index/data.mdb", "rm -r index; : >index", "rm -rf index; mkdir index; mkdir index/data.mdb",
		"cp -a index i2; rm -r index; mv i2 index",
		"head -c 9000 /dev/urandom >index/lock.mdb; touch index/data.mdb",
	};
	struct cas_writer *w = writer(&h);
	struct digest t = put_package(w, 1, 30, true, "a"), b = put_package(w, 2, 30, true, "b");
	struct digest e = tree_of(w, &t);

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cas_writer_free(w);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_diag_ struct diag d = DIAG_INIT;
		_cleanup_buf_ struct buf fact = BUF_INIT;
		char command[512];
		struct cas *c = NULL;
		int bad;

		snprintf(command, sizeof(command), "cd %s/store; %s", h.path, ways[i]);
		cr_assert_eq(system(command), 0);
		cr_assert_eq(cas_open(&c, h.fd, &d), -ERR_STORE, "%s", ways[i]);
		cr_assert_eq(cas_writer_open(&w, h.fd, &d), 0, "%s: %s", ways[i], buf_text(&d.what));
		cr_assert(cas_writer_want(w, &t) && cas_writer_want(w, &b) && cas_writer_want(w, &e));
		cr_assert_eq(read_all(cas_writer_cas(w), &t, &bad), 31);
		cr_assert_eq(cas_fact_get(cas_writer_cas(w), CAS_SOURCE, STR("b"), &fact), 0);
		cas_writer_free(w);
		cr_assert_eq(cas_open(&c, h.fd, &d), 0, "%s", ways[i]);
		cas_free(c);
	}
}

Test(index, one_that_is_replaced_is_taken_up_by_who_had_it_open)
{
	_cleanup_(home_done) struct home h = home_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h), *other = writer(&h);
	_cleanup_(cas_free_p) struct cas *c = NULL;
	struct digest a = put_package(w, 1, 10, true, "a"), b;
	char command[256];
	int bad;

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert_eq(cas_open(&c, h.fd, NULL), 0);
	snprintf(command, sizeof(command), "rm %s/store/index/state", h.path);
	cr_assert_eq(system(command), 0);
	b = put_package(other, 2, 10, true, "b");
	cr_assert_eq(cas_writer_flush(other, NULL), 0);
	cr_assert(cas_writer_want(w, &a) && cas_writer_want(w, &b));
	cr_assert_eq(read_all(c, &a, &bad), 11);
	cr_assert_eq(read_all(c, &b, &bad), 11);
}

Test(cas, another_format_is_refused)
{
	_cleanup_(home_done) struct home h = home_new();
	struct cas_writer *w = NULL;
	struct cas *c = NULL;

	cr_assert_eq(cas_open(&c, h.fd, NULL), -ERR_STORE_MISSING);
	cas_writer_free(writer(&h));
	cr_assert_eq(file_replace(h.fd, "store/version", "2\n", 2, 0600), 0);
	cr_assert_eq(cas_open(&c, h.fd, NULL), -ERR_STORE_VERSION);
	cr_assert_eq(cas_writer_open(&w, h.fd, NULL), -ERR_STORE_VERSION);
}

/* A server has the index mapped when something happens to the file. */
Test(index, damaged_while_it_is_open_fails_lookups_and_nothing_else)
{
	static const char *const ways[] = {
		"truncate -s 0 index/data.mdb", "truncate -s 8192 index/data.mdb",
		"head -c 200000 /dev/urandom | dd of=index/data.mdb conv=notrunc status=none",
		"head -c 200000 /dev/zero | dd of=index/data.mdb conv=notrunc status=none",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_(home_done) struct home h = home_new();
		struct cas_writer *w = writer(&h);
		struct digest t = put_package(w, 1, 300, false, "a"), b = put_package(w, 2, 9, true, "b");
		_cleanup_(cas_free_p) struct cas *c = NULL;
		char command[256];
		int bad;

		cr_assert_eq(cas_writer_flush(w, NULL), 0);
		cas_writer_free(w);
		cr_assert_eq(cas_open(&c, h.fd, NULL), 0);
		cr_assert_eq(read_all(c, &b, &bad), 10);
		snprintf(command, sizeof(command), "cd %s/store; %s", h.path, ways[i]);
		cr_assert_eq(system(command), 0);
		read_all(c, &t, &bad);
		cr_assert_gt(bad, 0, "%s", ways[i]);
		w = writer(&h);
		cr_assert_eq(read_all(c, &t, &bad), 300, "once made anew, it is found: %s", ways[i]);
		cas_writer_free(w);
	}
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
	_cleanup_(home_done) struct home h = home_new();
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
