#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# cratons mount and umount: as root, and as an ordinary user through the host's fusermount3. The
# administrator's service has its own, mountd.sh.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"
ingest=$BUILD/test/store-ingest enter=$BUILD/test/mount-enter check=$BUILD/test/mount-check
export CRATONS_FUSED=$BUILD/bin/cratons-fused

wait_for() { # SECONDS COMMAND...: until it succeeds
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do [ "$(date +%s)" -lt $end ] || return 1; sleep 0.05; done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
# The server is found by the place that it was told.
mounted() { grep -q " $1 .* - fuse.cratons " /proc/self/mountinfo; }
server_of() { pgrep -f "^$CRATONS_FUSED .*--at $1( |\$)"; }

mkdir -p src/w/dir && echo text >src/file && echo below >src/w/file
head -c 300000 /dev/urandom >src/large
ln -s file src/link && cp /bin/true src/program && chmod -R a+rX src && chmod 755 src/program

# Everything that a mount on the host promises. setpriv without --no-new-privs, or set-uid programs would
# have no effect.
on_host() { # who [command to become it...]
	local who=$1 home=$T/home-$1 at=$T/at-$1 tree pid
	shift
	mkdir -p "$home" "$at" && chown "$uid:$uid" "$home" "$at"
	tree=$("$@" "$ingest" "$home" "$T/src") || { not_ok "$who: a store"; return; }
	succeeds "$who: mounted" "$@" "$enter" "$home" --host "$tree" "$at"
	mounted "$at" && ok "$who: the host sees it" || not_ok "$who: the host sees it" "$(cat /proc/self/mountinfo)"
	succeeds "$who: its contents are there" "$@" diff -r --no-dereference "$at" "$T/src"
	succeeds "$who: programs run from it" "$@" "$at/program"
	succeeds "$who: a write is refused with EROFS" "$@" "$check" erofs write "$at/w"
	has "$(grep " $at " /proc/self/mountinfo)" "ro,nosuid,nodev" "$who: read-only, without set-uid and devices"
	exits 1 "$who: a second one there is refused" "$@" "$enter" "$home" --host "$tree" "$at"
	has "$err" "mounted at $at already" "$who: and says why"
	pid=$(server_of "$at")
	is "$(stat -c %u "/proc/$pid")" "$uid" "$who: its server runs as the user"
	has "$(grep CapEff "/proc/$pid/status")" 0000000000000000 "$who: without capabilities"
	succeeds "$who: unmounted" "$@" "$enter" "$home" --unhost "$at"
	mounted "$at" && not_ok "$who: and gone" || ok "$who: and gone"
	wait_for 8 gone "$pid" && ok "$who: its server goes" || not_ok "$who: its server goes"
	exits 1 "$who: what is not mounted cannot be unmounted" "$@" "$enter" "$home" --unhost "$at"
	died "$who" "$@"
}

died() { # who [command...]
	local who=$1 home=$T/home-$1 at=$T/at-$1 tree
	shift
	tree=$("$@" "$ingest" "$home" "$T/src")
	"$@" "$enter" "$home" --host "$tree" "$at" && kill -9 "$(server_of "$at")"
	wait_for 8 "$@" "$check" expect ENOTCONN "$at/file" &&
		ok "$who: a killed server is seen as such" || not_ok "$who: a killed server is seen as such"
	succeeds "$who: the next mount takes its place" "$@" "$enter" "$home" --host "$tree" "$at"
	succeeds "$who: and works" "$@" cmp "$at/large" "$T/src/large"
	kill -9 "$(server_of "$at")"
	wait_for 8 "$@" "$check" expect ENOTCONN "$at/file"
	succeeds "$who: a dead one can be unmounted" "$@" "$enter" "$home" --unhost "$at"
	mounted "$at" && not_ok "$who: nothing is left" || ok "$who: nothing is left"
}

# The whole way, by the commands that people type.
by_command() { # who [command to become it...]
	local who=$1 dir=$T/project-$1
	shift
	mkdir -p "$dir" && printf '[package]\nname = "x"\nversion = "1.0.0"\n' >"$dir/cratons.toml"
	chown -R "$uid:$uid" "$dir"
	succeeds "$who: cratons install" "$@" cratons -q -C "$dir" install
	succeeds "$who: cratons mount" "$@" cratons -q -C "$dir" mount
	mounted "$dir/node_modules" && ok "$who: at node_modules" || not_ok "$who: at node_modules"
	succeeds "$who: cratons umount" "$@" cratons -q -C "$dir" umount
	mounted "$dir/node_modules" && not_ok "$who: gone" || ok "$who: gone"
}

# In a mount namespace where the helper is not: /dev/null in its place cannot be executed.
without_helper() {
	local home=$T/home-user at=$T/at-user tree hide=
	tree=$("$@" "$ingest" "$home" "$T/src")
	! helper=$(command -v fusermount3) || hide="mount --bind /dev/null $(realpath "$helper") &&"
	hide="$hide { [ ! -d /run/cratons ] || mount -t tmpfs tmpfs /run/cratons; } &&"
	exits 50 "user: without fusermount3 a mount is refused" unshare -m sh -c "$hide"' exec "$@"' sh \
		"$@" "$enter" "$home" --host "$tree" "$at"
	has "$err" "takes root, the administrator's cratons-mountd or the host's fusermount3" "user: and says what it takes"
	has "$err" "cratons-mountd.socket, or install fuse3" "user: and how to get it"
	mkdir -p "$T/foreign"
	exits 50 "user: another's directory is refused" "$@" "$enter" "$home" --host "$tree" "$T/foreign"
	has "$err" "$([ -n "$hide" ] && echo "fusermount3 says: " || echo "cannot mount at")" "user: in its words"
}

if [ "$(id -u)" = 0 ]; then
	uid=0
	if unshare -m true 2>/dev/null; then
		on_host root
		by_command root env
	else
		skip "root mounts on the host" "this root may not mount"
	fi
	nobody_home
	uid=$NOBODY
	become="setpriv --reuid $NOBODY --regid $NOBODY --clear-groups env HOME=$T/nobody CRATONS_HOME=$T/nobody/.cratons"
else
	uid=$(id -u)
	become=env
fi
helper=$(command -v fusermount3)
if [ -u "$(realpath "${helper:-/}")" ] && [ -f "$helper" ]; then
	on_host user $become
	by_command user $become
else
	skip "an ordinary user mounts on the host" "there is no set-uid fusermount3 (fuse3)"
fi
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir -p "$T/home-user" "$T/at-user" && chown $uid:$uid "$T/home-user" "$T/at-user"
	without_helper $become
else
	skip "an ordinary user without fusermount3" "this needs root, to hide it"
fi
finish
