#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# cratons-mountd: mounts on the host for a user who may not mount and finds no fusermount3, and everything
# that it has to refuse. All of it in a mount namespace that goes with the test; the service is started as
# systemd would (tests/lib/mountd.py).
if [ -z "${MOUNTD_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the service runs as root"; exit 0; }
	unshare -m true 2>/dev/null || { echo "1..0 # SKIP this root may not mount"; exit 0; }
	MOUNTD_NAMESPACE=y exec unshare -m --propagation private "$0" "$@"
fi
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"
nobody_home || skip_all "there is no setpriv"
export CRATONS_FUSED=$BUILD/bin/cratons-fused
ingest=$BUILD/test/store-ingest enter=$BUILD/test/mount-enter check=$BUILD/test/mount-check
tool=$SRC/tests/lib/mountd.py mine=$T/nobody
python=$(as_nobody sh -c 'command -v python3') || skip_all "an ordinary user has no python3"
mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/cratons
at_end 'umount -l /run'
# Where only root may open the device, it is the service that does. A file system without devices is no hindrance
# for the rest.
mknod -m 600 fuse c 10 229 && : 2>/dev/null <>fuse && mount --bind fuse /dev/fuse && at_end 'umount -l /dev/fuse'

user() { as_nobody env PATH=/nowhere "$@"; }	# no helper of the host's, and no set-uid program works
ask() { as_nobody "$python" "$tool" ask "$@" 2>&1; }
mounted() { grep -q " $1 .* - fuse.cratons " /proc/self/mountinfo; }
mounts() { grep -c ' - fuse.cratons ' /proc/self/mountinfo; }
gone() { ! kill -0 "$1" 2>/dev/null; }
wait_for() { # SECONDS COMMAND...: until it succeeds
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do [ "$(date +%s)" -lt $end ] || return 1; sleep 0.05; done
}
server_of() { pgrep -f "^$CRATONS_FUSED .*--at $1( |\$)"; }
own() { mkdir -p "$1" && chown $NOBODY:$NOBODY "$1"; }
answers() { # WANTED NAME OPERATION KIND:PATH...
	local wanted=$1 name=$2
	shift 2
	is "$(ask "$@")" "$wanted" "$name"
}

start() {
	"$python" "$tool" listen /run/cratons/mountd.sock "$BUILD/bin/cratons-mountd" "$@" 2>>"$T/mountd.log" &
	service=$!
	wait_for 10 listening || not_ok "the service starts" "$(cat "$T/mountd.log")"
}
listening() { [ "$(ask hello)" = DONE ]; }
stop() { kill "$service"; wait "$service"; }
at_end 'kill $service 2>/dev/null; detach_all'

# Everything that a mount on the host promises, by the commands that people type.
by_command() {
	local at=$mine/project/node_modules tree pid
	own "$mine/project" && printf '[package]\nname = "x"\nversion = "1.0.0"\n' >project.toml
	cp project.toml "$mine/project/cratons.toml" && chown -R $NOBODY:$NOBODY "$mine/project"
	has "$(user "$BUILD/bin/cratons" doctor)" "through cratons-mountd" "doctor tells that there is the service"
	succeeds "cratons install" user "$BUILD/bin/cratons" -q -C "$mine/project" install
	succeeds "cratons mount" user "$BUILD/bin/cratons" -q -C "$mine/project" mount
	mounted "$at" && ok "the host sees it" || not_ok "the host sees it" "$(cat /proc/self/mountinfo)"
	exits 1 "a second one there is refused" user "$BUILD/bin/cratons" -q -C "$mine/project" mount
	succeeds "cratons umount" user "$BUILD/bin/cratons" -q -C "$mine/project" umount
	mounted "$at" && not_ok "it is gone" || ok "it is gone"
	echo keep >"$mine/project/node_modules/mine"
	exits 1 "a directory that is not empty is refused" user "$BUILD/bin/cratons" -q -C "$mine/project" mount
	has "$err" "is not empty" "and says so"
}

