#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240 vm=600
#
# Roots that are not the host's: which may be one, what is mounted in them, and where writes go. As root
# and as an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$T/bin"
TOOL=$T/bin/sandbox-tool
busybox=$(command -v busybox) || skip_all "needs busybox, to make a root of"
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
box() { as "$TOOL" "$@"; }
name() { echo "uid $uid: $1"; }

# A root with or without the places to mount on.
make_root() { # DIR [places]
	mkdir -p "$1/bin" "$1/etc"
	cp "$busybox" "$1/bin/busybox"
	local l
	ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*' | while read -r l; do
		mkdir -p "$1/$(dirname "$l")"
		cp -L "$l" "$1/$l"
	done
	for l in sh ls cat touch rm mkdir id hostname mount readlink stat env true test grep cut tr wc find; do ln -s busybox "$1/bin/$l"; done
	echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"
	echo 1.2.3.4 other >"$1/etc/hosts"
	ln -s ../run/nowhere/resolv.conf "$1/etc/resolv.conf"
	[ $# -lt 2 ] || mkdir -p "$1/proc" "$1/dev" "$1/tmp" "$1/var/tmp" "$1/home/user"
	[ $# -lt 2 ] || : >"$1/etc/hostname"
	chown -R "$uid:$uid" "$1"
}

refused() { # ROOT PART NAME
	box --rootfs "$1" -- true >/dev/null 2>"$T/err"
	is "$?" 125 "$(name "$3 is no root")"
	has "$(cat "$T/err")" "$2" "$(name "$3: says why")"
}

which_roots() {
	refused / "holds the host's" "/"
	refused /usr "holds the host's /usr" "/usr"
	refused /var "holds the host's /var/lib" "a directory above one of the system's"
	refused "$T/none" "No such file" "nothing"
	refused "$TOOL" "not a directory" "a file"
	mkdir -p "$T/e$uid" && chown "$uid" "$T/e$uid"
	refused "$T/e$uid" "does not look like a root" "an empty directory"
	make_root "$T/w$uid" && chmod o+w "$T/w$uid"
	refused "$T/w$uid" "everybody may write" "one that everybody may write"
	ln -sfn / "$T/l$uid"
	refused "$T/l$uid" "holds the host's" "a link to one that may not"
	make_root "$T/o$uid" && chown 1234 "$T/o$uid" 2>/dev/null && refused "$T/o$uid" "belongs to uid 1234" "somebody else's"
}

inside() { # of the root $1, named $2
	local r=$1
	is "$(box --rootfs "$r" --home /home/user -- sh -c 'cat /etc/hostname; hostname; cat /etc/passwd | cut -d: -f1')" "cratons
cratons
root" "$(name "$2: its own users, our host name")"
	is "$(box --rootfs "$r" --home /home/user -- cat /etc/hosts | grep -c other)" 0 "$(name "$2: its hosts are covered")"
	is "$(box --rootfs "$r" --home /home/user --net host -- sh -c 'test -f /etc/resolv.conf && echo y')" y "$(name "$2: also where a link leads nowhere")"
	is "$(box --rootfs "$r" --home /home/user -- sh -c 'for p in / /bin /etc /dev /proc; do touch $p/x 2>/dev/null && echo $p; done')" "" "$(name "$2: read-only")"
	is "$(box --rootfs "$r" --home /home/user -- sh -c 'for p in /tmp /var/tmp /dev/shm /home/user; do touch $p/x || echo $p; done')" "" "$(name "$2: but for its scratch")"
	is "$(box --rootfs "$r" --home /home/user --read-only -- sh -c 'for p in / /tmp /var/tmp /dev/shm /home/user /dev; do touch $p/x 2>/dev/null && echo $p; done')" "" "$(name "$2: --read-only leaves none")"
	is "$(box --rootfs "$r" --home /home/user -- sh -c 'cd /proc && echo [0-9]*; ls /dev | wc -l; head -c 1 /dev/zero 2>/dev/null | wc -c' 2>/dev/null | tr '\n' ' ')" "1 2 13 1 " "$(name "$2: /proc and /dev of its own")"
	is "$(box --rootfs "$r" --home /home/user --file "text:/etc/new" --ro-bind "$TOOL:/opt/x/tool" -- sh -c 'cat /etc/new; test -f /opt/x/tool && echo y')" "texty" "$(name "$2: files and binds at places that it does not have")"
	is "$(cd "$r" && find . -newer "$T/stamp" | grep -v '^\.$')" "" "$(name "$2: nothing was made in it")"
}

layers() {
	local r=$T/r$uid k=$T/k$uid
	is "$(box --rootfs "$r" --layer scratch -- sh -c 'echo x >/etc/passwd; rm /bin/ls; mkdir /new; cat /etc/passwd; test -e /bin/ls || echo gone')" "x
gone" "$(name "a throw-away layer takes writes")"
	is "$(cat "$r/etc/passwd" | cut -c1-4; ls -d "$r/bin/ls" "$r/new" 2>/dev/null | wc -l)" "root
1" "$(name "which are lost")"
	box --rootfs "$r" --layer scratch --scratch-size 100000 -- sh -c 'cat /dev/zero >/big' 2>/dev/null
	is "$?" 1 "$(name "and bounded")"
	mkdir -p "$k" && chown "$uid" "$k"
	box --rootfs "$r" --layer "$k/here" -- sh -c 'echo kept >/etc/passwd; mkdir /new'
	is "$(box --rootfs "$r" --layer "$k/here" -- cat /etc/passwd)" kept "$(name "a kept layer is there again")"
	is "$(cut -c1-4 "$r/etc/passwd")" root "$(name "and not in the root")"
	is "$(box --rootfs "$r" -- cut -c1-4 /etc/passwd)" root "$(name "nor without it")"
	is "$(box --rootfs "$r" --layer "$k/here" -- sh -c 'touch /dev/x /proc/x 2>/dev/null || echo no')" no "$(name "/dev is no part of it")"
	rm -rf "$k/bad" && mkdir "$k/bad" && ln -s / "$k/bad/upper" && chown -h "$uid" "$k/bad" "$k/bad/upper"
	box --rootfs "$r" --layer "$k/bad" -- true 2>/dev/null
	is "$?" 125 "$(name "its directories may not be links")"
	box --rootfs "$r" --layer direct -- sh -c 'echo direct >/etc/direct'
	is "$(cat "$r/etc/direct")" direct "$(name "a root that may be written is")"
	rm -f "$r/etc/direct"
	is "$(box --layer scratch -- sh -c 'touch /new /tmp/x && ls / | grep new')" new "$(name "the host's: writes to / are lost")"
	[ "$uid" != 0 ] || is "$(box --layer scratch -- sh -c 'touch /usr/bin/new && ls /usr/bin/new')" /usr/bin/new "$(name "and to /usr")"
	is "$(ls /usr/bin/new /new 2>/dev/null)" "" "$(name "on the host there is nothing")"
	box --layer direct -- true 2>/dev/null
	is "$?" 125 "$(name "the host's /usr itself is never written")"
}

# Whatever lay on top of the new root while it was made: nothing of it may be left above.
above() {
	local layer k=$T/a$uid
	mkdir -p "$k" && chown "$uid" "$k"
	for layer in none scratch direct "$k/kept"; do
		is "$(box --rootfs "$T/p$uid" --layer "$layer" -- sh -c 'cd / && ls .. && ls ../../.. && ls /proc/self/root/..' | grep -c -x -e work -e usr -e root -e sbin)" 0 "$(name "nothing above the root, layer ${layer##*/}")"
	done
	is "$(box --layer scratch -- sh -c "ls '/..$T' 2>/dev/null | wc -l")" 0 "$(name "nor above the host's, with a layer")"
}

hostile() { # a root that was made to lead out
	local r=$T/h$uid out=$T/out$uid
	make_root "$r"
	mkdir -p "$out" && chown "$uid" "$out"
	ln -s "$out" "$r/tmp"
	ln -s "$out" "$r/var"
	ln -s /proc/self/root "$r/magic"
	ln -s "$out" "$r/home"
	rm "$r/etc/hosts" && ln -s "$out/hosts" "$r/etc/hosts"
	box --rootfs "$r" --home /home/user --layer direct -- sh -c 'echo x >/tmp/x' 2>/dev/null
	box --rootfs "$r" --home /home/user --layer scratch --tmpfs /magic/x -- true 2>/dev/null
	box --rootfs "$r" --home /home/user -- sh -c 'echo x >/tmp/x; echo x >/etc/hosts' 2>/dev/null
	is "$(ls -A "$out")" "" "$(name "links of a root lead nowhere on the host")"
	r=$T/d$uid
	make_root "$r"
	ln -s "$out" "$r/dev"
	ln -s "$out" "$r/proc"
	box --rootfs "$r" -- true 2>/dev/null
	box --rootfs "$r" --layer direct -- true 2>/dev/null
	is "$(ls -A "$out")" "" "$(name "also as /dev and /proc")"
}

# As debootstrap leaves it: root's, run by others, and without the places to mount on.
of_roots() {
	local r=$T/s$uid k=$T/sk$uid
	make_root "$r"
	chown -R 0:0 "$r" && mkdir -m 755 "$r/opt" && ln -s opt "$r/link"
	rm "$r/etc/hosts"
	mkdir -p "$k" && chown "$uid" "$k"
	touch -d @0 "$T/stamp0" && find "$r" -exec touch -h -d @0 {} +
	is "$(box --rootfs "$r" --home /home/user --ro-bind "$TOOL:/link/a/tool" --tmpfs /srv/b/../c -- sh -c 'cat /etc/hosts | grep -v :; ls /etc/passwd /opt/a/tool; touch /tmp/x ~/x /srv/c/x; touch /etc/x 2>/dev/null || echo read-only' 2>&1)" "127.0.0.1	localhost cratons
/etc/passwd
/opt/a/tool
read-only" "$(name "a root of root's: places that it lacks, beside what it has")"
	is "$(box --rootfs "$r" --layer "$k/here" -- sh -c 'ls /bin/sh && echo x >/etc/x'; box --rootfs "$r" --layer "$k/here" -- cat /etc/x)" "/bin/sh
x" "$(name "a root of root's: a kept layer")"
	is "$(find "$r" -newer "$T/stamp0")" "" "$(name "a root of root's: nothing was made in it")"
}

for uid in $uids; do
	[ "$(id -u)" != 0 ] || of_roots
	which_roots
	make_root "$T/r$uid"
	make_root "$T/p$uid" places
	sleep 0.01
	: >"$T/stamp"
	inside "$T/r$uid" "a bare root"
	inside "$T/p$uid" "a complete root"
	layers
	above
	hostile
	is "$(($(box --time-namespace -- cut -d. -f1 /proc/uptime) / 10))" 0 "$(name "a time namespace: up since now")"
done
finish
