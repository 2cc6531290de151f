#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
# The FUSE server with a store made from real directories: contents, writes refused, damage, death,
# idleness, replacement, many commands at once. As uid 0 and as an ordinary user.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-$top/build}
ingest=$O/test/store-ingest enter=$O/test/mount-enter check=$O/test/mount-check
export CRATONS_FUSED=$O/bin/cratons-fused
n=0 dir= as= who=

t() # NAME COMMAND...
{
	local name="$who: $1" out
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		[ -z "$out" ] || printf '%s\n' "$out" | head -5 | sed 's/^/# /'
	fi
}
skip() { n=$((n + 1)); echo "ok $n - $who: $1 # SKIP $2"; }

# In the namespaces of the server, with MNT set.
inside() { $as "$enter" "$home" -- /bin/sh -c "$1" sh "${@:2}"; }
wait_for() # SECONDS COMMAND...: until it succeeds
{
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do [ "$(date +%s)" -lt $end ] || return 1; sleep 0.05; done
}

make_tree()
{
	local d=$1 long i
	mkdir -p "$d/many" "$d/dir" "$d/bin" "$d/same/a" "$d/same/b" "$d/w/dir"
	echo text >"$d/file"; : >"$d/empty"; echo w >"$d/w/file"
	head -c 65536 /dev/urandom >"$d/exact"
	head -c 65537 /dev/urandom >"$d/over"
	head -c 5000001 /dev/urandom >"$d/large"
	for i in 100 4096 40000; do head -c $i /dev/urandom >"$d/size-$i"; done
	cp /bin/true "$d/bin/true"; printf '#!/bin/sh\necho ran $1\n' >"$d/bin/script"
	chmod 755 "$d/bin/true" "$d/bin/script"
	echo same >"$d/same/a/x"; cp "$d/same/a/x" "$d/same/b/y"
	cp "$d/same/a/x" "$d/same/b/z"; chmod 755 "$d/same/b/z"
	ln -s ../file "$d/dir/link"; ln -s nowhere "$d/dir/dangling"
	long=$(printf 'n%.0s' $(seq 255)); echo long >"$d/$long"
	printf 'x' >"$d/sp ace"; printf 'x' >"$d/new
line"; printf 'x' >"$d/"$'\xff\xfe'
	(cd "$d" && for i in $(seq 60); do mkdir "deep-$i" && cd "deep-$i"; done && echo down >bottom)
	(cd "$d/many" && for i in $(seq 10000); do echo $((i % 100)) >"entry-$i"; done)
	mkdir -p "$d/app/node_modules/p1/lib" "$d/app/node_modules/@s/p2/lib"
	echo one >"$d/app/node_modules/p1/lib/index.js"
	cp "$d/app/node_modules/p1/lib/index.js" "$d/app/node_modules/@s/p2/lib/index.js"
	cp -r "$d/app/node_modules/p1" "$d/app/node_modules/p3"
	chmod -R a+rX "$d"
}

store_hash() { (cd "$home/store" && find . -type f ! -name 'lock.mdb' -print0 | sort -z | xargs -0 sha256sum | sha256sum); }
no_mount_left() { ! grep -q " $home" /proc/self/mountinfo; }

