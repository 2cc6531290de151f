#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240
#
# Ways out of a container that other runtimes have had, played with `cratons container`: what is inside
# lies to who builds, enters or looks at it. Judged by what the command sees or did outside. As root and as
# an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T" "$HOME"
mkdir "$T/bin"
cp "$BUILD"/bin/* "$T/bin"
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
box() { as "$T/bin/cratons" container "$@"; }
name() { echo "uid $uid: $1"; }
until_there() { # FILE: waits up to 5 s
	for _ in {1..100}; do [ -e "$1" ] && return; sleep 0.05; done
	not_ok "$(name "$1 came")"
}

# A link to /proc/self/fd/N leads whoever has descriptor N there, and the builder has some of the host's
# directories. With one of them as its working directory the command could walk up to the host's root.
canary=$T/canary
: >"$canary"
up=../../../../../../../../../../../../../..
seen() { echo "test -e $up$canary && echo seen"; }

directories() {
	local i all=
	is "$(cd "$T" && as sh -c "$(seen)")" seen "$(name "the host's files lie above a directory of the host's")"
	for i in {3..24}; do
		all+=$(box run --rm --workdir "/proc/self/fd/$i" -- sh -c "$(seen)" 2>/dev/null)
	done
	is "$all" "" "$(name "a working directory by way of a descriptor is none")"
	is "$(box run --rm --workdir /var/tmp -- sh -c pwd)" /tmp "$(name "one by way of a link inside is one")"
	mkdir -p "$d/there/sub"
	ln -s sub "$d/there/link"
	chown -R "$uid" "$d"
	is "$(box run --rm --bind "$d/there:/there" --workdir /there/link -- pwd -P)" /there/sub "$(name "also in what is bound")"
	box run -d --name "dir$uid" --bind "$d/there:/there" --workdir /there/sub -- sh -c 'cd /there && rmdir sub && touch ready && sleep 60' >/dev/null
	until_there "$d/there/ready"
	for i in {3..24}; do
		ln -sfn "/proc/self/fd/$i" "$d/there/sub"
		all+=$(box exec "dir$uid" -- sh -c "$(seen)" 2>/dev/null)
	done
	is "$all" "" "$(name "nor does what runs inside exchange that of the next command")"
	ln -sfn . "$d/there/sub"
	is "$(box exec "dir$uid" -- pwd -P)" /there "$(name "which may be a link inside")"
	box rm --force "dir$uid" >/dev/null
}

# A rename anywhere on the host makes the kernel give up a ".." that it resolves within a root.
renames() {
	local failed=0 churn
	mkdir "$d/a" "$d/b" "$d/a/x"
	python3 -c 'import os, sys
os.chdir(sys.argv[1])
while True: os.rename("a/x", "b/x"); os.rename("b/x", "a/x")' "$d" &
	churn=$!
	for _ in {1..20}; do
		box run --rm --tmpfs /var/tmp/../../tmp/../tmp/x -- true || failed=$((failed + 1))
	done
	kill $churn
	wait $churn 2>/dev/null
	is $failed 0 "$(name "containers start while others rename")"
}

# A root whose /proc is a link to where a bind comes to lie: what is found there is whatever the container
# wrote. Landlock's rules are made of the list of mounts, and would be its.
own_proc() {
	local r=$d/root data=$d/data
	mkdir -p "$r/bin" "$r/etc" "$r/dev" "$r/tmp" "$r/data/proc" "$data/proc/self"
	cp "$busybox" "$r/bin/sh"
	ln -s data/proc "$r/proc"
	echo "1 1 0:1 / /etc rw,x - x x rw" >"$data/proc/self/mountinfo"
	chown -R -h "$uid" "$r" "$data"
	box run --rm --rootfs "$r" --bind "$data:/data" -- sh -c 'echo ran' >"$T/out" 2>"$T/err"
	is "$(cat "$T/out")" "" "$(name "a root that brings its own /proc is refused")"
	has "$(cat "$T/err")" "landlock" "$(name "by the wall that would have believed it")"
	rm "$data/proc/self/mountinfo"
	mkfifo "$data/proc/self/mountinfo"
	as timeout -s KILL 20 "$T/bin/cratons" container run --rm --rootfs "$r" --bind "$data:/data" -- sh -c 'echo ran' >"$T/out" 2>&1
	[ $? = 137 ] && not_ok "$(name "and holds nobody up")" || ok "$(name "and holds nobody up")"
	ln -sfn tmp/../etc/p "$r/proc"
	mkdir "$r/etc/p"
	is "$(box run --rm --rootfs "$r" -- sh -c 'echo ran')" ran "$(name "its link may lead to where nothing comes to lie")"
}

# What is bound was looked at first: not what somebody put there meanwhile.
exchange() {
	local seen=0 mv
	mkdir -p "$d/x/a"
	ln -s "$CRATONS_HOME" "$d/x/b"
	python3 -c 'import ctypes, os, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None)
while True: libc.renameat2(-100, b"a", -100, b"b", 2)' "$d/x" &
	mv=$!
	for _ in {1..40}; do
		case $(box run --rm --bind "$d/x/a:/x" -- ls /x 2>/dev/null) in *containers*) seen=$((seen + 1)) ;; esac
	done
	kill $mv
	wait $mv 2>/dev/null
	is $seen 0 "$(name "a link that comes after the look is not bound")"
}

# A bundle is bound by the same rules as who calls.
bundles() {
	local b=$d/bundle
	mkdir -p "$b/rootfs/bin" "$HOME/bin"
	cp "$busybox" "$b/rootfs/bin/sh"
	chown -R "$uid" "$b" "$HOME"
	config() { # MOUNT ROOT: a config.json
		printf '{"ociVersion":"1.0.2","root":{"path":"%s"},"process":{"args":["sh","-c","echo ran"],"env":["PATH=/bin"],"cwd":"%s","user":{"uid":%d,"gid":%d}},"mounts":[%s],"linux":{"namespaces":[{"type":"mount"},{"type":"pid"},{"type":"ipc"},{"type":"network"}]}}' \
			"$2" "$3" "$uid" "$uid" "$1" >"$b/config.json"
	}
	config "" rootfs /
	is "$(box run --rm --bundle "$b")" ran "$(name "a bundle runs")"
	config "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"$CRATONS_HOME\"}" rootfs /
	box run --rm --bundle "$b" >"$T/out" 2>"$T/err"
	has "$(cat "$T/out" "$T/err")" "where Cratons keeps its own" "$(name "but not with Cratons' own directory")"
	config "{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"$T\"}" rootfs /
	box run --rm --bundle "$b" >"$T/out" 2>"$T/err"
	has "$(cat "$T/out" "$T/err")" "where Cratons keeps its own" "$(name "nor with one that holds it")"
	config "" "$HOME" /
	box run --rm --bundle "$b" >"$T/out" 2>"$T/err"
	has "$(cat "$T/out" "$T/err")" "cannot be a container's root: it holds" "$(name "nor in the home directory")"
	config "" rootfs /proc/self/fd/4
	is "$(box run --rm --bundle "$b" 2>/dev/null)" "" "$(name "nor in a directory of the builder's")"
}

busybox=$(command -v busybox) || busybox=
for uid in $uids; do
	export CRATONS_HOME=$T/home$uid
	d=$T/d$uid
	mkdir "$CRATONS_HOME" "$d"
	chown "$uid" "$CRATONS_HOME" "$d"
	directories
	renames
	exchange
	if [ -n "$busybox" ]; then
		own_proc
		bundles
	else
		skip "roots and bundles of others" "no busybox"
	fi
done
finish
