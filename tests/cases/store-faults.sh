#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# Kills a run at every step that changes the store, and fails every step with a full disk. After each:
# nothing wrong is served, the next run does its work, and gc leaves no garbage. Needs a fault build,
# which it makes.
[ -w /dev/shm ] && export TMPDIR=/dev/shm	# thousands of files that nobody needs on a disk
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
tool=$BUILD/fault/test/store-tool san=
[ "${BUILD##*/}" = san ] && san=SAN=1
make -s -C "$SRC" $san FAULT=1 "${tool#"$SRC"/}" >"$T/make.log" 2>&1 || {
	not_ok "a fault build" "$(tail "$T/make.log")"
	finish
}

CRATONS_FAULT_COUNT_FILE=$T/count "$tool" story "$T/s" || not_ok "the story without faults"
steps=$(cat "$T/count")
[ "${steps:-0}" -gt 100 ] && ok "the store is changed in $steps steps" || not_ok "steps are counted" "$steps"

# judge NAME: the store in $T/s after a fault.
judge() {
	local out rc
	# Reading first: before any writer could have repaired a thing.
	out=$("$tool" read "$T/s" 0 5 2>&1) || { not_ok "$1: reading" "$out"; return 1; }
	out=$("$tool" verify "$T/s" dry 2>&1)
	case $out in *"names what is not there"*) not_ok "$1: the index" "$out"; return 1 ;; esac
	rm -rf "$T/s/p1" "$T/s/p2"
	out=$("$tool" story "$T/s" 2>&1) || { not_ok "$1: the next run" "$out"; return 1; }
	# A pack that was written anew may still lie about as it was.
	"$tool" verify "$T/s" >/dev/null 2>&1
	out=$("$tool" heal "$T/s" 0 5 2>&1) || { not_ok "$1: healing" "$out"; return 1; }
	out=$("$tool" read "$T/s" 0 5 2>&1)
	[ "$out" = "5 0 0" ] || { not_ok "$1: after healing" "$out"; return 1; }
	out=$("$tool" verify "$T/s" dry 2>&1)
	[ "${out##* }" = 0 ] || { not_ok "$1: verifying" "$out"; return 1; }
	out=$(ls "$T/s/store/staging")
	if [ -n "$out" ]; then
		"$tool" gc "$T/s" >/dev/null
		out=$(ls "$T/s/store/staging")
		[ -z "$out" ] || { not_ok "$1: staging is not clean" "$out"; return 1; }
	fi
}

bad=0
for ((n = 1; n <= steps; n++)); do
	rm -rf "$T/s"
	# In a shell of its own: this one would report each death.
	(CRATONS_FAULT_AT=$n "$tool" story "$T/s"; exit $?) >/dev/null 2>&1
	rc=$?
	[ $rc -eq 137 ] || { not_ok "step $n kills"; bad=$((bad + 1)); continue; }
	judge "killed at step $n of $steps" || bad=$((bad + 1))
done
[ $bad -gt 0 ] || ok "killed at each of $steps steps"

bad=0
for ((n = 1; n <= steps; n++)); do
	rm -rf "$T/s"
	CRATONS_FAULT_AT=$n CRATONS_FAULT_MODE=enospc "$tool" story "$T/s" >/dev/null 2>&1
	rc=$?
	# gc gives up its reserve and goes on; a step that only tidies up may be passed over.
	[ $rc -eq 28 ] || [ $rc -eq 0 ] || { not_ok "step $n: status $rc"; bad=$((bad + 1)); continue; }
	judge "disk full at step $n of $steps" || bad=$((bad + 1))
done
[ $bad -gt 0 ] || ok "disk full at each of $steps steps"
finish
