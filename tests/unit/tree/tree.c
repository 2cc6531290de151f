// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/tree.h"

#include "prim/err.h"
#include "tree/tree-format.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

static struct digest digest_of(const char *text)
{
	return hash_bytes(text, strlen(text));
}

static int file(struct tree_builder *b, const char *path, const char *text)
{
	struct digest d = digest_of(text);

	return tree_builder_file(b, str_from(path), false, strlen(text), &d, NULL, 0);
}

static void large(struct tree_builder *b, const char *path)
{
	struct digest d = digest_of(path), chunks[3] = { digest_of("0"), digest_of("1"), digest_of("2") };

	cr_assert_eq(tree_builder_file(b, str_from(path), true, 2 * TREE_CHUNK + 1, &d, chunks, 3), 0);
}

static struct tree *end(struct tree_builder *b, struct buf *bytes)
{
	struct digest d;
	struct tree *t;

	cr_assert_eq(tree_builder_end(b, bytes, &d), 0);
	cr_assert_eq(tree_open(&t, bytes->data, bytes->len, &d, NULL), 0);
	return t;
}

/* A tree with one of everything. */
static void sample(struct buf *ret, bool backwards)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct digest sub = digest_of("sub"), d;

	cr_assert_eq(tree_builder_new(&b), 0);
	for (int i = 0; i < 6; i++) {
		switch (backwards ? 5 - i : i) {
		case 0:
			cr_assert_eq(file(b, "package.json", "{}"), 0);
			break;
		case 1:
			cr_assert_eq(file(b, "lib/deep/er/index.js", "1"), 0);
			break;
		case 2:
			large(b, "lib/native.node");
			break;
		case 3:
			cr_assert_eq(tree_builder_symlink(b, STR("bin/x"), STR("../lib/native.node")), 0);
			break;
		case 4:
			cr_assert_eq(tree_builder_subtree(b, STR("lib/dep"), &sub), 0);
			break;
		case 5:
			cr_assert_eq(tree_builder_dir(b, STR("empty")), 0);
			break;
		}
	}
	cr_assert_eq(tree_builder_end(b, ret, &d), 0);
}

Test(tree, order_of_building_does_not_change_the_bytes)
{
	_cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;

	sample(&a, false);
	sample(&b, true);
	cr_assert_eq(a.len, b.len);
	cr_assert_eq(memcmp(a.data, b.data, a.len), 0);
}

Test(tree, what_was_built_is_read)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	_cleanup_(tree_free_p) struct tree *t = NULL;
	struct digest d = digest_of("{}"), sub = digest_of("sub"), one = digest_of("1");
	struct tree_entry e;
	uint32_t i;

	sample(&bytes, false);
	cr_assert_eq(tree_open(&t, bytes.data, bytes.len, NULL, NULL), 0);
	cr_assert_eq(tree_ndirs(t), 6);
	cr_assert_eq(tree_nentries(t), 10);
	cr_assert_eq(tree_lookup(t, STR("package.json"), &i), 0);
	tree_get(t, i, &e);
	cr_assert(e.kind == TREE_FILE && e.size == 2 && !e.executable && e.nchunks == 0);
	cr_assert(digest_eq(&e.digest, &d));
	cr_assert_eq(tree_lookup(t, STR("lib/native.node"), &i), 0);
	tree_get(t, i, &e);
	cr_assert(e.executable && e.nchunks == 3 && digest_eq(&e.chunks[1], &one));
	cr_assert_eq(tree_lookup(t, STR("bin/x"), &i), 0);
	tree_get(t, i, &e);
	cr_assert(e.kind == TREE_SYMLINK && str_is(e.target, "../lib/native.node"));
	cr_assert_eq(e.target.p[e.target.n], '\0', "strings end in NUL for those who need it");
	cr_assert_eq(tree_lookup(t, STR("lib/dep"), &i), 0);
	tree_get(t, i, &e);
	cr_assert(e.kind == TREE_SUBTREE && digest_eq(&e.digest, &sub));
	cr_assert_eq(tree_lookup(t, STR("lib/deep/er/index.js"), &i), 0);
	cr_assert_eq(tree_lookup(t, STR("lib/dep/x"), &i), -ENOTDIR);
	cr_assert_eq(tree_lookup(t, STR("lib/no"), &i), -ENOENT);
	cr_assert_eq(tree_lookup(t, STR(""), &i), -ENOENT);
	cr_assert_eq(tree_lookup(t, STR("lib/"), &i), -ENOENT);
	cr_assert_eq(tree_lookup(t, STR("empty"), &i), 0);
	tree_get(t, i, &e);
	cr_assert_eq(tree_dir_count(t, e.dir), 0);
	cr_assert_eq(tree_dir_parent(t, e.dir), 0);
}

