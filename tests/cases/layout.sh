#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Layouts of node_modules: small lockfiles and the trees that they give.
exec "$BUILD/test/layout-cases" "$SRC"/tests/cases/layout/*.txt
