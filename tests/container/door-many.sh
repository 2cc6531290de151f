#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=400 alone
#
# Ten thousand connections through one door at once, held open and then used in both directions, also where a
# process may hold 4,096 descriptors: what they cost in memory, and that they cost no processor.
if [ "${1-}" != inside ]; then
	user=$([ "$(id -u)" = 0 ] || echo -Ur)
	unshare $user -n true 2>/dev/null || { echo "1..0 # SKIP no namespaces of its own"; exit 0; }
	exec unshare $user -n "$0" inside
fi
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$BUILD/bin/cratons-egress" "$T/bin"
cp "$SRC/tests/container/door-many.py" "$T/many"
ip link set lo up
ip addr add 93.184.216.34/32 dev lo
uids=$(id -u)
[ "$uids" != 0 ] || ! setpriv --reuid $NOBODY --clear-groups true 2>/dev/null || uids="0 $NOBODY"
python=$(command -v /usr/bin/python3) || skip_all "no /usr/bin/python3"
n=10000
[ "$(ulimit -Hn)" -ge 20000 ] || n=2000
[[ $BUILD != */san ]] || n=2000
$python "$T/many" server 93.184.216.34 >"$T/ready" &
server=$!
at_end "kill $server"
for i in {1..100}; do grep -q ready "$T/ready" && break; sleep 0.1; done
# What they cost without a door is not the door's.
read -r _ _ base _ <<<"$($python "$T/many" measure $n $python "$T/many" client 93.184.216.34)"
for uid in $uids; do
	become=
	[ "$uid" = "$(id -u)" ] || become="setpriv --reuid $uid --regid $uid --clear-groups"
	for limit in "$(ulimit -Hn)" 4096; do
		name="uid $uid, $limit descriptors a process"
		out=$(ulimit -n $limit; $python "$T/many" measure $n $become "$T/bin/sandbox-tool" --ro-bind "$T/many:/many" \
			--net 93.184.216.34:9001-9004 -- /usr/bin/python3 /many client 93.184.216.34 2>"$T/err")
		read -r open said kib own ticks processes <<<"$(tail -n 1 <<<"$out")"
		is "$open" $n "$name: $n connections are open at once"
		is "$said" $n "$name: each carries bytes both ways"
		if [[ $BUILD == */san ]]; then
			skip "$name: memory" "a sanitizer has its own"
		elif [ $(((kib - base) / n)) -lt 16 ]; then
			ok "$name: less than 16 KiB each ($(((kib - base) * 10 / n)) tenths, of which $((own * 10 / n)) the helper's $processes processes)"
		else
			not_ok "$name: less than 16 KiB each" "$kib KiB, and $base without a door"
		fi
		if [ "$ticks" -le 3 ]; then ok "$name: and no processor ($ticks ticks in 3 s)"; else not_ok "$name: and no processor" "$ticks ticks in 3 s"; fi
	done
done
finish
