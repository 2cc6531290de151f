#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
# A server that is killed while readers are in its mount for the first time: what waits gets an error and
# the next command works, also where a thread of the server hangs in the kernel, storing a page that a
# reader's request has locked (userspace/engine/mount/stuck.c). With the guard against that out of the way
# it comes about within a second.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SRC/tests/lib/fuse-uring.sh"

[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"
[ "$(id -u)" = 0 ] || skip_all "this needs root, to see the server's threads"
unshare -m true 2>/dev/null || skip_all "this root may not mount"
export CRATONS_FUSED=$BUILD/bin/cratons-fused
ingest=$BUILD/test/store-ingest enter=$BUILD/test/mount-enter
home=$T/store
nobody_home

mkdir -p src
for d in 1 2 3 4; do
	mkdir src/d$d
	head -c 1800000 /dev/urandom | split -a 3 -b 3000 --additional-suffix=.js - src/d$d/f
done
chmod -R a+rX src

gone() { ! kill -0 "$1" 2>/dev/null; }
wait_for() { # SECONDS COMMAND...: until it succeeds
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do [ "$(date +%s)" -lt $end ] || return 1; sleep 0.05; done
}

# Eight that read all files, each in an order of its own: $readers, and $server.
read_all() { # command to become who reads...
	rm -f "$home/server"
	"$@" "$enter" "$home" -- sh -c 'cd "$MNT/$1" && find . -type f >/dev/null && echo $SERVER >"$2/pid" &&
		mv "$2/pid" "$2/server"
		for i in 1 2 3 4 5 6 7 8; do find . -type f | shuf | xargs cat >/dev/null 2>&1 & done; wait' \
		sh "$tree" "$home" 2>/dev/null &
	readers=$!
	wait_for 10 test -s "$home/server" && server=$(cat "$home/server")
}

# The next command, where it may have the kernel give a connection up or may not.
next() { "$@" "$enter" "$home" -- sh -c 'cmp "$MNT/$1/d1/faaa.js" "$2/src/d1/faaa.js"' sh "$tree" "$T"; }
may_abort='mountpoint -q /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections; exec "$@"'
may_not='! mountpoint -q /sys/fs/fuse/connections || umount /sys/fs/fuse/connections; exec "$@"'

# What hangs where, for who has to find out why.
stacks() {
	local p
	for p in $(pgrep -g 0; pgrep -x cratons-fused); do
		echo "$p $(tr '\0' ' ' <"/proc/$p/cmdline" | head -c 60) $(cat "/proc/$p/stack" | tr '\n' ' ')"
	done 2>/dev/null
}

killed() { # how many times, and how its requests come
	local i bad=
	for i in $(seq "$1"); do
		read_all
		sleep 0.0$((RANDOM % 90 + 10))
		kill -9 "$server"
		next timeout 9 unshare -m sh -c "$may_abort" sh || bad="$bad next-$i"
		wait_for 30 gone "$server" || bad="$bad server-$i"
		wait_for 30 gone "$readers" || bad="$bad readers-$i $(stacks)"
	done
	is "$bad" "" "killed $1 times while eight read, $2: the next command works, nothing hangs"
	kill -9 "$("$enter" "$home" -- sh -c 'echo $SERVER')"
}

# Until a thread of the server hangs, which then is killed.
hang() { # command to become who reads...
	local seen=0 end=$(($(date +%s) + 20))
	read_all "$@"
	while [ $seen -lt 4 ] && [ "$(date +%s)" -lt $end ]; do
		grep -q '^State:.D' /proc/"$server"/task/*/status 2>/dev/null && seen=$((seen + 1)) || seen=0
		sleep 0.03
	done
	kill -9 "$server"
	sleep 0.3
	[ "$(awk '/^State:/ { print $2 }' /proc/"$server"/status)" = Z ]
}

mkdir -p "$home"
tree=$("$ingest" --packages "$home" "$T/src")
export CRATONS_FUSED_URING=0
killed 5 "through the device"
export CRATONS_FUSED_URING=1
if fuse_uring_on >"$T/reason"; then
	at_end fuse_uring_off
	killed 5 "by io_uring"
	fuse_uring_off
else
	skip "killed while eight read, by io_uring" "$(cat "$T/reason")"
fi

export CRATONS_FUSED_URING=0 CRATONS_FUSED_GUARD_US=600000000
for who in root user; do
	as=
	if [ $who = user ]; then
		as="setpriv --reuid $NOBODY --regid $NOBODY --clear-groups"
		home=$T/store-user
		mkdir -p "$home" && chown $NOBODY:$NOBODY "$home"
		tree=$($as "$ingest" --packages "$home" "$T/src")
	fi
	if hang $as; then
		ok "$who: a killed server cannot end"
		succeeds "$who: the next command works at once" \
			next timeout 9 unshare -m sh -c "$may_abort" sh $as
		wait_for 5 gone "$server" && ok "$who: and has freed it" || not_ok "$who: and has freed it"
		wait_for 5 gone "$readers" && ok "$who: what waited has ended" ||
			not_ok "$who: what waited has ended"
	else
		skip "$who: a killed server that cannot end" "it did not come about"
	fi
	$as "$enter" "$home" -- sh -c 'kill -9 $SERVER'
done

# By itself: the kernel looks every 15 seconds.
export CRATONS_FUSED_TIMEOUT=1
if hang $as; then
	ok "without a next command: a killed server cannot end"
	if wait_for 40 gone "$server"; then
		ok "the kernel's time-out frees it"
		wait_for 5 gone "$readers" && ok "and what waited" || not_ok "and what waited"
	elif dpkg --compare-versions "$(uname -r | cut -d- -f1)" lt 6.15 2>/dev/null; then
		skip "the kernel's time-out frees it" "before 6.15 there is none"
	else
		not_ok "the kernel's time-out frees it"
	fi
	next unshare -m sh -c "$may_abort" sh $as
else
	skip "a killed server that cannot end, freed by a time-out" "it did not come about"
fi
$as "$enter" "$home" -- sh -c 'kill -9 $SERVER'
finish
