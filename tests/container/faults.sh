#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# A container's supervisor, and then who cleans after it, killed at every step that changes anything. After
# each the next command reads what is there, nothing of the container is left running, nothing of it is
# left in cgroups, and when it is removed nothing is left at all. Needs a fault build, which it makes.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
bin=$BUILD/fault/bin san=
[ "${BUILD##*/}" = san ] && san=SAN=1
make -s -C "$SRC" $san FAULT=1 "${bin#"$SRC"/}/cratons" "${bin#"$SRC"/}/cratons-init" \
	"${bin#"$SRC"/}/cratons-egress" >"$T/make.log" 2>&1 || {
	not_ok "a fault build" "$(tail "$T/make.log")"
	finish
}
ok "a fault build"

mark=CRATONS_MARK_$RANDOM$RANDOM
marked() { grep -lazs "^$mark=" /proc/[0-9]*/environ 2>/dev/null | grep -c . ; }
all_gone() {
	for _ in {1..100}; do [ "$(marked)" = 0 ] && return; sleep 0.03; done
	return 1
}
state=$CRATONS_HOME/containers
cgroups() { ls -d /sys/fs/cgroup/{,unified/}cratons/"$1" 2>/dev/null; }

# judge NAME: all is in order, or can be made so by the commands that people use.
judge() {
	local out ids id
	ids=$(ls "$state" 2>/dev/null | grep -v lock)
	all_gone || { not_ok "$1: nothing of it runs" "$(ps ax | grep -v kworker | tail -n 30)"; return 1; }
	out=$(cratons ps --all --json 2>&1) || { not_ok "$1: ps" "$out"; return 1; }
	case $out in *'"status":"running"'* | *'"status":"paused"'* | *'"status":"created"'*) not_ok "$1: ps knows that it ended" "$out"; return 1 ;; esac
	for id in $ids; do
		id=${id%%.*}
		[ -z "$(cgroups "$id")" ] || { not_ok "$1: its cgroup is gone" "$(cgroups "$id")"; return 1; }
	done
	out=$(cratons container run --rm --name same -- true 2>&1) || { not_ok "$1: the next one" "$out"; return 1; }
	out=$(cratons container rm --ended 2>&1) || { not_ok "$1: rm" "$out"; return 1; }
	out=$(ls -A "$state" | grep -v '^lock$')
	[ -z "$out" ] || { not_ok "$1: nothing is left" "$(find "$state")"; return 1; }
}

# kill_each NAME COMMAND...: killed at its first step, its second, until it lives through. SETUP runs before.
kill_each() {
	local name=$1 n bad=0 rc point
	shift
	for ((n = 1; n < 80; n++)); do
		rm -rf "$state"
		eval "${SETUP:-:}" >/dev/null 2>&1
		(CRATONS_FAULT_AT=$n CRATONS_FAULT_VERBOSE=1 "$@"; exit $?) >"$T/out" 2>"$T/err" </dev/null
		rc=$?
		if grep -q '^fault' "$T/err"; then
			point=$(grep '^fault' "$T/err")
		elif [ $rc = 137 ] || [ -n "${DETACHED:-}" ] && grep -q 'ended before its command ran' "$T/err"; then
			point="fault $n"
		elif [ -z "${DETACHED:-}" ]; then
			break
		else
			for _ in {1..100}; do [ "$(cratons ps --json)" != "[]" ] || break; sleep 0.03; done
			all_gone
			case $(cratons ps --all 2>/dev/null) in *lost*) point="fault $n, detached" ;; *) break ;; esac
		fi
		judge "$name: $point" || bad=$((bad + 1))
	done
	[ $n -gt "${LEAST:-5}" ] && [ $n -lt 80 ] || { not_ok "$name: steps" "$n"; bad=1; }
	[ $bad -gt 0 ] || ok "$name: killed at each of $((n - 1)) steps"
}

broken=$bin/cratons
kill_each "in the foreground" "$broken" container run --env "$mark=1" -- sh -c 'sleep 0.05; exit 3'
LEAST=7 kill_each "in the foreground, forgotten" "$broken" container run --rm --env "$mark=1" -- true
DETACHED=y LEAST=10 kill_each "detached" "$broken" container run -d --env "$mark=1" -- sh -c 'echo a; sleep 0.1; echo b'
DETACHED=y kill_each "detached, forgotten" "$broken" container run -d --rm --env "$mark=1" -- sleep 0.1
printf 'version = 1\nbase = "default"\n' >"$T/own.toml"
kill_each "with filters of its own" "$broken" container run --seccomp "$T/own.toml" --env "$mark=1" -- sleep 0.05
kill_each "with a door" "$broken" container run --net 127.0.0.1:9 --env "$mark=1" -- sleep 0.05
SETUP='cratons container run --name x --env "$mark=1" -- true' LEAST=3 \
	kill_each "while one is removed" "$broken" container rm x

# One whose supervisor was killed while it ran, and then who cleans it as well.
leave_lost() {
	cratons container run -d --name x --env "$mark=1" -- sleep 100
	supervisor=$(cratons container inspect x | sed -n 's/.*"supervisor": \([0-9]*\).*/\1/p')
	kill -9 "$supervisor"
	while grep -qs '^State:.[^Z]' "/proc/$supervisor/status"; do sleep 0.01; done
}
SETUP=leave_lost LEAST=3 kill_each "while a lost one is buried" "$broken" ps

rm -rf "$state"
leave_lost >/dev/null
all_gone && ok "when its supervisor is killed, a detached container ends" ||
	not_ok "when its supervisor is killed, a detached container ends"
has "$(cratons ps --all)" "lost" "and is lost"
is "$(cratons container wait x)" 137 "with a status"

# A reboot: the record is of another one, and its numbers are others' now.
sed -i 's/"boot_id":"[^"]*"/"boot_id":"00000000-0000-0000-0000-000000000000"/; s/"status":"lost"/"status":"running"/' \
	"$state"/*/metadata.json
sleep 100 &
other=$!
sed -i "s/\"init\":{\"pid\":[0-9]*/\"init\":{\"pid\":$other/" "$state"/*/metadata.json
has "$(cratons ps --all)" "lost" "one of before a reboot is lost"
kill -0 $other && ok "whoever has its number now lives" || not_ok "whoever has its number now lives"
sed -i "s/\"status\":\"lost\"/\"status\":\"running\"/; s/\"boot_id\":\"[^\"]*\"/\"boot_id\":\"$(cat /proc/sys/kernel/random/boot_id)\"/" \
	"$state"/*/metadata.json
cratons ps >/dev/null
kill -0 $other && ok "also in the same boot: it began at another time" || not_ok "also in the same boot"
kill $other
finish
