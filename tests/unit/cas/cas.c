// SPDX-License-Identifier: GPL-2.0-or-later
#include "store.h"

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

