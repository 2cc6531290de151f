#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
# All of mount.sh once more, with the kernel's requests coming by io_uring.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/lib/fuse-uring.sh"
# What it prints is not caught by $( ), which would be a process of its own with the lock.
reason=$(mktemp)
if ! fuse_uring_on >"$reason"; then
	echo "1..0 # SKIP $(cat "$reason")"
	rm -f "$reason"
	exit 0
fi
trap 'fuse_uring_off; rm -f "$reason"' EXIT
trap 'exit 130' INT TERM HUP
RINGS=y "$top/tests/cases/mount.sh"
