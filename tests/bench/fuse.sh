#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fuse.sh [DIR]: the mount against the same tree on the file system that DIR (a node_modules) is on:
# walking all names with their attributes, and reading all .js. Three states: warm; after dropping
# all caches, of both sides; first touch, by a server that just started, with the store in the page
# cache (against the warm tree). Medians of RUNS (5) in milliseconds, as a table and in O/bench/fuse.json.
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
	rm -rf "$tmp"
}
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
for what in walk read; do
	read_disk >/dev/null; read_fuse >/dev/null
	disk[$what-warm]=$(repeat ${what}_disk)
	fuse[$what-warm]=$(repeat ${what}_fuse)
	disk[$what-first]=${disk[$what-warm]}
	store_cached
	fuse[$what-first]=$(repeat ${what}_fuse stop)
	if [ "$(id -u)" = 0 ] && [ -z "${NO_DROP:-}" ]; then
		enter true
		disk[$what-cold]=$(repeat ${what}_disk drop)
		fuse[$what-cold]=$(repeat ${what}_fuse "enter true" drop)
	fi
done

json=
printf '%-6s %-6s %10s %10s %7s\n' what state disk-ms mount-ms ratio
for what in walk read; do
	for state in warm first cold; do
		key=$what-$state
		[ -n "${fuse[$key]:-}" ] || continue
		ratio=$(awk -v a="${fuse[$key]}" -v b="${disk[$key]}" 'BEGIN { printf "%.2f", a / b }')
		printf '%-6s %-6s %10s %10s %7s\n' $what $state "${disk[$key]}" "${fuse[$key]}" "$ratio"
		json="$json${json:+,}
  {\"what\":\"$what\",\"state\":\"$state\",\"disk_ms\":${disk[$key]},\"mount_ms\":${fuse[$key]},\"ratio\":$ratio}"
	done
done
mkdir -p "$O/bench"
printf '{"machine":{"before":%s,"after":%s},"runs":%s,"results":[%s\n]}\n' "$before" \
	"$(node "$top/tests/bench/lib.js")" "$RUNS" "$json" >"$O/bench/fuse.json"
