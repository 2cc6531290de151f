#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test-modules.sh DIR: installs the npm packages that the tests compare with or run against
# (tests/package.json) into DIR/test-modules, if what is there is not just that.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-build}/test-modules
cmp -s tests/package.json "$dir/installed.json" && exit 0
echo "Installing the tests' npm packages into $dir"
mkdir -p "$dir"
cp tests/package.json "$dir/package.json"
rm -f "$dir/installed.json"
npm install --prefix "$dir" --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error
cp tests/package.json "$dir/installed.json"