contents()
{
	t "contents are equal" inside 'diff -r --no-dereference "$MNT/$1" "$2"' $tree "$src"
	t "a second listing, from the caches, is the same" \
		inside 'cd "$MNT/$1" && find . | sort >/dev/null && [ "$(find . | sort | md5sum)" = "$(cd "$2" && find . | sort | md5sum)" ]' $tree "$src"
	t "modes are 444, 555 and the directories' 555" \
		inside 'cd "$MNT/$1" && [ "$(stat -c %a file bin/true dir . | tr "\n" " ")" = "444 555 555 555 " ]' $tree
	t "links are read" inside '[ "$(readlink "$MNT/$1/dir/link")" = ../file ] && [ "$(cat "$MNT/$1/dir/link")" = text ] && ! cat "$MNT/$1/dir/dangling"' $tree
	t "names of 255 bytes, deep paths" inside 'cd "$MNT/$1" && ls | grep -q "^n\{255\}$" && find . -name bottom | grep -q deep-60' $tree
	t "a name of 256 bytes is refused" inside '! stat "$MNT/$1/$(printf "n%.0s" $(seq 256))" 2>/dev/null' $tree
	t "programs and scripts run from it" inside '"$MNT/$1/bin/true" && [ "$("$MNT/$1/bin/script" x)" = "ran x" ]' $tree
	t "mapping a large file gives its bytes" inside '"$2" mmap "$MNT/$1/large" "$3/large"' $tree "$check" "$src"
	t "10,000 entries, telldir and seekdir" inside '"$2" seekdir "$MNT/$1/many" 10000' $tree "$check"
	t "40 threads open and read at once" inside '"$2" opens "$MNT/$1/dir/.." 40' $tree "$check"
	t "odd pieces of a large file" inside 'for o in 0 1 65535 65536 131071 4999999; do cmp -i $o -n 70000 "$MNT/$1/large" "$2/large" || exit 1; done' $tree "$src"
	t "equal files share one inode, with the same mode" inside 'cd "$MNT/$1" && set -- $(stat -c %i same/a/x same/b/y same/b/z) && [ $1 = $2 ] && [ $1 != $3 ]' $tree
	t "packages at two places are two directories with the same files" inside 'cd "$MNT/$1/app/node_modules" && set -- $(stat -c %i p1/lib @s/p2/lib p3/lib p1/lib/index.js p3/lib/index.js) && [ $1 != $2 ] && [ $1 != $3 ] && [ $4 = $5 ]' $tree
	t "an unknown tree is not there, and one that comes later is" later_tree
	t "the root lists nothing" inside '[ -z "$(ls -A "$MNT")" ]'
	t "what is absent stays absent" inside '! stat "$MNT/$1/none" 2>/dev/null && ! stat "$MNT/$1/none" 2>/dev/null && ! stat "$MNT/$1/file/x" 2>/dev/null' $tree
}

later_tree()
{
	local later
	mkdir -p "$src-later" && echo $RANDOM$$ >"$src-later/file" && chmod -R a+rX "$src-later"
	# The digest is learnt from another store, so that this one does not have it yet.
	later=$($as "$ingest" "$home-other" "$src-later") || return 1
	inside '! stat "$MNT/$1" 2>/dev/null' $later || return 1
	$as "$ingest" "$home" "$src-later" >/dev/null && inside 'cmp "$MNT/$1/file" "$2-later/file"' $later "$src"
}

writes()
{
	local before a
	before=$(store_hash)
	for a in $("$check" attempts); do
		t "$a is refused with EROFS" inside '"$2" erofs "$3" "$MNT/$1/w"' $tree "$check" $a
	done
	t "a bind of it cannot be undone, made writable or set-id from inside" bound
	t "the store is as it was" test "$before" = "$(store_hash)"
}

bound()
{
	mkdir -p "$dir/at-$who"; chmod 755 "$dir/at-$who"
	$as "$enter" "$home" --bind $tree/app/node_modules "$dir/at-$who" -- /bin/sh -c '
		cat "$1/p1/lib/index.js" >/dev/null || exit 1
		grep " $1 " /proc/self/mountinfo | grep -q nosuid || exit 2
		umount "$MNT" 2>/dev/null && exit 3
		mount -o remount,bind,rw "$1" 2>/dev/null && exit 4
		touch "$1/x" 2>/dev/null && exit 5
		exit 0' sh "$dir/at-$who"
}

sharing()
{
	local pid
	pid=$(inside 'echo $SERVER')
	t "the next command joins the same server" test "$pid" = "$(inside 'echo $SERVER')"
	t "the mount is not on the host" no_mount_left
	t "the server runs without capabilities, as its user" confined $pid
	t "50 joins at once share it" joins 50 $pid
	transport $pid
}

confined()
{
	grep -q '^CapEff:.0*$' /proc/$1/status && grep -q '^NoNewPrivs:.1' /proc/$1/status &&
		[ "$(stat -c %u /proc/$1)" = "$uid" ] && { [ -n "${SAN:-}" ] || grep -q '^Seccomp:.2' /proc/$1/status; }
}

