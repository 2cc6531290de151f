// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"

#include "engine/registry/npm/layout.h"
#include "engine/registry/npm/package.h"
#include "engine/registry/npm/packed.h"
#include "engine/registry/npm/semver.h"
#include "prim/embed.h"

EMBED(policies_npm_extensions_toml);

static struct str extensions(void)
{
	return EMBEDDED(policies_npm_extensions_toml);
}

const struct ecosystem npm_ecosystem = {
	.name = "npm",
	.default_registry = "https://registry.npmjs.org/",
	.versions = &npm_versions,
	.name_valid = npm_name_valid,
	.extensions = extensions,
	.metadata_url = npm_metadata_url,
	.metadata_parse = npm_metadata_parse,
	.metadata_pack = npm_metadata_pack,
	.metadata_unpack = npm_metadata_unpack,
	.requirement_parse = npm_requirement_parse,
	.compose = npm_compose,
	.unpack = npm_unpack,
	.build_plan = npm_build_plan,
	.mount_point = "node_modules",
};
