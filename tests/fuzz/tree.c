// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes: what tree_open accepts is read in every way, and built again it is the same bytes. */
#include "tree/tree.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct tree *t)
{
	for (uint32_t d = 0; d < tree_ndirs(t); d++) {
		uint32_t first = tree_dir_first(t, d);

		assert(tree_dir_parent(t, d) < tree_ndirs(t));
		for (uint32_t i = first; i < first + tree_dir_count(t, d); i++) {
			struct tree_entry e;
			struct hasher h;
			uint32_t at;

			tree_get(t, i, &e);
			assert(tree_find(t, d, e.name, &at) == 0 && at == i);
			assert(e.name.p[e.name.n] == '\0');
			hash_init(&h);
			hash_add(&h, e.chunks, e.nchunks * sizeof(*e.chunks));
			hash_add(&h, e.target.p, e.target.n);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(tree_free_p) struct tree *t = NULL;
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct digest d;

	if (tree_open(&t, data, size, NULL, NULL) < 0)
		return 0;
	read_all(t);
	assert(tree_builder_new(&b) == 0);
	assert(tree_builder_graft(b, STR(""), t) == 0);
	assert(tree_builder_end(b, &again, &d) == 0);
	assert(again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}
