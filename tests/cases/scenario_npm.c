// SPDX-License-Identifier: GPL-2.0-or-later
/* As much of npm as the resolver asks for, until registry/npm reads requirements itself. */
#include "scenario.h"

#include "engine/registry/npm/semver.h"

static int requirement_parse(struct str alias, struct str text, struct arena *a,
	struct dependency *ret, struct diag *d)
{
	*ret = (struct dependency){ .alias = alias, .name = alias, .requirement = text };
	if (str_starts(text, STR("npm:"))) {
		size_t at = str_find(text, '@', 5);

		ret->name = str_slice(text, 4, at);
		ret->requirement = str_slice(text, at + 1, SIZE_MAX);
	}
	return 0;
}

static const struct ecosystem npm = {
	.name = "npm", .versions = &npm_versions, .requirement_parse = requirement_parse,
};

const struct ecosystem *ecosystem_find(struct str name)
{
	return str_is(name, "npm") ? &npm : NULL;
}