# Where mount-uring.sh has enabled FUSE over io_uring: a server has rings, and one to which io_uring is
# refused works without.
transport()
{
	[ -n "${RINGS:-}" ] || return 0
	t "its requests come by io_uring" has_rings $1
	kill -9 $1
	t "a server that io_uring is refused to works without" refused
	kill -9 $(inside 'echo $SERVER')
}
has_rings() { ls -l /proc/$1/fd | grep -q 'io_uring'; }
refused()
{
	local pid
	pid=$($as "$O/test/no-uring" "$enter" "$home" -- /bin/sh -c 'cmp "$MNT/$1/large" "$2/large" && echo $SERVER' sh $tree "$src")
	[ -n "$pid" ] && ! has_rings $pid
}

joins() # NUMBER PID
{
	local i pids= p bad=0 out
	out=$(mktemp "$dir/joins.XXXXXX"); chmod 666 "$out"
	for i in $(seq $1); do
		inside 'cat "$MNT/$1/file" >/dev/null && echo $SERVER' $tree >>"$out" & pids="$pids $!"
	done
	for p in $pids; do wait $p || bad=$((bad + 1)); done
	[ $bad = 0 ] && [ "$(sort -u "$out" | wc -l)" = 1 ] && [ "$(wc -l <"$out")" = $1 ] &&
		{ [ -z "${2:-}" ] || [ "$(head -1 "$out")" = "$2" ]; }
}

cold_joins() { kill -9 $(inside 'echo $SERVER'); joins 50; }

death()
{
	t "readers of a killed server get an error at once, and the next command another server" killed
	t "50 joins at once, none running, start one" cold_joins
}

killed()
{
	local pid after
	pid=$(inside 'echo $SERVER')
	inside 'cat "$MNT/$1/file" >/dev/null || exit 1; kill -9 $SERVER; while kill -0 $SERVER 2>/dev/null; do sleep 0.02; done
		"$2" expect ENOTCONN "$MNT/$(printf "0%.0s" $(seq 64))"' $tree "$check" || return 1
	after=$(inside 'cat "$MNT/$1/file" >/dev/null && echo $SERVER' $tree) || return 1
	[ "$after" != "$pid" ] && no_mount_left
}

gone() { ! kill -0 $1 2>/dev/null; }

idle()
{
	local pid
	kill -9 $(inside 'echo $SERVER')
	pid=$(CRATONS_FUSED_IDLE=1 inside 'echo $SERVER')
	t "it is still there when a command ends" kill -0 $pid
	t "it goes when it was idle" wait_for 8 gone $pid
	pid=$(CRATONS_FUSED_IDLE=1 inside 'sleep 3; cat "$MNT/$1/file" >/dev/null && echo $SERVER' $tree)
	t "it stays while a command uses it" test -n "$pid"
	wait_for 8 gone $pid
}

replaced()
{
	local old new
	cp "$CRATONS_FUSED" "$dir/fused-$who"; chmod 755 "$dir/fused-$who"
	$as mkfifo -m 666 "$dir/fifo-$who"
	inside 'echo $SERVER >"$2.pid"; read x <"$2"; cat "$MNT/$1/size-40000" | md5sum >"$2.sum"' $tree "$dir/fifo-$who" &
	wait_for 8 test -s "$dir/fifo-$who.pid"
	old=$(cat "$dir/fifo-$who.pid")
	new=$(CRATONS_FUSED=$dir/fused-$who inside 'echo $SERVER')
	t "a command of another build gets a server of its own" test -n "$new" -a "$old" != "$new"
	t "the old one serves on" kill -0 $old
	echo go >"$dir/fifo-$who"
	wait $!
	t "what ran on it ended well" test "$(cat "$dir/fifo-$who.sum")" = "$(md5sum <"$src/size-40000")"
	t "then it goes" wait_for 8 gone $old
	kill -9 $new
}

# Reading ahead stores pages that another reader may be waiting for: a server that waited for itself
# would hang here. All start in the same directory of a server that has nothing cached.
crowd()
{
	kill -9 $(inside 'echo $SERVER')
	inside 'cd "$MNT/$1/many" && i=0
		while [ $i -lt 8 ]; do ls | head -2000 | xargs cat | md5sum & i=$((i + 1)); done >"$2"; wait
		[ "$(sort -u "$2" | wc -l)" = 1 ]' $tree "$dir/crowd-$who"
}

