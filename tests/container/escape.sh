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

for uid in $uids; do
	export CRATONS_HOME=$T/home$uid
	d=$T/d$uid
	mkdir "$CRATONS_HOME" "$d"
	chown "$uid" "$CRATONS_HOME" "$d"
	directories
	renames
done
finish
