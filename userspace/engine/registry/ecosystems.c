// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"

/* Another ecosystem is a folder beside npm/ and a line here. */
static const struct ecosystem *const all[] = {
	&npm_ecosystem,
	NULL,
};

const struct ecosystem *const *ecosystems(void)
{
	return all;
}

const struct ecosystem *ecosystem_find(struct str name)
{
	for (const struct ecosystem *const *e = all; *e; e++)
		if (str_is(name, (*e)->name))
			return *e;
	return NULL;
}