contents() {
	local at=$mine/at pid
	own "$at" && mkdir -p src/w/dir && echo text >src/file && echo below >src/w/file
	head -c 300000 /dev/urandom >src/large && ln -s file src/link && cp /bin/true src/program && chmod -R a+rX src
	tree=$(as_nobody "$ingest" "$mine" "$T/src")
	succeeds "mounted" user "$enter" "$mine" --host "$tree" "$at"
	succeeds "its contents are there" as_nobody diff -r --no-dereference "$at" "$T/src"
	succeeds "programs run from it" as_nobody "$at/program"
	succeeds "a write is refused with EROFS" as_nobody "$check" erofs write "$at/w"
	has "$(grep " $at " /proc/self/mountinfo)" "ro,nosuid,nodev" "read-only, without set-uid and devices"
	has_not "$(grep " $at " /proc/self/mountinfo)" allow_other "for its user alone"
	exits 2 "root may not look into it" ls "$at"
	pid=$(server_of "$at")
	is "$(stat -c %u "/proc/$pid")" "$NOBODY" "its server runs as the user"
	has "$(grep CapEff "/proc/$pid/status")" 0000000000000000 "without capabilities"

	stop
	succeeds "without the service it goes on" as_nobody cmp "$at/large" "$T/src/large"
	exits 50 "without the service nobody unmounts" user "$enter" "$mine" --unhost "$at"
	has "$err" "administrator's cratons-mountd" "and it says what it takes"
	exits 50 "nor mounts" user "$BUILD/bin/cratons" -C "$mine/project" mount "$(own "$mine/none"; echo "$mine/none")"
	has "$err" "root, the administrator's cratons-mountd or the host's fusermount3" "and it says what that takes"
	start
	succeeds "a service that was started anew unmounts it" user "$enter" "$mine" --unhost "$at"
	wait_for 8 gone "$pid" && ok "its server goes" || not_ok "its server goes"

	succeeds "mounted again" user "$enter" "$mine" --host "$tree" "$at"
	kill -9 "$(server_of "$at")"
	wait_for 8 as_nobody "$check" expect ENOTCONN "$at/file" && ok "a killed server is seen as such" ||
		not_ok "a killed server is seen as such"
	succeeds "the next mount takes its place" user "$enter" "$mine" --host "$tree" "$at"
	succeeds "and works" as_nobody cmp "$at/large" "$T/src/large"
	kill -9 "$(server_of "$at")"
	wait_for 8 as_nobody "$check" expect ENOTCONN "$at/file"
	succeeds "a dead one can be unmounted" user "$enter" "$mine" --unhost "$at"
	is "$(mounts)" 0 "nothing is left"
}

