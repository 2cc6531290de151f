#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240 vm=900
#
# Walls by themselves: Landlock behind the mounts, profiles of one's own, the keyring, limits and what else
# a process inherits, masks. As root and as an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons" "$BUILD/bin/cratons-init" "$T/bin"
cp "$BUILD/test/probe" "$T"
TOOL=$T/bin/sandbox-tool
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"
abi=$("$TOOL" doctor | sed -n 's/^landlock.*ABI \([0-9]*\).*/\1/p' | head -n 1)

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
box() { as "$TOOL" "$@"; }
name() { echo "uid $uid: $1"; }

# Mounts are read-only too, so Landlock is seen where they are not: by the kind of error.
landlock() {
	# Linux 6.1's lets whiteouts pass, which are character devices of no driver.
	local white=$'\n13'
	[ "$(printf '%s\n' 6.7 "$(uname -r)" | sort -V | head -n 1)" = 6.7 ] || white=
	if [ "${abi:-0}" -lt 2 ]; then
		skip "$(name "files by Landlock")" "ABI ${abi:-0}"
	else
		is "$(box --bind "$d" -- sh -c "echo a >'$d/f' && mkdir '$d/d' && mv '$d/f' '$d/d/g' && ln '$d/d/g' '$d/h' && rm -r '$d/d' && cat '$d/h'")" a "$(name "what is bound can be written, moved and linked")"
		is "$(box -- python3 -c 'import os
for mode in (0o060644, 0o020644):
    try: os.mknod("/tmp/n", mode, 0)
    except OSError as e: print(e.errno)')" "13${white}" "$(name "no device node, not even the harmless one")"
		rm -rf "${d:?}"/*
		: >"$d/out" && : >"$d/err" && chmod 666 "$d/out" "$d/err"
		box -- sh -c 'echo one >/dev/stdout; echo two >>/dev/stderr' >"$d/out" 2>"$d/err"
		is "$(cat "$d/out" "$d/err" | tr '\n' ' ')" "one two " "$(name "a file handed in as output opens by /dev/stdout")"
		echo in >"$d/in"
		chmod 666 "$d/in"
		box -- sh -c 'echo written >/proc/self/fd/0' <"$d/in" 2>/dev/null
		is "$(cat "$d/in")" in "$(name "one handed in as input does not open for writing")"
	fi
}

# Of the host's network, in a network namespace of the test's own. Judged by error: 0, 111 (nobody listens),
# 13 (not allowed), 95 (no TCP Fast Open).
ports_py='import socket, sys
from socket import create_connection, MSG_FASTOPEN
def error(f):
    try: f(); return 0
    except OSError as e: return e.errno
def send(*a): socket.socket().sendto(b"x", MSG_FASTOPEN, a)
def sendmsg(*a): socket.socket().sendmsg([b"x"], [], MSG_FASTOPEN, a)
def listen(port): s = socket.socket(); s.bind(("127.0.0.1", port)); s.listen()
l = "127.0.0.1"
print(*[error(f) for f in (lambda: create_connection((l, 9)), lambda: create_connection((l, 10)),
    lambda: send(l, 10), lambda: sendmsg(l, 10), lambda: listen(7399), lambda: listen(7398), lambda: listen(0))])'
ports() {
	local p id
	if [ "${abi:-0}" -lt 4 ]; then
		has "$(box --net host --tcp-connect 9 -- true 2>&1)" "cannot limit a container to some TCP ports (Landlock ABI" \
			"$(name "a kernel without Landlock's ports: refused, and told")"
		return
	fi
	is "$(box --net host -- /usr/bin/python3 -c "$ports_py")" "111 111 111 111 0 0 0" "$(name "without limits all ports of the host's network")"
	is "$(box --net host --tcp-connect 9 --tcp-listen 7399 -- /usr/bin/python3 -c "$ports_py")" "111 13 95 95 0 13 13" \
		"$(name "ports of the host's network: those that are named, also for TCP Fast Open")"
	is "$(box --net host --tcp-connect 5-9,11 -- /usr/bin/python3 -c "$ports_py")" "111 13 95 95 0 0 0" "$(name "a range; listening is not concerned")"
	is "$(box --net host --tcp-connect none --tcp-listen 0,7000-8000 -- /usr/bin/python3 -c "$ports_py")" "13 13 95 95 0 0 0" \
		"$(name "none; and those that the kernel chooses")"
	is "$(box --net host --tcp-connect 1-65535 --tcp-listen none -- /usr/bin/python3 -c "$ports_py")" "111 111 111 111 13 13 13" "$(name "all but to listen")"
	is "$(box --tcp-connect 9 -- /usr/bin/python3 -c "$ports_py")" "111 13 95 95 0 0 0" "$(name "of a network of its own too")"
	for p in 0 70000 9-5 a 80, ""; do
		has "$(box --net host --tcp-connect "$p" -- true 2>&1)" "'$p' is no list of ports" "$(name "not a list of ports: '$p'")"
	done
	is "$(cratons container run --rm --net host --tcp-connect 9 --tcp-listen 7399 -- /usr/bin/python3 -c "$ports_py")" "111 13 95 95 0 13 13" \
		"$(name "container run has the options")"
	id=$(cratons container run -d --net host --tcp-connect 9 --tcp-listen 7399 -- sleep 60 </dev/null)
	is "$(cratons container exec "$id" -- /usr/bin/python3 -c "$ports_py")" "111 13 95 95 0 13 13" "$(name "a further command is bound by them too")"
	is "$(cratons container inspect "$id" | grep -o '"tcp_[a-z]*": *"[0-9]*"' | tr -d ' \n')" '"tcp_connect":"9""tcp_listen":"7399"' "$(name "and the record has them")"
	cratons container rm --force "$id" >/dev/null
}
cratons() { as env CRATONS_HOME="$d/home" "$T/bin/cratons" "$@"; }

profiles() {
	cat >"$T/own.toml" <<-'END'
	version = 1
	name = "own"
	base = "default"
	[[allow]]
	why = "to look at keys"
	calls = ["keyctl", "request_key"]
	[[refuse]]
	why = "nobody needs it"
	error = "EACCES"
	calls = ["uname"]
	END
	chmod 644 "$T/own.toml"
	is "$(box --seccomp "$T/own.toml" -- python3 -c 'import os
try: os.uname()
except OSError as e: print(e.errno)')" 13 "$(name "a profile of one's own is in force")"
	has "$(box --seccomp "$T/none.toml" -- true 2>&1)" "cannot read the seccomp profile" "$(name "one that is not there is named")"
	echo 'version = 1
[[allow]]
why = "x"
calls = ["raed"]' >"$T/bad.toml"
	has "$(box --seccomp "$T/bad.toml" -- true 2>&1)" "no call 'raed'" "$(name "a misspelt call in it too")"
}

# The caller has a session keyring of its own, with a key in it.
keyring() {
	cat >"$T/keys.py" <<-'END'
	import ctypes, os, sys
	libc = ctypes.CDLL(None, use_errno=True)
	call = lambda *a: libc.syscall(*a)
	ADD, CTL = (248, 250) if os.uname().machine == "x86_64" else (217, 219)
	if sys.argv[1] == "hold":
	    call(CTL, 1, None)
	    key = call(ADD, b"user", b"cratons-secret", b"s3cret", 6, -3)
	    os.execv(sys.argv[2], sys.argv[2:])
	serial = call(CTL, 10, -3, b"user", b"cratons-secret", 0)
	print("found" if serial > 0 else "none")
	END
	chmod 644 "$T/keys.py"
	sed 's/"uname"/"sysfs"/' "$T/own.toml" >"$T/keys.toml"
	chmod 644 "$T/keys.toml"
	is "$(as /usr/bin/python3 "$T/keys.py" hold /usr/bin/python3 "$T/keys.py" find)" found "$(name "outside a key of the session is found")"
	is "$(as /usr/bin/python3 "$T/keys.py" hold "$TOOL" --seccomp "$T/keys.toml" --ro-bind "$T/keys.py" -- python3 "$T/keys.py" find)" none "$(name "inside it is not, even where keyctl is allowed")"
}

inherited() {
	is "$(ulimit -Sn 77; ulimit -Ss 1000; ulimit -St 50; box -- sh -c 'ulimit -Sn; ulimit -Ss; ulimit -St')" "1024
8192
unlimited" "$(name "soft limits are the container's own")"
	is "$(ulimit -n 300; box -- sh -c 'ulimit -Sn; ulimit -Hn')" "300
300" "$(name "hard ones are kept")"
	is "$(box -- bash -c 'ulimit -Hc; ulimit -He; ulimit -Hr')" "0
0
0" "$(name "no core, no priority")"
	is "$(as setarch -R "$TOOL" -- cat /proc/self/personality)" 00000000 "$(name "the execution domain is the usual one")"
	is "$(umask 077; box -- sh -c umask)" 0022 "$(name "so is the umask")"
	is "$(cd / && box -- pwd; cd "$T" && box --bind "$d" --cwd "$d" -- pwd)" "/
$d" "$(name "the directory is the one that was asked for")"
	is "$(nice -n 5 sh -c "exec $TOOL -- nice")" $(($(nice) + 5)) "$(name "a lower priority is kept")"
	is "$(($(box --time-namespace -- cut -d. -f1 /proc/uptime) / 10))" 0 "$(name "a time namespace: up since now")"
}

# What is counted for the user: a container has a share.
shares() {
	local soft n
	is "$(box -- sh -c 'cat /proc/sys/user/max_inotify_instances /proc/sys/user/max_inotify_watches')" \
		"$(($(cat /proc/sys/fs/inotify/max_user_instances) / 2))
$(($(cat /proc/sys/fs/inotify/max_user_watches) / 2))" "$(name "half of the user's inotify instances and watches")"
	soft=$(ulimit -Si)
	is "$(box -- bash -c 'ulimit -Si; ulimit -Hi')" "$((soft - soft / 4))
$((soft - soft / 4))" "$(name "three quarters of its signals")"
	is "$(as bash -c 'ulimit -Sl 1000; exec "$@"' bash "$TOOL" -- bash -c 'ulimit -Hl')" 750 "$(name "and of its locked memory")"
	is "$(box -- sh -c 'sed -n "s/.* devpts .*max=/max=/p" /proc/mounts' | cut -d' ' -f1)" max=256 "$(name "terminals are bounded")"
	[ "$uid" != 0 ] || return
	has "$(as prlimit --nproc=1 "$TOOL" -- true 2>&1)" "too many processes for another container" "$(name "no container where the user has no process to spare")"
	# Together they leave the same quarter.
	for n in 1 2 3; do
		box --ro-bind "$T/probe" -- "$T/probe" use-up signals "share$n" 200000 >"$T/share$n" 2>&1 &
	done
	for n in {1..100}; do [ "$(cat "$T"/share? | grep -c holding)" = 3 ] && break; sleep 0.1; done
	as "$T/probe" take-some signals 1000 >"$T/left"
	is "$(cat "$T"/share? | grep -c holding; cat "$T/left")" "3
took 1000" "$(name "three containers that queue all signals they can leave some to the user")"
	kill $(jobs -p)
	wait
}

masks() {
	mkdir -p "$d/m/secret"
	echo s >"$d/m/secret/key"
	echo t >"$d/m/token"
	echo c >"$d/m/config"
	is "$(box --bind "$d/m:/m" --mask /m/secret --mask /m/token --seal /m/config --mask /m/not-there --seal /m/nor-this -- \
		sh -c 'ls /m/secret | wc -l; wc -c </m/token; cat /m/config; echo x 2>/dev/null >/m/config || echo sealed; ls /m | wc -l' 2>/dev/null)" "0
0
c
sealed
3" "$(name "covered, sealed, and nothing made for what is not there")"
}

# Judged by what the same user reads outside.
covered() {
	local f seen=0
	for f in acpi asound bus fs scsi; do
		[ -d /proc/$f ] || continue
		is "$(box -- sh -c "ls -A /proc/$f | wc -l; mkdir /proc/$f/x 2>/dev/null || echo none")" "0
none" "$(name "/proc/$f is empty")"
	done
	for f in interrupts cmdline keys timer_list kpagecount slabinfo vmallocinfo pagetypeinfo iomem; do
		[ -n "$(as head -c 64 "/proc/$f" 2>/dev/null | tr -d '\0')" ] || continue
		seen=$((seen + 1))
		is "$(box -- head -c 64 "/proc/$f" 2>/dev/null | wc -c)" 0 "$(name "/proc/$f is empty")"
	done
	[ $seen != 0 ] && ok "$(name "which it is not outside")" || not_ok "$(name "which it is not outside")"
	is "$(box -- sh -c 'grep -c processor /proc/cpuinfo; grep -c MemTotal /proc/meminfo; test -r /proc/stat && echo y')" "$(nproc)
1
y" "$(name "processors and memory can be read: runtimes ask")"
}

for uid in $uids; do
	d=$T/d$uid
	mkdir -p "$d" && chown "$uid" "$d"
	landlock
	ports
	profiles
	keyring
	inherited
	shares
	masks
	covered
done
finish