Test(tree, entries_are_sorted_bytewise)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	_cleanup_(tree_free_p) struct tree *t = NULL;
	const char *want[] = { "A", "a", "a-b", "a.b", "ab", "b", "\xc3\xa9" };
	struct tree_entry e;

	cr_assert_eq(tree_builder_new(&b), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		cr_assert_eq(file(b, want[(i * 3) % ARRAY_SIZE(want)], "x"), 0);
	t = end(b, &bytes);
	for (uint32_t i = 0; i < ARRAY_SIZE(want); i++) {
		tree_get(t, i, &e);
		cr_assert(str_is(e.name, want[i]));
	}
}

Test(tree, an_empty_tree_is_a_tree)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	_cleanup_(tree_free_p) struct tree *t = NULL;

	cr_assert_eq(tree_builder_new(&b), 0);
	t = end(b, &bytes);
	cr_assert_eq(tree_ndirs(t), 1);
	cr_assert_eq(tree_nentries(t), 0);
}

Test(tree, paths_that_are_not_names_are_refused)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/." };
	char long_name[258], deep[2 * TREE_DEPTH_MAX + 8];
	struct digest d = digest_of("x");

	cr_assert_eq(tree_builder_new(&b), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(file(b, bad[i], "x"), -EINVAL, "%s", bad[i]);
		cr_assert_eq(tree_builder_dir(b, str_from(bad[i])), -EINVAL, "%s", bad[i]);
	}
	cr_assert_eq(tree_builder_file(b, str_of("a\0b", 3), false, 1, &d, NULL, 0), -EINVAL);
	cr_assert_eq(tree_builder_symlink(b, STR("l"), STR("")), -EINVAL);
	cr_assert_eq(tree_builder_symlink(b, STR("l"), str_of("a\0b", 3)), -EINVAL);
	memset(long_name, 'n', sizeof(long_name));
	cr_assert_eq(tree_builder_dir(b, str_of(long_name, 256)), -EINVAL);
	cr_assert_eq(tree_builder_dir(b, str_of(long_name, 255)), 0);
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 ? '/' : 'd';
	cr_assert_eq(tree_builder_dir(b, str_of(deep, 2 * TREE_DEPTH_MAX + 1)), -EINVAL);
	cr_assert_eq(tree_builder_dir(b, str_of(deep, 2 * TREE_DEPTH_MAX - 1)), 0);
}

Test(tree, what_is_there_is_not_replaced)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct digest d = digest_of("x"), chunk = d;

	cr_assert_eq(tree_builder_new(&b), 0);
	cr_assert_eq(file(b, "a", "x"), 0);
	cr_assert_eq(file(b, "a", "x"), -EEXIST);
	cr_assert_eq(file(b, "a/b", "x"), -EEXIST);
	cr_assert_eq(tree_builder_dir(b, STR("a")), -EEXIST);
	cr_assert_eq(tree_builder_dir(b, STR("d")), 0);
	cr_assert_eq(tree_builder_dir(b, STR("d")), 0);
	cr_assert_eq(tree_builder_symlink(b, STR("d"), STR("a")), -EEXIST);
	cr_assert_eq(tree_builder_file(b, STR("c"), false, 3, &d, &chunk, 1), -EINVAL, "wrong chunks");
}

