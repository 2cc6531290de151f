#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=900
#
# Kernels whose Landlock is older, or that have none: what stands there without it stands, and what is
# missing is said. Here they are this kernel's older self (older-landlock); in the virtual machine, whose
# kernel has ABI 2, walls.sh is run as it is, and no-landlock.sh where there is none.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root, to answer for the kernel"
abi=$("$BUILD/test/sandbox-tool" doctor | sed -n 's/^landlock scopes.*ABI \([0-9]*\).*/\1/p')

all_pass() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$T/log" 2>&1; then ok "$name: $(grep -c ^ok "$T/log") checks"
	else not_ok "$name" "$(grep -A8 '^not ok' "$T/log" || tail -n 20 "$T/log")"; fi
}
doctor() { "$BUILD/test/older-landlock" "$1" cratons doctor | tr -s ' '; }

for n in 0 1 2 3 4 5 6; do
	[ "$n" -lt "${abi:-0}" ] || { skip "ABI $n" "this kernel has ABI ${abi:-0}"; continue; }
	[ $n -ge 2 ] && wanted="ok landlock" || wanted="missing landlock not in force: the mounts stand alone"
	said=$(doctor $n)
	has "$said" "landlock scopes ABI $n: " "doctor names ABI $n"
	is "$(grep -E ' landlock( not|$)' <<<"$said")" "$wanted" "ABI $n: and whether it is in force"
	succeeds "ABI $n: a container" "$BUILD/test/older-landlock" $n cratons container run --rm -- true
	case $n in 2 | 4 | 6) continue ;; esac
	all_pass "ABI $n: the walls" "$BUILD/test/older-landlock" $n "$SRC/tests/container/walls.sh"
done
# The attacks that Landlock too would stop, where it does not.
for n in 0 1 3; do
	[ "$n" -lt "${abi:-0}" ] || continue
	WAYS=container PARTS="files network processes" PROBES="read-only|device|unix|outside|listen|granted" \
		all_pass "ABI $n: the attacks that it would stop" "$BUILD/test/older-landlock" $n "$SRC/tests/probes/run"
done
finish
