// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/query.h"

#include "engine/install/install-priv.h"
#include "prim/err.h"

#include <errno.h>

struct question {
	query_fn fn;
	void *data;
};

static int ask(struct installation *i, void *data, struct buf *ret)
{
	const struct question *q = data;
	struct resolve_source source = metadata_source(i->metadata, NULL, NULL);

	return q->fn(q->data, i->manifest, &source, ret, i->diag);
}

/* Installs nothing: the first steps, then the question. */
int query(const struct project *p, const struct install_options *o, query_fn fn, void *data,
	struct buf *ret, struct diag *d)
{
	_cleanup_(installation_done) struct installation i = {
		.project = p,
		.options = o,
		.diag = d,
	};
	struct question q = { fn, data };
	int r = step_read(&i);

	if (r == 0)
		r = step_open(&i);
	return r < 0 ? r : apart_run(&i, ask, &q, ret);
}

int64_t query_now(void)
{
	return installation_now();
}

bool query_is_tag(const struct ecosystem *e, const struct dependency *dep)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct requirement *r;

	return e->versions->requirement(&a, dep->requirement, VERSION_LOOSE, &r) < 0;
}