index_replaced()
{
	local old new
	old=$(inside 'echo $SERVER')
	$as cp -a "$home/store/index" "$home/store/index-new" && mv "$home/store/index" "$dir/index-old-$who" &&
		mv "$home/store/index-new" "$home/store/index" && $as "$ingest" --packages "$home" "$src" >/dev/null || return 1
	new=$(inside 'cat "$MNT/$1/file" >/dev/null && echo $SERVER' $tree) || return 1
	[ "$old" != "$new" ] && wait_for 8 gone $old
}

on_host()
{
	local at=$dir/host
	mkdir -p "$at"
	t "mounted on the host" "$enter" "$home" --host $tree "$at"
	t "its contents are there, for other users too" setpriv --reuid 65534 --regid 65534 --clear-groups diff -r --no-dereference "$at/bin" "$src/bin"
	t "a write is refused" "$check" erofs write "$at/w"
	t "a second mount there is refused" sh -c '! "$@" 2>/dev/null' sh "$enter" "$home" --host $tree "$at"
	pid=$(host_server "$at")
	t "unmounted" "$enter" "$home" --unhost "$at"
	t "its server goes" wait_for 8 gone $pid
	"$enter" "$home" --host $tree "$at"
	kill -9 $(host_server "$at")
	t "a dead one is seen as such" wait_for 8 "$check" expect ENOTCONN "$at/file"
	t "and detached" "$enter" "$home" --heal "$dir"
	t "so that the path can be used again" "$enter" "$home" --host $tree "$at"
	"$enter" "$home" --unhost "$at"
}
host_server() { pgrep -f "^$CRATONS_FUSED .*--at $1( |\$)"; }

# Every byte of a pack and of a large object is covered by a digest: whatever is hit, readers get the
# right bytes or EIO.
damage()
{
	local f
	kill -9 $(inside 'echo $SERVER')
	for f in "$home"/store/packs/*/* "$home"/store/objects/*/*; do
		$as chmod u+w "$f"
		$as dd if=/dev/urandom of="$f" bs=1 count=1 seek=$(($(stat -c %s "$f") / 3)) conv=notrunc status=none
		$as dd if=/dev/urandom of="$f" bs=1 count=1 seek=$(($(stat -c %s "$f") / 2)) conv=notrunc status=none
	done
	t "flipped bytes: right bytes or EIO, never wrong ones" inside '
		cd "$2" && bad=0 && find . -type f ! -path "./many/*" >/dev/null
		for f in $(find . -type f -name "[a-z]*" ! -path "./many/*"); do
			if cat "$MNT/$1/$f" >/dev/null 2>&1; then cmp "$MNT/$1/$f" "$f" || exit 1; else bad=1; fi
		done; [ $bad = 1 ]' $tree "$src"
	t "EIO it is" inside '"$2" expect EIO "$MNT/$1/$(cd "$3" && for f in exact over large size-*; do cat "$MNT/$1/$f" >/dev/null 2>&1 || { echo $f; break; }; done)"' $tree "$check" "$src"
	t "what was hit is on the list for the next command" grep -q '^object [0-9a-f]\{64\}$' "$home/run/damaged"
}

all()
{
	who=$1 uid=$2 as=$3
	home=$dir/home-$who
	mkdir -p "$home" "$home-other" && chown $uid "$home" "$home-other"
	tree=$($as "$ingest" --packages "$home" "$src") || { n=$((n + 1)); echo "not ok $n - $who: ingest"; return; }
	contents
	writes
	sharing
	death
	replaced
	idle
	t "eight readers of one directory at once, nothing cached" timeout 60 bash -c "$(declare -f inside crowd); $(declare -p enter home as tree dir who); crowd"
	t "a server whose store got another index is replaced" index_replaced
	[ "$uid" != 0 ] || on_host
	damage
	kill -9 $(inside 'echo $SERVER')
}

dir=$(mktemp -d /tmp/cratons-mount.XXXXXX)
chmod 755 "$dir"
. "$top/tests/lib/fuse-mode.sh"
fuse_mode_open
trap 'fuse_mode_close; rm -rf "$dir"' EXIT
src=$dir/src
make_tree "$src"
if [ ! -e /dev/fuse ]; then
	who=mount; skip "everything" "there is no /dev/fuse"
elif [ "$(id -u)" != 0 ]; then
	all user "$(id -u)" ""
else
	all root 0 ""
	chmod 777 "$dir"
	all user 65534 "setpriv --reuid 65534 --regid 65534 --clear-groups"
fi
echo "1..$n"
