#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What doctor says on hosts that lack something, each made in namespaces of its own: the wall, and what helps,
# once.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
unshare -Ur true 2>/dev/null || skip_all "no user namespaces here"
where() { # COMMANDS...: what doctor says after them
	unshare -Urm sh -c "$1; cratons doctor" 2>&1
}

usual=$(cratons doctor)
has "$usual" "without  FUSE mount            there is no store yet" "a host on which nothing was installed yet lacks nothing by that"

out=$(where 'echo 0 >/proc/sys/user/max_user_namespaces')
has "$out" "next: sysctl -w user.max_user_namespaces" "no user namespaces: what helps"
is "$(grep -c 'next: sysctl -w user' <<<"$out")" 1 "said once"
has "$out" "missing  overlay               not known without the user namespace" "what falls with them says so"
err=$(unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; cratons container run -- true' 2>&1)
has "$err" "refuses the user namespace" "and so does run"

out=$(where 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys')
has "$out" "systempaths=unconfined" "a /proc of another runtime's: what helps"
is "$(grep -c systempaths <<<"$out")" 1 "said once"

if [ -r "$BUILD/bin/cratons" ]; then
	out=$(cratons container run --rm --ro-bind "$BUILD/bin:/b" -- /b/cratons doctor 2>&1)
	has "$out" "there is no container in one" "in a container of Cratons"
fi
finish
