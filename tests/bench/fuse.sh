#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fuse.sh [DIR]: the mount against the same tree on the file system that DIR (a node_modules) is on:
# walking all names with their attributes, and reading all .js. Three states: warm; after dropping
# all caches, of both sides; first touch, by a server that just started, with the store in the page
# cache (against the warm tree). What reaches the server comes through the device, or by io_uring where
# that can be enabled: rows of their own, as a warm tree asks nothing. "eight" is eight readers at once,
# each with the whole tree. Medians of RUNS (5) in milliseconds, as a table and in O/bench/fuse.json.
# Dropping caches needs root; without, that state is left out.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-${BUILD:-$top/build}}
before=$(node "$top/tests/bench/lib.js")
RUNS=${RUNS:-5}
export CRATONS_FUSED=${CRATONS_FUSED:-$O/bin/cratons-fused}
tmp=$(mktemp -d /tmp/cratons-bench.XXXXXX)
cleanup()
{
	[ ! -e "$tmp/home/run" ] || stop
	fuse_uring_off
	rm -rf "$tmp"
}
. "$top/tests/lib/fuse-uring.sh"
trap cleanup EXIT

dir=${1:-}
if [ -z "$dir" ]; then
	cp -r "$top/tests/bench/app650/." "$tmp/app"
	(cd "$tmp/app" && npm install --ignore-scripts --no-audit --no-fund >"$tmp/npm.log" 2>&1)
	dir=$tmp/app/node_modules
fi
dir=$(realpath "$dir")
home=$tmp/home
# Each package below node_modules becomes a tree and a pack of its own.
tree=$("$O/test/store-ingest" --modules "$home" "$dir")

enter() { "$O/test/mount-enter" "$home" -- "$@"; }
stop()
{
	local pid
	pid=$(enter sh -c 'echo $SERVER' 2>/dev/null) && kill "$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
}
# This file system alone: a sync of all waits for whatever other mount is stuck.
drop() { sync -f "$dir"; sync -f "$tmp"; echo 3 >/proc/sys/vm/drop_caches; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ms() { awk '{ print $4 }'; }

walk_disk() { "$O/test/tree-walk" "$dir" | ms; }
read_disk() { "$O/test/tree-walk" -r .js "$dir" | ms; }
walk_fuse() { enter sh -c '"$1" "$MNT/$2"' sh "$O/test/tree-walk" "$tree" | ms; }
read_fuse() { enter sh -c '"$1" -r .js "$MNT/$2"' sh "$O/test/tree-walk" "$tree" | ms; }
eight() # COMMAND...: the time until the last has ended
{
	local i from=${EPOCHREALTIME/./}
	for i in 1 2 3 4 5 6 7 8; do "$@" >/dev/null & done
	wait
	echo $(((${EPOCHREALTIME/./} - from) / 1000))
}
eight_disk() { eight "$O/test/tree-walk" -r .js "$dir"; }
export -f eight
eight_fuse() { enter bash -c 'eight "$1" -r .js "$MNT/$2"' bash "$O/test/tree-walk" "$tree"; }
store_cached() { find "$home/store" -type f -exec cat {} + >/dev/null; }

repeat() # COMMAND BEFORE...
{
	local i cmd=$1
	shift
	for i in $(seq "$RUNS"); do
		for before in "$@"; do $before; done
		$cmd
	done | median
}

declare -A disk fuse
transports=device
fuse_uring_on >&2 && transports="device rings"
cold=
[ "$(id -u)" != 0 ] || [ -n "${NO_DROP:-}" ] || cold=y
measure() # WHAT TRANSPORT: a server's first touch, and after dropping the caches
{
	export CRATONS_FUSED_URING=$([ $2 = rings ] && echo 1 || echo 0)
	store_cached
	fuse[$1-first-$2]=$(repeat $1_fuse stop)
	[ -n "$cold" ] && [ $1 != eight ] || return 0
	enter true
	fuse[$1-cold-$2]=$(repeat $1_fuse "enter true" drop)
}
for what in walk read eight; do
	read_disk >/dev/null; read_fuse >/dev/null
	disk[$what-warm]=$(repeat ${what}_disk)
	fuse[$what-warm-device]=$(repeat ${what}_fuse)
	disk[$what-first]=${disk[$what-warm]}
	[ -z "$cold" ] || disk[$what-cold]=$(repeat ${what}_disk drop)
	for transport in $transports; do measure $what $transport; done
done

json=
printf '%-6s %-6s %-7s %10s %10s %7s\n' what state by disk-ms mount-ms ratio
for what in walk read eight; do
	for row in warm-device first-device first-rings cold-device cold-rings; do
		[ -n "${fuse[$what-$row]:-}" ] || continue
		state=${row%-*} by=${row#*-} d=${disk[$what-${row%-*}]} m=${fuse[$what-$row]}
		ratio=$(awk -v a="$m" -v b="$d" 'BEGIN { printf "%.2f", a / b }')
		printf '%-6s %-6s %-7s %10s %10s %7s\n' $what $state $by "$d" "$m" "$ratio"
		json="$json${json:+,}
  {\"what\":\"$what\",\"state\":\"$state\",\"by\":\"$by\",\"disk_ms\":$d,\"mount_ms\":$m,\"ratio\":$ratio}"
	done
done
mkdir -p "$O/bench"
printf '{"machine":{"before":%s,"after":%s},"runs":%s,"results":[%s\n]}\n' "$before" \
	"$(node "$top/tests/bench/lib.js")" "$RUNS" "$json" >"$O/bench/fuse.json"