refusals() {
	local at=$mine/at
	own "$mine/dir" && mkdir -p roots && touch file && ln -s "$T/roots" "$mine/link" && ln -s "$mine/dir" "$mine/own-link"
	own tmp && mount -t tmpfs -o mode=755,uid=$NOBODY tmpfs tmp && as_nobody mkdir tmp/dir
	: >"$T/mountd.log"
	answers "DONE device" "an own directory" mount path:"$mine/dir"
	is "$(cat "$T/mountd.log")" "uid $NOBODY: mounted" "which the service notes"
	answers COVERED "one that is a mount already" mount path:"$mine/dir"
	answers DONE "unmounted" unmount path:"$mine/dir"
	answers NOT_OURS "twice" unmount path:"$mine/dir"
	answers FOREIGN "root's directory" mount path:"$T/roots"
	answers FOREIGN "/etc" mount path:/etc
	answers FOREIGN "a link to root's directory, followed" mount file:"$mine/link"
	answers NO_DIRECTORY "a link" mount link:"$mine/own-link"
	answers NO_DIRECTORY "an own file" mount file:"$(as_nobody touch "$mine/file"; echo "$mine/file")"
	answers FILE_SYSTEM "/proc" mount path:/proc
	answers FILE_SYSTEM "an own directory of procfs" mount path:/proc/self/task
	answers FILE_SYSTEM "devpts" mount path:/dev/pts
	answers COVERED "the root of an own tmpfs" mount path:"$T/tmp"
	answers "DONE device" "a directory in it" mount path:"$T/tmp/dir"
	answers DONE "unmounted there" unmount path:"$T/tmp/dir"
	answers MALFORMED "a directory that is open for reading" mount read:"$mine/dir"
	answers MALFORMED "no descriptor" mount
	answers MALFORMED "two descriptors" mount path:"$mine/dir" path:"$mine/dir"
	answers MALFORMED "a greeting with a descriptor" hello path:"$mine/dir"
	answers NOT_OURS "to unmount what is no mount" unmount path:"$mine/dir"
	answers NOT_OURS "to unmount /" unmount path:/
	answers NOT_OURS "to unmount an own tmpfs" unmount path:"$T/tmp"
	answers NOT_OURS "to unmount procfs" unmount path:/proc
	exits 50 "root's directory, by the command" user "$enter" "$mine" --host "$tree" "$T/roots"
	has "$err" "cannot mount at $T/roots: cratons-mountd says: it is not this user's" "and it says why"
	is "$("$python" "$tool" ask mount path:"$T/roots")" ROOT "root is refused"
	is "$(as_nobody "$python" "$tool" elsewhere "$mine/dir")" ELSEWHERE "a directory as another mount namespace has it"
	is "$(as_nobody unshare -Ur "$python" "$tool" ask hello)" OUTSIDER "who asks from another user namespace"
	is "$(as_nobody unshare -U "$python" "$tool" ask mount path:"$mine/dir")" OUTSIDER "and has no id in it"
	is "$(as_nobody "$python" "$tool" detached)" ELSEWHERE "one in a tree of the user's that hangs nowhere"
	as_nobody mkdir "$mine/brief"
	answers "FAILED ENOENT" "a directory that was removed" mount gone:"$mine/brief"
	is "$(mounts)" 0 "nothing is left of all that"
	umount tmp
}

# Mounts of somebody else: root's, another user's.
others() {
	local daemon="setpriv --reuid 1 --regid 1 --clear-groups --no-new-privs"
	mkdir -p hers && chown 1:1 hers && chmod 755 hers && own "$mine/dir"
	is "$($daemon "$python" "$tool" ask mount "path:$T/hers")" "DONE device" "another user mounts"
	answers FOREIGN "to unmount another user's mount" unmount path:"$T/hers"
	answers COVERED "to mount on another user's mount" mount path:"$T/hers"
	exits 50 "by the command, too" user "$enter" "$mine" --unhost "$T/hers"
	has "$err" "not this user's" "and it says why"
	mounted "$T/hers" && ok "it stays" || not_ok "it stays"
	is "$($daemon "$python" "$tool" ask unmount "path:$T/hers")" DONE "its own user may"

	mkdir -p roots && "$enter" "$HOME/.cratons" --host "$("$ingest" "$HOME/.cratons" "$T/src")" "$T/roots"
	answers FOREIGN "to unmount root's mount" unmount path:"$T/roots"
	succeeds "root may" "$enter" "$HOME/.cratons" --unhost "$T/roots"

	# Root's own tmpfs on a mount of the user's.
	user "$enter" "$mine" --host "$tree" "$mine/dir"
	answers "NOT_OURS" "a directory in a mount" unmount path:"$mine/dir/w"
	stacked
}

