#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240
#
# The jail of the process that talks to registries. Each attack first succeeds without it, and is judged
# from outside: by a file, a listener, a victim. What the process needs works inside.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/jail-tool" "$T/bin"
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
as_exec() {
	if [ "$uid" = "$(id -u)" ]; then exec "$@"; else
		exec setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
wrapper=
free() { as $wrapper "$T/bin/jail-tool" --free "$@" 2>"$T/err"; }
jailed() { as $wrapper "$T/bin/jail-tool" --store "$S" --port "$PORT" "$@" 2>"$T/err"; }

# attack NAME PREPARE JUDGE PROBE ARGUMENT...: JUDGE says whether it won.
attack() {
	local name="uid $uid: $1" prepare=$2 judge=$3
	shift 3
	eval "$prepare"
	free "$@" >"$T/out"
	if ! eval "$judge"; then
		not_ok "$name: succeeds without the jail" "$(cat "$T/err")"
		return
	fi
	eval "$prepare"
	jailed "$@" >"$T/out"
	if eval "$judge"; then not_ok "$name"; else ok "$name"; fi
	has_not "$(cat "$T/err")" "jail-tool:" "$name: it was the jail"
}

# works NAME PREPARE JUDGE PROBE ARGUMENT...: the allowed twin.
works() {
	local name="uid $uid: $1" prepare=$2 judge=$3
	shift 3
	eval "$prepare"
	jailed "$@" >"$T/out"
	if eval "$judge"; then ok "$name"; else not_ok "$name" "$(cat "$T/err")"; fi
}

files() {
	attack "a key in home is not read" : 'grep -q canary "$T/out"' read "$D/.ssh/id"
	attack "nor is another file of the host" : 'grep -q canary "$T/out"' read "$T/etc-shadow"
	attack "nothing is made outside the store" 'rm -f "$D/new"' '[ -e "$D/new" ]' create "$D/new"
	attack "nothing is written to" ': >"$D/rc"' '[ -s "$D/rc" ]' append "$D/rc"
	attack "nothing is cut" 'echo x >"$D/rc"; chown $uid "$D/rc"' '[ ! -s "$D/rc" ]' truncate "$D/rc"
	attack "nothing is removed" 'touch "$D/old"; chown $uid "$D/old"' '[ ! -e "$D/old" ]' remove "$D/old"
	attack "nothing leaves the store" 'rm -f "$D/out"; touch "$S/a/f"; chown $uid "$S/a/f"' '[ -e "$D/out" ]' rename "$S/a/f" "$D/out"
	attack "nothing is linked into it" 'rm -f "$S/a/l"' '[ -e "$S/a/l" ]' link "$D/.ssh/id" "$S/a/l"
	attack "no mode is changed" 'chmod 600 "$D/rc"' '[ "$(stat -c %a "$D/rc")" = 777 ]' chmod "$D/rc"
	attack "no time is" 'touch "$D/rc"' '[ "$(stat -c %Y "$D/rc")" = 1 ]' touch "$D/rc"
	works "the store is written" 'rm -f "$S/new"' '[ -e "$S/new" ]' create "$S/new"
	works "and renamed in, across folders" 'rm -f "$S/b/f"; touch "$S/a/f"; chown $uid "$S/a/f"' '[ -e "$S/b/f" ]' rename "$S/a/f" "$S/b/f"
	works "libraries are read" : '[ -s "$T/out" ]' read /usr/lib/os-release
	works "and where names are looked up" : 'cmp -s "$T/out" /etc/nsswitch.conf' read /etc/nsswitch.conf
}

programs() {
	local go='rm -f "$D/ran"' ran='[ -e "$D/ran" ]'
	attack "no program runs" "$go" "$ran" exec "$D/program"
	attack "not even one in the store" "$go" "$ran" exec "$S/program"
	attack "nor one that is in memory only" : 'grep -q "^uid=" "$T/out"' memfd /usr/bin/id
	attack "no process is made" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' fork "$S/ran"
	attack "written memory does not run" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' code "$S/ran"
	attack "nor after its protection was changed" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' code "$S/ran" later
	attack "no user namespace" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' userns "$S/ran"
	attack "no ring of its own" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' uring "$S/ran"
	attack "nothing lives on without its caller" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' outlive "$S/ran"
	works "threads" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' thread "$S/ran"
}

victim_new() {
	[ -z "${victim:-}" ] || { kill -9 $victim; wait $victim; } 2>/dev/null
	(as_exec env SECRET=canary sleep 100) &
	victim=$!
	for i in {1..100}; do grep -qs sleep /proc/$victim/comm && break; sleep 0.02; done
}
victim_gone() { sleep 0.1; ! kill -0 $victim 2>/dev/null || grep -q "State:	Z" /proc/$victim/status; }

others() {
	for how in kill tgkill trace; do
		# Expanded when the probe is started.
		victim_new
		free $how $victim >/dev/null
		if victim_gone; then ok "uid $uid: $how ends a victim"; else not_ok "uid $uid: $how ends a victim" "$(cat "$T/err")"; fi
		victim_new
		jailed $how $victim >/dev/null
		if victim_gone; then not_ok "uid $uid: $how: not from the jail"; else ok "uid $uid: $how: not from the jail"; fi
	done
	attack "another's secrets are not read" : 'grep -q canary "$T/out"' mem $victim
	{ kill -9 $victim; wait $victim; } 2>/dev/null
	SECRET=canary attack "nor its own caller's variables" : 'grep -q canary "$T/out"' environment
	LC_TIME=canary works "but for those that libraries need" : 'grep -q LC_TIME=canary "$T/out"' environment
}

# sockets NAME "FAMILY TYPE PROTOCOL"...: the first that this host gives to this user.
sockets() {
	local name=$1 s
	shift
	for s in "$@"; do
		rm -f "$S/ran"
		free socket $s "$S/ran" && { attack "$name" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' socket $s "$S/ran"; return; }
	done
	skip "uid $uid: $name" "this host gives none to this user without the jail either"
}

came() { sleep 0.1; [ -s "$T/net/$1" ]; }
network() {
	local none=': >"$T/net/other"'
	attack "no other port" "$none" 'came other' connect "$OTHER"
	attack "nor by TCP Fast Open" "$none" 'came other' fastopen "$OTHER"
	attack "nor by Multipath TCP" "$none" 'came other' mptcp "$OTHER"
	attack "no abstract socket of the host" ': >"$T/net/abstract"' 'came abstract' abstract "$ABSTRACT"
	attack "no socket of the host by its path" ': >"$T/net/path"' 'came path' unix "$T/net.path"
	attack "nor with half of a pair" ': >"$T/net/datagram"' 'came datagram' pair "$T/net.datagram"
	# In a network of its own, where root of this machine or of a namespace may.
	wrapper="unshare -Urn"
	attack "no route is made" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' route "$S/ran"
	wrapper=
	sockets "no raw socket" '2 3 1' '2 2 1'
	sockets "no socket of another family" '40 1 0' '17 3 0' '38 5 0' '15 3 2' '30 5 0'
	attack "no netlink but routes" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' socket 16 3 9 "$S/ran"
	works "the registry's port" ': >"$T/net/port"' 'came port' connect "$PORT"
	works "netlink's routes, for name resolution" 'rm -f "$S/ran"' '[ -e "$S/ran" ]' socket 16 524291 0 "$S/ran"
	free listen "$LATER" & sleep 0.3
	if (: <>"/dev/tcp/127.0.0.1/$LATER") 2>/dev/null; then ok "uid $uid: a listener is reached"; else not_ok "uid $uid: a listener is reached"; fi
	wait $!
	jailed listen "$LATER" & sleep 0.3
	if (: <>"/dev/tcp/127.0.0.1/$LATER") 2>/dev/null; then not_ok "uid $uid: nothing listens"; else ok "uid $uid: nothing listens"; fi
	wait $!
}

# One line in a file for each connection: two ports, an abstract socket; and a port that is free.
mkdir "$T/net"
cat >"$T/listen.py" <<'PY'
import os, selectors, socket, sys
t, ready = sys.argv[1:]
s = selectors.DefaultSelector()
def add(name, sock):
    sock.listen(8)
    s.register(sock, selectors.EVENT_READ, name)
    return sock.getsockname()
def tcp(protocol=0):
    k = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    k.bind(('127.0.0.1', 0))
    return k
try:
    other = tcp(262)
except OSError:
    other = tcp()
other.setsockopt(socket.IPPROTO_TCP, 23, 8) # TCP_FASTOPEN
names = [add('port', tcp())[1], add('other', other)[1]]
free = tcp(); names.append(free.getsockname()[1]); free.close()
a = socket.socket(socket.AF_UNIX); a.bind('\0cratons-jail-%d' % os.getpid())
add('abstract', a)
names.append('cratons-jail-%d' % os.getpid())
p = socket.socket(socket.AF_UNIX); p.bind(t + '.path')
add('path', p)
g = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); g.bind(t + '.datagram')
s.register(g, selectors.EVENT_READ, 'datagram')
for n in 'path', 'datagram':
    os.chmod(t + '.' + n, 0o777)
open(ready + '.new', 'w').write(' '.join(map(str, names))); os.rename(ready + '.new', ready)
while True:
    for key, _ in s.select():
        if key.fileobj.type == socket.SOCK_DGRAM:
            key.fileobj.recv(9)
        else:
            key.fileobj.accept()[0].close()
        open(t + '/' + key.data, 'a').write('x')
PY
python3 "$T/listen.py" "$T/net" "$T/ready" &
listener=$!
at_end "kill $listener"
for i in {1..100}; do [ -s "$T/ready" ] && break; sleep 0.05; done
read -r PORT OTHER LATER ABSTRACT <"$T/ready"
for uid in $uids; do
	D=$T/d$uid S=$T/s$uid
	mkdir -p "$D/.ssh" "$S/a" "$S/b"
	echo canary | tee "$D/.ssh/id" >"$T/etc-shadow"
	printf '#!/bin/sh\n: >"%s/ran"\n' "$D" | tee "$D/program" >"$S/program"
	: >"$D/rc"
	chmod 755 "$D/program" "$S/program"
	chown -R "$uid" "$D" "$S"
	files
	programs
	others
	network
	jailed read /etc/nsswitch.conf >/dev/null
	has "$(cat "$T/err")" "Landlock ABI" "uid $uid: says what is in force"
	for what in landlock seccomp; do
		rm -f "$S/new"
		as "$T/bin/jail-tool" --without $what "$T/bin/jail-tool" --store "$S" create "$S/new" 2>"$T/err"
		has "$(cat "$T/err")" "no $([ $what = landlock ] && echo Landlock || echo seccomp)" "uid $uid: without $what it goes on, and says so"
		if [ -e "$S/new" ]; then ok "uid $uid: and works"; else not_ok "uid $uid: and works"; fi
	done
done
finish
