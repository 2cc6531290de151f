#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# What people rely on in bubblewrap and its like, asked of `cratons container run`: where it is the same,
# and where it is stricter on purpose. As root and as an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
box() { as env HOME="$d/home" CRATONS_HOME="$d/home/.cratons" cratons container run "$@"; }
name() { echo "uid $uid: $1"; }
yes_() { # NAME ARGUMENT...
	local what=$1
	shift
	exits 0 "$(name "$what")" box "$@"
}

binds() {
	echo secret >"$d/private"
	chmod 600 "$d/private"
	[ "$uid" = 0 ] || chown 0 "$d/private" 2>/dev/null
	if [ "$uid" = 0 ]; then
		yes_ "root reads what only root may, where it is bound" --ro-bind "$d/private:/x" -- cat /x
	else
		exits 1 "$(name "a bound file is as unreadable as outside")" box --ro-bind "$d/private:/x" -- cat /x
	fi
	mkdir -p "$d/shut/in"
	echo x >"$d/shut/in/f"
	if [ "$uid" != 0 ]; then
		chmod 700 "$d/shut"
		chown 0 "$d/shut"
		exits 50 "$(name "what lies in a directory that is shut cannot be bound")" box --ro-bind "$d/shut/in/f:/x" -- cat /x
	fi
	mkdir -p "$d/rw/dir" "$d/other"
	echo other >"$d/other/f"
	ln -sfn dir "$d/rw/link"
	chown -R "$uid" "$d/rw" "$d/other"
	is "$(box --bind "$d/rw:/rw" --ro-bind "$d/other:/rw/link" -- cat /rw/dir/f)" other "$(name "a place that is a link: what it leads to, inside")"
	ln -sfn /etc "$d/rw/out"
	box --bind "$d/rw:/rw" --ro-bind "$d/other:/rw/out/cratons-test" -- true >/dev/null 2>&1
	is "$(ls -d /etc/cratons-test 2>/dev/null)" "" "$(name "a link to the host's /etc leads there no more than inside")"
	box --ro-bind /source-enoent:/dest -- true >/dev/null 2>"$d/err"
	[ $? != 0 ] && ok "$(name "a source that is not there")" || not_ok "$(name "a source that is not there")"
	has "$(cat "$d/err")" "/source-enoent" "$(name "is named")"
	is "$(box --bind "$d/rw:/a" --ro-bind "$d/other:/a/new/deep" -- cat /a/new/deep/f)" other "$(name "places are made, many deep")"
	is "$(box --ro-bind "$d/other/f:/one/file" -- cat /one/file)" other "$(name "one file")"
	is "$(box --tmpfs /t:64K -- sh -c 'head -c 200000 /dev/zero >/t/f 2>/dev/null; stat -c %s /t/f')" 65536 "$(name "a tmpfs of a size")"
	yes_ "what is mounted inside" --tmpfs /cratons-peer -- mountpoint -q /cratons-peer
	is "$(grep -c cratons-peer /proc/self/mountinfo)" 0 "$(name "is not outside")"
	is "$(box --ro-bind "$d/other:/x" -- sh -c 'echo x 2>/dev/null >/x/f || echo refused')" refused "$(name "read-only is")"
}

devices() {
	is "$(box -- sh -c 'for f in stdin stdout stderr null zero full random urandom fd tty ptmx pts shm; do test -e /dev/$f || test -L /dev/$f || echo $f; done')" "" "$(name "the devices that programs expect")"
	is "$(box -- sh -c 'ls /dev | wc -l')" 13 "$(name "and no others")"
	yes_ "a /proc of its own" -- sh -c 'test -e /proc/self/status && test "$(ls -d /proc/[0-9]* | wc -l)" -lt 9'
	is "$(box -- sh -c 'cat /proc/1/comm')" cratons-init "$(name "pid 1 reaps")"
	is "$(box -- sh -c '(sleep 0.1 &) ; sleep 0.4; cat /proc/[0-9]*/stat | grep -c ") Z "')" 0 "$(name "no zombie is left")"
}

power() {
	is "$(box --root -- sh -c 'id -u; grep ^Cap /proc/self/status | grep -vc 0000000000000000')" "0
0" "$(name "uid 0 inside has no capability")"
	exits 1 "$(name "no namespaces in namespaces: stricter than others")" box --root -- unshare --user true
	exits 32 "$(name "no mounts")" box --root -- mount -t tmpfs none /tmp
	is "$(box -- sh -c 'echo x 2>/dev/null >/proc/sys/kernel/hostname || echo refused')" refused "$(name "no sysctl")"
	is "$(box -- sh -c 'kill -9 1; sleep 0.1; echo alive')" alive "$(name "pid 1 cannot be killed from inside")"
}

arguments() {
	mkdir -p "$d/bin"
	printf '#!/bin/sh\necho hello\n' >"$d/bin/--odd-name--"
	chmod 755 "$d/bin" "$d/bin/--odd-name--"
	is "$(box -- sh -c 'echo hello')" hello "$(name "a command behind --")"
	is "$(box --ro-bind "$d/bin:/odd" --env PATH=/odd:/bin -- --odd-name--)" hello "$(name "also one that looks like an option")"
	exits 127 "$(name "an option behind -- is a command, and not there")" box -- --bind / / sh -c 'echo no'
	is "$(box -- echo --bind / /)" "--bind / /" "$(name "options behind the command are the command's")"
	is "$(box -- sh -c 'exit 42'; echo $?)" 42 "$(name "the exit status")"
	is "$(box -- sh -c 'kill -TERM $$'; echo $?)" 143 "$(name "128 and the signal")"
	is "$(echo in | box -- cat)" in "$(name "standard input")"
	is "$(box --env A=1 --env B= -- sh -c 'echo "$A${B-unset}"')" 1 "$(name "variables that are given")"
	is "$(SECRET=x box -- sh -c 'echo "${SECRET-unset}"')" unset "$(name "and no others")"
	is "$(box --workdir /usr/bin -- pwd)" /usr/bin "$(name "a directory to start in")"
	box --workdir /no/such -- true >/dev/null 2>"$d/err"
	[ $? != 0 ] && ok "$(name "one that is not there is refused")" || not_ok "$(name "one that is not there is refused")"
	is "$(box --hostname box.example -- hostname)" box.example "$(name "a host name")"
	is "$(box --user 1234:5678 -- id -u; box --user 1234:5678 -- id -g)" "1234
5678" "$(name "another user and group")"
}

endings() { # nothing outlives whoever watches over it
	local pid
	mkdir -p "$d/lock" && chown "$uid" "$d/lock"
	box --bind "$d/lock:/lock" -- sh -c 'setsid sh -c "exec 9>/lock/f; flock 9; : >/lock/ready; sleep 60" & sleep 60' &
	for i in {1..100}; do [ -e "$d/lock/ready" ] && break; sleep 0.05; done
	pid=$(pgrep -f -P $! 'cratons container run' | head -n 1)
	kill -KILL "${pid:-$!}" $! 2>/dev/null
	wait $! 2>/dev/null
	exits 0 "$(name "a killed supervisor ends all that ran, sessions of its own too")" timeout 10 flock "$d/lock/f" true
}

network() {
	is "$(box -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')" lo "$(name "a loopback and nothing else")"
	is "$(box --net host -- readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)" "$(name "or the host's network")"
}

for uid in $uids; do
	d=$T/d$uid
	mkdir -p "$d/home"
	chmod 755 "$d"
	chown -R "$uid" "$d"
	binds
	devices
	power
	arguments
	endings
	network
done
finish
