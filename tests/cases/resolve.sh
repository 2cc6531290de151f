#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Resolver scenarios; tests/cases/resolve/README says how to add one.
exec "$BUILD/test/resolve-cases" "$SRC"/tests/cases/resolve/*.txt