Test(tree, graft_copies_everything_below_a_path)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL, *again = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT, grafted = BUF_INIT, copy = BUF_INIT;
	_cleanup_(tree_free_p) struct tree *t = NULL, *g = NULL;
	struct digest d;
	uint32_t i;

	sample(&bytes, false);
	cr_assert_eq(tree_open(&t, bytes.data, bytes.len, NULL, NULL), 0);
	cr_assert_eq(tree_builder_new(&b), 0);
	cr_assert_eq(tree_builder_graft(b, STR("node_modules/x"), t), 0);
	g = end(b, &grafted);
	cr_assert_eq(tree_lookup(g, STR("node_modules/x/lib/deep/er/index.js"), &i), 0);
	cr_assert_eq(tree_lookup(g, STR("node_modules/x/empty"), &i), 0);
	cr_assert_eq(tree_builder_new(&again), 0);
	cr_assert_eq(tree_builder_graft(again, STR(""), t), 0);
	cr_assert_eq(tree_builder_end(again, &copy, &d), 0);
	cr_assert(digest_eq(&d, tree_digest(t)), "grafted at the root it is the same tree");
}

Test(tree, a_wrong_digest_is_told_from_a_malformed_tree)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct digest other = digest_of("other");
	struct tree *t = NULL;

	sample(&bytes, false);
	cr_assert_eq(tree_open(&t, bytes.data, bytes.len, &other, NULL), -ERR_DIGEST);
	bytes.data[0] ^= 1;
	cr_assert_eq(tree_open(&t, bytes.data, bytes.len, NULL, NULL), -ERR_TREE);
	cr_assert_null(t);
}

Test(tree, cut_anywhere_or_with_more_behind_it_is_refused)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct tree *t = NULL;

	sample(&bytes, false);
	for (size_t n = 0; n < bytes.len; n++)
		cr_assert_eq(tree_open(&t, bytes.data, n, NULL, NULL), -ERR_TREE);
	cr_assert_eq(tree_open(&t, bytes.data, bytes.len + 1, NULL, NULL), -ERR_TREE);
}

/* True if what `t` holds, built again, gives the same bytes. */
static bool canonical(const struct tree *t, const struct buf *bytes)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct digest d;

	return tree_builder_new(&b) == 0 && tree_builder_graft(b, STR(""), t) == 0 &&
		tree_builder_end(b, &again, &d) == 0 && again.len == bytes->len &&
		memcmp(again.data, bytes->data, again.len) == 0;
}

Test(tree, no_changed_bit_is_accepted_unless_it_is_another_canonical_tree)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	size_t accepted = 0;

	sample(&bytes, false);
	for (size_t i = 0; i < 8 * bytes.len; i++) {
		struct tree *t = NULL;

		bytes.data[i / 8] ^= (char)(1 << i % 8);
		if (tree_open(&t, bytes.data, bytes.len, NULL, NULL) == 0) {
			cr_assert(canonical(t, &bytes), "bit %zu", i);
			accepted++;
			tree_free(t);
		}
		bytes.data[i / 8] ^= (char)(1 << i % 8);
	}
	/* Digests, names, targets, sizes, the executable flag are free; structure is not. */
	cr_assert_gt(accepted, 256);
	cr_assert_lt(accepted, 8 * bytes.len);
}

Test(tree, five_thousand_entries_open_in_no_time)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct timespec from, to;
	char path[64];
	struct digest d;
	long best = 1000000000;

	cr_assert_eq(tree_builder_new(&b), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "dir%d/sub%d/file%d.js", i % 20, i % 70, i);
		cr_assert_eq(file(b, path, "x"), 0);
	}
	cr_assert_eq(tree_builder_end(b, &bytes, &d), 0);
	for (int i = 0; i < 20; i++) {
		struct tree *t;

		clock_gettime(CLOCK_MONOTONIC, &from);
		cr_assert_eq(tree_open(&t, bytes.data, bytes.len, &d, NULL), 0);
		clock_gettime(CLOCK_MONOTONIC, &to);
		tree_free(t);
		best = MIN(best, (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec);
	}
	cr_log_info("5,000 entries, %zu bytes: %ld us", bytes.len, best / 1000);
	cr_assert_lt(best, 50000000);
}