# A descriptor from before root mounted on the user's directory must not cover root's mount.
stacked() {
	local told
	user "$enter" "$mine" --unhost "$mine/dir"
	coproc { as_nobody "$python" "$tool" stack "$mine/dir"; }
	read -r told <&"${COPROC[0]}"
	mount -t tmpfs -o mode=755 admins "$mine/dir" && touch "$mine/dir/file"
	echo go >&"${COPROC[1]}"
	read -r told <&"${COPROC[0]}"
	wait "$COPROC_PID" 2>/dev/null
	is "$told" COVERED "a descriptor from before root's mount there"
	is "$(findmnt -no SOURCE --target "$mine/dir" | tail -n 1)" admins "root's mount is the topmost"
	succeeds "and to be seen" test -e "$mine/dir/file"
	umount "$mine/dir"
	is "$(mounts)" 0 "and there is none of ours"
}

powerful() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --inh-caps +sys_admin --ambient-caps +sys_admin "$@"
}

# Something of root's mounted in the user's environment goes on being there.
inside() {
	own "$mine/dir"
	user "$enter" "$mine" --host "$tree" "$mine/dir"
	# Root may not look into it; a process of the user's with the right to mount may.
	succeeds "a file system in an environment" powerful "$python" "$tool" tmpfs "$mine/dir/w"
	answers IN_USE "with something else mounted in it" unmount path:"$mine/dir"
	succeeds "that is taken away" powerful "$python" "$tool" umount "$mine/dir/w"
	succeeds "without it" user "$enter" "$mine" --unhost "$mine/dir"
}

races() {
	local told
	own "$mine/parent" && own "$mine/parent/dir" && mkdir -p roots
	told=$(as_nobody timeout 60 "$python" "$tool" swap "$mine/parent/dir" "$T/roots" 100)
	has "$told" DONE "a directory that is renamed meanwhile: mounted"
	has "$told" FOREIGN "or refused, when its name led elsewhere"
	mounted "$T/roots" && not_ok "never where the link led" || ok "never where the link led"
	detach_all
}

# Whether the answer met nobody or was thrown away: what is left is nothing or dead, and in nobody's way.
abandoned() {
	own "$mine/dir"
	for _ in 1 2 3 4 5; do as_nobody "$python" "$tool" abandon mount path:"$mine/dir"; done
	wait_for 9 alone
	succeeds "after clients that went, the directory can be mounted on" user "$enter" "$mine" --host "$tree" "$mine/dir"
	succeeds "is served" as_nobody cmp "$mine/dir/file" "$T/src/file"
	succeeds "and unmounted" user "$enter" "$mine" --unhost "$mine/dir"
	is "$(mounts)" 0 "nothing is left of the others"
}

# At the same time, and up to the limit.
many() {
	local n pids=
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		own "$mine/many-$n"
		user "$enter" "$mine" --host "$tree" "$mine/many-$n" 2>>"$T/.many" &
		pids="$pids $!"
	done
	wait $pids
	is "$(mounts)" 20 "twenty at the same time"
	[ ! -s "$T/.many" ] || sed 's/^/# /' "$T/.many"
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		user "$enter" "$mine" --unhost "$mine/many-$n" 2>>"$T/.many" &
		pids="$pids $!"
	done
	wait $pids
	is "$(mounts)" 0 "and taken away"
	own "$mine/limit"
	is "$(as_nobody "$python" "$tool" many "$mine/limit" 2>"$T/.err")" "200 TOO_MANY" "there is a limit for each user"
	cat "$T/.err"
	detach_all
}
detach_all() { grep " - fuse.cratons " /proc/self/mountinfo | cut -d' ' -f5 | xargs -r -n1 umount -l; }

