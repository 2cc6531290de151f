#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: vm=600 lsm=lockdown,yama,integrity,bpf
#
# A kernel without Landlock: doctor says so, containers start behind their other walls, and these hold.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
has_not "$(cat /sys/kernel/security/lsm)" landlock "this kernel has none"
has "$(cratons doctor | tr -s ' ')" "missing landlock not in force: the mounts stand alone" "doctor says so"
succeeds "a container starts" cratons container run --rm -- true
exits 50 "one that is to be bound to TCP ports does not" cratons container run --rm --tcp-connect 443 -- true
for test in container/walls.sh probes/run; do
	WAYS=container UIDS=$NOBODY PARTS="files network processes" PROBES="read-only|device|unix|outside|listen" \
		"$SRC/tests/$test" >"$T/log" 2>&1 && ok "$test: $(grep -c ^ok "$T/log") checks" ||
		not_ok "$test" "$(grep -A8 '^not ok' "$T/log" || tail -n 20 "$T/log")"
done
finish
