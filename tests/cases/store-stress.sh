#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=180
#
# Installs, readers, gc and verification in separate processes on one store, some of them killed at
# odd moments: nobody is served a wrong byte, nobody fails, and what is left is whole. Then a store on
# a disk that is too small.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
tool=$BUILD/test/store-tool
[ -x "$tool" ] || skip_all "$tool is not built"

pids=()
for i in 0 1 2 3; do
	"$tool" live "$T/s" $((i * 6)) $((i * 6 + 12)) 6000 >"$T/live$i" 2>&1 &
	pids+=($!)
done
end=$((SECONDS + 6)) killed=0
while [ $SECONDS -lt $end ]; do
	"$tool" live "$T/s" 3 20 60000 >"$T/victim" 2>&1 &
	victim=$!
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
	kill -9 $victim
	wait $victim 2>/dev/null
	killed=$((killed + 1))
	grep -q WRONG "$T/victim" && not_ok "a process that was killed was served wrong bytes"
done
for i in 0 1 2 3; do
	wait "${pids[$i]}"
	is "$? $(cat "$T/live$i")" "0 " "process $i beside three others and $killed that were killed"
done
out=$("$tool" verify "$T/s" 2>&1)
is "${out##* }" 0 "the store is whole"
exits 0 "everything can be installed" "$tool" heal "$T/s" 0 24
is "$("$tool" read "$T/s" 0 24)" "24 0 0" "and read"
rm -rf "$T"/s/p*
"$tool" gc "$T/s" >/dev/null
sleep 0.1	# files as young as the session that looks at them may be another's
"$tool" gc "$T/s" >/dev/null
is "$(find "$T/s/store" -path '*/packs/*/*' -o -path '*/objects/*/*' -o -path '*/trees/*/*' -o -path '*/staging/*')" "" \
	"with its projects gone, gc empties it"

# full SIZE: installs into a file system of that size until it is full.
full() {
	unshare -m bash -c '
		mount -t tmpfs -o size='"$1"' none "$1" || exit 77
		s=$1/s tool=$2
		err=$("$tool" put "$s" 0 400 2>&1)
		rc=$?
		[ $rc -eq 28 ] || { echo "status $rc: $err"; exit 1; }
		staged=$(find "$s/store/staging" -type f)
		[ -z "$staged" ] || { echo "staging is not clean: $staged"; exit 1; }
		counts=$("$tool" read "$s" 0 400) || { echo "reading: $counts"; exit 1; }
		read -r good bad missing <<<"$counts"
		[ $good -gt 3 ] && [ $bad -eq 0 ] || { echo "good $good, bad $bad"; exit 1; }
		rm -rf "$s"/p[0-9]*
		freed=$("$tool" gc "$s") || { echo "gc on a full disk failed"; exit 1; }
		case $freed in "0 trees"*) echo "gc made no room: $freed"; exit 1 ;; esac
		"$tool" put "$s" 0 3 || { echo "putting after gc failed"; exit 1; }
		[ "$("$tool" read "$s" 0 3)" = "3 0 0" ] || { echo "reading after gc failed"; exit 1; }
	' - "$T/small" "$tool" >"$T/full.log" 2>&1
}
mkdir "$T/small"
for size in 4m 5m 6m 9m; do
	full $size
	rc=$?
	case $rc in
	0) ok "a disk of $size: a clean error, and gc makes room" ;;
	77) skip "a disk of $size" "no mount namespace for a tmpfs: $(head -n 1 "$T/full.log")" ;;
	*) not_ok "a disk of $size" "$(cat "$T/full.log")" ;;
	esac
done
finish
