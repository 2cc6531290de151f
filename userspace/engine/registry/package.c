// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/registry.h"

void package_free(struct package *p)
{
	struct arena arena;

	if (!p)
		return;
	/* The package may itself be in its arena or beside it: it is always allocated by itself. */
	arena = p->arena;
	free(p);
	arena_done(&arena);
}

int release_load(const struct package *p, const struct release *r, struct diag *d)
{
	if (r->loaded || !p->load)
		return 0;
	/* What is loaded on demand counts as there from the start: hence the const outside. */
	return p->load((struct package *)p, (struct release *)r, d);
}
