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

try() { # WHO
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
