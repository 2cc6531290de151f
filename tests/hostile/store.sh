#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# A byte is changed in every kind of file of a store, at places spread over all of it; files are cut,
# emptied, swapped and removed. Whatever is done: nothing wrong is served, no program crashes, and
# after the next write the store is whole again.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
tool=$BUILD/test/store-tool
[ -x "$tool" ] || skip_all "$tool is not built"

"$tool" put "$T/good" 0 3 || { not_ok "a store is made"; finish; }

# trouble NAME: judges the store in $T/s.
trouble() {
	local out rc
	out=$("$tool" read "$T/s" 0 3 2>&1)
	rc=$?
	[ $rc -eq 0 ] || { not_ok "$1: reading" "status $rc: $out"; return 1; }
	out=$("$tool" verify "$T/s" 2>&1)
	rc=$?
	[ $rc -eq 0 ] || { not_ok "$1: verifying" "status $rc: $out"; return 1; }
	out=$("$tool" heal "$T/s" 0 3 2>&1)
	rc=$?
	[ $rc -eq 0 ] || { not_ok "$1: healing" "status $rc: $out"; return 1; }
	out=$("$tool" read "$T/s" 0 3 2>&1)
	[ "$out" = "3 0 0" ] || { not_ok "$1: after healing" "$out"; return 1; }
	out=$("$tool" verify "$T/s" dry 2>&1)
	[ "${out##* }" = 0 ] || { not_ok "$1: verifying again" "$out"; return 1; }
}

fresh() {
	rm -rf "$T/s"
	cp -a "$T/good" "$T/s"
	# A copy has other inodes: the index is one that was left, not one to be made anew.
	"$tool" gc "$T/s" >/dev/null
}

flip() { # file offset
	python3 - "$1" "$2" <<'P'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(int(sys.argv[2])); b = f.read(1)
    f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 0x24]))
P
}

# every KIND STEPS: one file of the kind, changed at that many places, one at a time.
every() {
	local file size at bad=0 n=0
	for ((i = 0; i < $2; i++)); do
		fresh
		file=$(find "$T/s/store/$1" -type f -size +0 | LC_ALL=C sort | head -n 1)
		size=$(stat -c %s "$file")
		at=$((i * (size - 1) / ($2 - 1)))
		flip "$file" $at
		n=$((n + 1))
		trouble "$1, byte $at of $size" || bad=$((bad + 1))
	done
	[ $bad -gt 0 ] || ok "$1: $n places"
}

every packs 25
every objects 7
every trees 25
every roots 7
every index/data.mdb 25
every index/state 7
every index/lock.mdb 4
every version 2

for how in ': >"$f"' 'rm "$f"' 'truncate -s -1 "$f"' 'echo >>"$f"' 'rm "$f"; mkdir "$f"' \
	'rm "$f"; ln -s /etc/passwd "$f"'; do
	bad=0
	for kind in packs objects trees roots index/data.mdb index/state; do
		fresh
		f=$(find "$T/s/store/$kind" -type f | LC_ALL=C sort | head -n 1)
		eval "$how"
		trouble "$kind: $how" || bad=$((bad + 1))
	done
	[ $bad -gt 0 ] || ok "each kind: $how"
done

for kind in packs trees; do
	fresh
	mapfile -t f < <(find "$T/s/store/$kind" -type f | LC_ALL=C sort | head -n 2)
	mv "${f[0]}" "$T/x"; mv "${f[1]}" "${f[0]}"; mv "$T/x" "${f[1]}"
	trouble "$kind: two swapped" && ok "$kind: two swapped"
done

for kind in packs objects trees index leases staging documents quarantine roots lock reserve; do
	fresh
	rm -rf "$T/s/store/$kind"
	trouble "$kind: removed" && ok "$kind: removed"
done
finish
