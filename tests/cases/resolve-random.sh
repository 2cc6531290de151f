#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# Made-up registries, always the same ones; CRATONS_SEED makes others.
exec "$BUILD/test/resolve-cases" --random 1000 "${CRATONS_SEED:-1}"
