#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# What people type first who come from other tools for containers: it works, or is refused with what to do.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

run() { c container run --rm "$@"; }
refused() { # STATUS PART NAME ARGUMENT...
	local status=$1 part=$2 name=$3
	shift 3
	exits "$status" "$name" c "$@"
	has "$err" "$part" "$name: says what to do"
}

files() { # WHO
	is "$(run --ro-bind /:/host -- sh -c 'cat /host/etc/hostname; touch /host/tmp/x 2>/dev/null || echo not' 2>&1)" \
		"$(cat /etc/hostname)
not" "$1: all of the host, to be read"
	is "$(run --ro-bind /dev/null:/etc/passwd --bind /dev/zero:/z -- sh -c 'cat /etc/passwd; head -c 9 /z | wc -c; chmod 0 /z 2>/dev/null || echo not')" \
		"9
not" "$1: a file is hidden by /dev/null"
	refused 50 "no other device" "$1: a device" container run --bind /dev/tty:/x -- true
	refused 2 "one colon" "$1: options after a target" container run --ro-bind "$T:/x:ro" -- true
	refused 2 "no size" "$1: a tmpfs of nothing" container run --tmpfs /x:0 -- true
}

names() { # WHO
	local root=$T/root
	is "$(run --hostname web -- getent hosts web)" "127.0.0.1       localhost web" "$1: its own name has an address"
	refused 50 "no host name" "$1: a host name of two lines" container run --hostname $'a\nb' -- true
	refused 50 "no host name" "$1: a host name of nothing" container run --hostname '' -- true
	[ -d "$root" ] || { mkdir -p "$root/bin" "$root/etc" && cp "$busybox" "$root/bin" && ln -s busybox "$root/bin/sh"; }
	is "$(run --rootfs "$root" --net example.org:80 -- busybox sed 's/\.[0-9]*$//' /etc/resolv.conf)" "nameserver 198.18.0" \
		"$1: a root of its own asks the door for names"
	is "$(run --rootfs "$root" -- busybox cat /etc/hosts | head -n 1)" "127.0.0.1	localhost cratons" "$1: and has its own name too"
}

environment() { # WHO
	printf 'A=1 2\r\n\n# B=3\nC="4"\nTAKEN\nPATH=/x\n' >"$T/env" && printf '=x\n' >"$T/bad"
	is "$(TAKEN=y run --env-file "$T/env" --env C=5 -- /usr/bin/env | grep -E '^(A|B|C|TAKEN|PATH)=')" "C=5
A=1 2
TAKEN=y
PATH=/x" "$1: variables from a file, --env before it"
	refused 2 "$T/bad:1" "$1: a line without a name" container run --env-file "$T/bad" -- true
	refused 2 "--env NAME=VALUE" "$1: a variable without a name" container run --env =x -- true
	exits 50 "$1: a file that is not there" c container run --env-file "$T/none" -- true
	is "$(run --scratch 1M -- sh -c 'head -c 2000000 /dev/zero >/tmp/x; wc -c </tmp/x' 2>/dev/null)" 1032192 "$1: --scratch"
	umask 0777
	exits 0 "$1: a umask that takes all" run -- sh -c '[ $(umask) = 0022 ]'
	umask 0022
}

# 1 is for the command: what fails before it has its own status.
statuses() { # WHO
	refused 50 "cannot bind" "$1: a bind of nothing" container run --bind /nosuch -- true
	refused 50 "cannot read" "$1: a bundle of nothing" container run --bundle /nosuch
	refused 50 "cannot start in /nosuch" "$1: a directory that is not there" container run --rm -w /nosuch -- true
	refused 127 "--bind SOURCE:TARGET" "$1: -v is no volume" container run --rm -v "$T:/x" -- true
	c container run -d --name taken --publish 18493:1 -- sleep 60 >/dev/null
	refused 50 "HOSTPORT:PORT takes another" "$1: a port that is taken" container run --rm --publish 18493:1 -- true
	c container kill -s sigterm taken
	is "$(c container wait taken)" 143 "$1: a signal in small letters"
	refused 50 "it has exited" "$1: exec into one that has ended" container exec taken true
	c container rm taken
	[ "$(id -u) $1" != "0 uid 0" ] || return
	refused 50 "are root's" "$1: a port of root's" container run --rm --publish 80:80 -- true
}

foreign() { # WHO
	refused 2 "--bind SOURCE:TARGET" "$1: --volume" container run --volume /a:/b -- true
	refused 2 "leave it out" "$1: -it" container run -it -- true
	refused 2 "never has capabilities" "$1: --privileged" container run --privileged -- true
	refused 2 "leave it out" "$1: exec -it" container exec -it x sh
	refused 2 "did you mean '--name'" "$1: a misspelling is told as before" container run --nmae x -- true
}

tails() { # WHO
	c container run -d --name tail --log-max 40 -- sh -c 'seq 100 120; printf end; seq 3 >&2' >/dev/null
	c container wait tail >/dev/null
	is "$(c logs -n 2 tail 2>/dev/null)" "120
end" "$1: the last lines"
	is "$(c logs --tail 9 tail 2>/dev/null | wc -l)" 8 "$1: across two files"
	is "$(c logs --tail 0 tail 2>&1)" "" "$1: none of them"
	is "$(c logs --tail 1 tail 2>&1 >/dev/null)" 3 "$1: of each stream"
	is "$(c logs --tail 999 tail 2>/dev/null)" "$(c logs tail 2>/dev/null)" "$1: more than there are"
	c container rm tail
}

try() { # WHO
	environment "$1"
	statuses "$1"
	foreign "$1"
	tails "$1"
	files "$1"
	[ -z "$busybox" ] && skip "$1: names" "needs a static busybox, to make a root of" || names "$1"
}

busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 || busybox=
chmod 755 "$T"
c() { cratons "$@"; }
try "uid $(id -u)"
if nobody_home; then
	c() { as_nobody cratons "$@"; }
	try "uid $NOBODY"
else
	skip "as an ordinary user" "only root can become one"
fi
finish