alone() { ! pgrep -P "$service" >/dev/null; }
descriptors() { find "/proc/$service/fd" -type l | wc -l; }
hostile() {
	local before=$(descriptors) told
	own "$mine/dir"
	told=$(as_nobody timeout 100 "$python" "$tool" frames 1 300 "$mine")
	has "$told" "MALFORMED" "random frames are told that they are"
	is "$(tr ' ' '\n' <<<"$told" | grep -vx -e MALFORMED -e VERSION -e DONE -e COVERED -e NOT_OURS \
		-e CROWDED -e silence -e unheard)" \
		"" "and nothing else"
	detach_all
	told=$(as_nobody timeout 60 "$python" "$tool" silent 12 9)
	has "$told" "in time" "silent peers are let go"
	is "$(tr ' ' '\n' <<<"$told" | grep -c CROWDED)" 4 "and one user has eight at a time"
	as_nobody "$python" "$tool" silent 8 9 >"$T/told" &
	sleep 0.3
	answers CROWDED "so the next is refused" hello
	is "$(setpriv --reuid 1 --regid 1 --clear-groups "$python" "$tool" ask hello)" DONE "but not another user's"
	wait $!
	as_nobody timeout 30 "$python" "$tool" ask mount linger: >/dev/null 2>&1 &
	sleep 0.3
	answers DONE "a descriptor whose close waits holds up nobody" hello
	wait $!
	wait_for 9 alone && ok "no process is left of all that" || not_ok "no process is left of all that" "$(ps --ppid $service)"
	grep -q . "/proc/$service/status" && ok "the service lives" || not_ok "the service lives" "$(cat "$T/mountd.log")"
	is "$(descriptors)" "$before" "with no more descriptors than before"
}

started_wrong() {
	exits 2 "without a socket it does not start" "$BUILD/bin/cratons-mountd"
	has "$err" "systemctl enable --now cratons-mountd.socket" "and says what starts it"
	exits 2 "with a wrong option neither" "$BUILD/bin/cratons-mountd" --idle never
	exits 2 "nor with another's socket" env LISTEN_FDS=1 LISTEN_PID=1 "$BUILD/bin/cratons-mountd"
	exits 2 "nor with something else than a socket" sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" 3</dev/null' "$BUILD/bin/cratons-mountd"
	exits 1 "nor as a user" as_nobody "$python" "$tool" listen "$mine/sock" "$BUILD/bin/cratons-mountd"
	stop
	start --idle 3
	wait_for 9 gone "$service"
	wait "$service"
	is $? 0 "it goes when it was idle"
}

confined() {
	local status=/proc/$service/status
	is "$(sed -n 's/^CapEff:\t//p;s/^CapBnd:\t//p' $status | sort -u)" 0000000000200000 "it keeps CAP_SYS_ADMIN alone"
	is "$(sed -n 's/^NoNewPrivs:\t//p' $status)" 1 "no new privileges"
	[ "${BUILD##*/}" = san ] || is "$(sed -n 's/^Seccomp:\t//p' $status)" 2 "and few system calls"
}

# What systemd would make of the units.
units() {
	local unit
	command -v systemd-analyze >/dev/null || { skip "systemd accepts the units" "there is no systemd-analyze"; return; }
	mkdir units && cp "$SRC"/packaging/systemd/cratons-mountd.* units/
	sed -i "s,@LIBEXECDIR@,$BUILD/bin," units/cratons-mountd.service
	succeeds "systemd accepts the units" systemd-analyze verify --man=no --recursive-errors=no \
		units/cratons-mountd.socket units/cratons-mountd.service
	is "$out$err" "" "without a warning"
	# systemd.exec(5); each gives a unit a mount namespace of its own, where its mounts would be nobody's.
	unit=$(grep -E '^(Protect(System|Home|Proc|Kernel[A-Za-z]*|ControlGroups)|Private(Tmp|Devices|IPC|Users|PIDs|BPF)|ProcSubset|DynamicUser|MountFlags|LogNamespace|Root[A-Z]|Temporary|Bind[A-Z]|[A-Za-z]*Paths|[A-Z][a-z]*Directory)' \
		units/cratons-mountd.service)
	is "$unit" "" "nothing takes the service out of the host's mount namespace"
	has "$(grep ^PrivateMounts units/cratons-mountd.service)" no "nor does PrivateNetwork"
}

start
confined
units
by_command
contents
refusals
others
inside
abandoned
many
races
hostile
started_wrong
finish
