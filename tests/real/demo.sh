#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
# The demo does its job: with a store that is empty, and as an ordinary user too.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

# The demo works below the build directory that it is given; its programs are the real ones.
mkdir build && ln -s "$BUILD/bin" build/bin
succeeds "the demo" "$SRC/tests/demo/run" build
has "$out" '"node_modules is FUSE":true' "from the mount"
has "$out" '"write into it":"EROFS"' "which is read-only"

if ! nobody_home; then
	skip "as an ordinary user" "this is no root, so the first run was that"
else
	mkdir -p nobody/build && ln -s "$BUILD/bin" nobody/build/bin
	chown -R $NOBODY:$NOBODY nobody
	succeeds "as an ordinary user" as_nobody "$SRC/tests/demo/run" nobody/build
	has "$out" '"hello":"Cratons"' "it answers"
fi
finish
