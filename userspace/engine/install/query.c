// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/query.h"

#include "engine/install/install-priv.h"
#include "prim/err.h"

#include <errno.h>

/* Installs nothing: the first steps, then the question, then what was learnt is kept. */
static int ask(struct installation *i, query_fn fn, void *data)
{
	struct resolve_source source;
	int r = step_read(i);

	if (r == 0)
		r = step_open(i);
	if (r == 0)
		r = installation_go_online(i);
	if (r < 0)
		return r;
	source = metadata_source(i->metadata, NULL, NULL);
	r = fn(data, i->manifest, &source, i->diag);
	if (r >= 0)
		(void)cas_writer_flush(i->writer, NULL);
	return r;
}

int query(const struct project *p, const struct install_options *o, query_fn fn, void *data,
	struct diag *d)
{
	_cleanup_(installation_done) struct installation i = {
		.project = p,
		.options = o,
		.diag = d,
	};

	return ask(&i, fn, data);
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
