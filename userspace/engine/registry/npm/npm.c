// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/npm.h"

#include "engine/registry/npm/layout.h"
#include "engine/registry/npm/package.h"
#include "engine/registry/npm/semver.h"

const struct ecosystem npm_ecosystem = {
	.name = "npm",
	.default_registry = "https://registry.npmjs.org/",
	.versions = &npm_versions,
	.compose = npm_compose,
	.unpack = npm_unpack,
	.mount_point = "node_modules",
};
