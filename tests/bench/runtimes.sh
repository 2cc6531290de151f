#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# runtimes.sh [--runs N] [--many N]: `cratons container run -- true` beside bubblewrap, crun and runc with
# the same namespaces, mounts, masks, no capabilities and no_new_privs: one after another, many at once,
# and what each holds in memory while its command sleeps. With and without the same list of system
# calls, which crun and runc compile each time. Medians; the programs take turns.
#
# crun refuses a host whose cgroups are half v1, half v2, so all run in a mount namespace in which
# /sys/fs/cgroup is v2; and none makes a cgroup: crun is told so (--cgroup-manager=disabled), runc does
# without where it runs as in a user namespace (--rootless). What this costs them nothing, it spares them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
export O=${O:-${BUILD:-$top/build}}
[ "$(id -u)" = 0 ] || { echo "runtimes.sh: runc and crun make such containers here only as root" >&2; exit 0; }
if [ -z "${RUNTIMES_ALONE:-}" ]; then
	RUNTIMES_ALONE=y exec unshare --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' sh "$0" "$@"
fi
exec python3 "$top/tests/bench/runtimes.py" "$O" "$top" "$@"
