/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store in a folder of its own, and what tests put into it. */
#ifndef CRATONS_TESTS_UNIT_CAS_STORE_H
#define CRATONS_TESTS_UNIT_CAS_STORE_H

#include "cas/cas-write.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <stdio.h>

static inline struct cas_writer *writer(const struct scratch *h)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct cas_writer *w = NULL;

	cr_assert_eq(cas_writer_open(&w, h->fd, &d), 0, "%s", buf_text(&d.what));
	return w;
}

static inline void fill(char *bytes, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (char)(seed >> 16);
	}
}

/* A package of `n` small files and, with large, one of 200,000 bytes; contents follow from seed. */
static inline struct digest put_package(struct cas_writer *w, unsigned seed, int n, bool large,
	const char *source)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(cas_put_free_p) struct cas_put *p = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	static __thread char bytes[200000];
	struct digest tree = { 0 };
	struct cas_file f;
	char path[64];

	cr_assert_eq(tree_builder_new(&b), 0);
	cr_assert_eq(cas_put_new(&p, w), 0);
	for (int i = 0; i < n; i++) {
		size_t len = (size_t)(i * 37 % 3000);

		fill(bytes, len, seed * 1000 + (unsigned)i);
		snprintf(path, sizeof(path), "lib/f%d.js", i);
		cr_assert_eq(cas_put_file(p, bytes, len, &f, &d), 0, "%s", buf_text(&d.what));
		cr_assert_eq(tree_builder_file(b, str_from(path), false, f.size, &f.digest, f.chunks,
			f.nchunks), 0);
	}
	if (large) {
		fill(bytes, sizeof(bytes), seed);
		cr_assert_eq(cas_put_file(p, bytes, sizeof(bytes), &f, &d), 0);
		cr_assert_eq(tree_builder_file(b, STR("large.bin"), true, f.size, &f.digest, f.chunks,
			f.nchunks), 0);
	}
	cr_assert_eq(cas_put_commit(p, b, str_from(source), &tree, &d), 0, "%s", buf_text(&d.what));
	return tree;
}

/* A tree that has others below it. */
static inline struct digest tree_of_all(struct cas_writer *w, const struct digest *subs, int n)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct digest t;
	char path[32];

	cr_assert_eq(tree_builder_new(&b), 0);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "node_modules/x%d", i);
		cr_assert_eq(tree_builder_subtree(b, str_from(path), &subs[i]), 0);
	}
	cr_assert_eq(cas_writer_tree(w, b, &t, NULL), 0);
	return t;
}

static inline struct digest tree_of(struct cas_writer *w, const struct digest *sub)
{
	return tree_of_all(w, sub, 1);
}

/* Reads every file of a tree: the number of files read well; *ret_bad of those that were not. */
static inline int read_all(struct cas *c, const struct digest *digest, int *ret_bad)
{
	static __thread char bytes[1 << 20];
	const struct tree *t;
	int good = 0, bad = 0;

	if (cas_tree(c, digest, &t, NULL) < 0) {
		*ret_bad = 1;
		return 0;
	}
	for (uint32_t i = 0; i < tree_nentries(t); i++) {
		struct tree_entry e;
		struct digest got;
		ssize_t n;

		tree_get(t, i, &e);
		if (e.kind != TREE_FILE)
			continue;
		n = cas_read(c, &e, 0, bytes, sizeof(bytes), NULL);
		if (n < 0) {
			bad++;
			continue;
		}
		got = hash_bytes(bytes, (size_t)n);
		cr_assert(digest_eq(&got, &e.digest), "wrong bytes were served");
		good++;
	}
	*ret_bad = bad;
	return good;
}

#endif
