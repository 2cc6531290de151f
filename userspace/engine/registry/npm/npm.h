/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The npm ecosystem: https://docs.npmjs.com/cli/configuring-npm/package-json and its registry. */
#ifndef CRATONS_NPM_H
#define CRATONS_NPM_H

#include "engine/registry/registry.h"

extern const struct ecosystem npm_ecosystem;

#endif
