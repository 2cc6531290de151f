// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/environment.h"

#include "engine/scripts/build.h"
#include "prim/err.h"

#include <errno.h>

/* Counted up when a layout changes, so that an environment composed the old way is made anew. */
#define LAYOUT_VERSION 2

static void add_text(struct hasher *h, struct str s)
{
	uint64_t n = s.n;

	hash_add(h, &n, sizeof(n));
	hash_add(h, s.p, s.n);
}

struct digest environment_key(struct str manifest, struct str lock, bool production)
{
	struct digest node = build_host_node();
	struct platform host = platform_host();
	uint8_t how[2] = { LAYOUT_VERSION, production };
	struct hasher h;

	hash_init(&h);
	add_text(&h, STR("cratons environment"));
	hash_add(&h, how, sizeof(how));
	add_text(&h, host.os);
	add_text(&h, host.cpu);
	add_text(&h, host.libc);
	hash_add(&h, node.b, DIGEST_SIZE);
	add_text(&h, manifest);
	add_text(&h, lock);
	return hash_end(&h);
}

int environment_find(struct cas *c, const struct digest *key, struct environment_fact *ret)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	int r = cas_fact_get(c, CAS_ENVIRONMENT, str_of(key->b, DIGEST_SIZE), &value);

	if (r < 0)
		return r;
	if (value.len != sizeof(*ret))
		return -ENOENT;
	memcpy(ret, value.data, sizeof(*ret));
	return cas_has_tree(c, &ret->tree) &&
	       (digest_is_zero(&ret->node) || cas_has_tree(c, &ret->node)) ? 0 : -ENOENT;
}

/* compose's callbacks with the caller's data behind them. */
struct opener {
	struct cas *cas;
	const struct compose_options *how;
};

static const struct digest *tree_of(void *data, const struct lock_package *p)
{
	struct opener *o = data;

	return o->how->tree_of(o->how->data, p);
}

static int open_tree(void *data, const struct digest *digest, const struct tree **ret,
	struct diag *d)
{
	struct opener *o = data;

	return cas_tree(o->cas, digest, ret, d);
}

int environment_compose(struct cas_writer *w, const struct lockfile *l,
	const struct lock_root *root, const struct compose_options *how, struct digest *ret,
	struct diag *d)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct opener opener = { cas_writer_cas(w), how };
	struct compose_options o = *how;
	int r = tree_builder_new(&b);

	o.tree_of = tree_of;
	o.open_tree = open_tree;
	o.data = &opener;
	if (r < 0)
		return diag_errno(d, r, "composing the environment");
	for (const struct ecosystem *const *e = ecosystems(); *e && r == 0; e++)
		r = (*e)->compose(l, root, &o, b, d);
	return r < 0 ? r : cas_writer_tree(w, b, ret, d);
}
