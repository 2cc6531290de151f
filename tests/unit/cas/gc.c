// SPDX-License-Identifier: GPL-2.0-or-later
/* What gc takes and what it leaves. */
#include "store.h"

/* A project folder and its root. */
static void set_root(struct cas_writer *w, const struct scratch *h, const char *name,
	const struct digest *tree)
{
	char path[128];

	cr_assert(mkdirat(h->fd, name, 0700) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s", h->path, name);
	cr_assert_eq(cas_root_set(w, str_from(path), tree, 1, NULL), 0);
}

static void gc(const struct scratch *h, struct cas_usage *freed)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(h);
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(cas_gc(w, NULL, freed, &d), 0, "%s", buf_text(&d.what));
}

Test(gc, keeps_roots_and_what_they_reach_and_nothing_else)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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
	_cleanup_(scratch_done) struct scratch h = scratch_new();
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

/* The environment is not complete any more when a package of it is put aside, twice over. */
Test(gc, what_is_well_of_a_damaged_environment_stays)
{
	_cleanup_(scratch_done) struct scratch h = scratch_new();
	_cleanup_(cas_writer_free_p) struct cas_writer *w = writer(&h);
	struct digest packages[2] = { put_package(w, 1, 20, true, "a"), put_package(w, 2, 20, false, "b") };
	struct digest e = tree_of_all(w, packages, 2);
	uint64_t checked, bad;
	struct cas_usage freed;
	char command[256];

	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	set_root(w, &h, "project", &e);
	cas_writer_free(TAKE_PTR(w));
	snprintf(command, sizeof(command), "for f in %s/store/objects/*/*; do echo x >>$f; done", h.path);
	cr_assert_eq(system(command), 0);
	w = writer(&h);
	cr_assert_eq(cas_verify(w, false, NULL, NULL, &checked, &bad, NULL), 0);
	cr_assert_eq(bad, 1);
	cas_writer_free(TAKE_PTR(w));
	for (int i = 0; i < 2; i++) {
		gc(&h, &freed);
		cr_assert_eq(freed.packs, 0);
	}
	w = writer(&h);
	cr_assert(!cas_writer_want(w, &e) && !cas_writer_want(w, &packages[0]));
	cr_assert(cas_writer_want(w, &packages[1]), "the other package is there");
	packages[0] = put_package(w, 1, 20, true, "a");
	tree_of_all(w, packages, 2);
	cr_assert_eq(cas_writer_flush(w, NULL), 0);
	cr_assert(cas_writer_want(w, &e));
}
