// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are not as they were written: found, put aside, filled again. */
#include "store.h"

/* Changes a file at or below store/`where`. */
static void damage(const struct scratch *h, const char *where)
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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

/* A server has the index mapped when something happens to the file. */
Test(index, damaged_while_it_is_open_fails_lookups_and_nothing_else)
{
	static const char *const ways[] = {
		"truncate -s 0 index/data.mdb", "truncate -s 8192 index/data.mdb",
		"head -c 200000 /dev/urandom | dd of=index/data.mdb conv=notrunc status=none",
		"head -c 200000 /dev/zero | dd of=index/data.mdb conv=notrunc status=none",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_(scratch_done) struct scratch h = scratch_new();
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
