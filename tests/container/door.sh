#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# The network door, with an internet of the test's own: a network namespace whose loopback has public
# addresses, servers on them, and a hosts file that names them. What arrived is judged by the servers.
if [ "${1-}" != inside ]; then
	user=$([ "$(id -u)" = 0 ] || echo -Ur)
	unshare $user -mn true 2>/dev/null || { echo "1..0 # SKIP no namespaces of its own"; exit 0; }
	exec unshare $user -mn "$0" inside
fi
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$BUILD/bin/cratons-egress" "$T/bin"
cp "$SRC"/tests/container/door-{client,server}.py "$T"
TOOL=$T/bin/sandbox-tool
mkdir "$T/late"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$T/late"
printf '#!/bin/sh\nsleep 1\nexec %s\n' "$T/bin/cratons-egress" >"$T/late/cratons-egress"
chmod 755 "$T/late/cratons-egress"
uids=$(id -u)
[ "$uids" != 0 ] || ! setpriv --reuid $NOBODY --clear-groups true 2>/dev/null || uids="0 $NOBODY"

PUBLIC=93.184.216.34 PUBLIC6=2606:2800:220:1::5
ip link set lo up
for a in $PUBLIC/32 93.184.216.35/32 10.9.9.9/32 169.254.169.254/32; do ip addr add $a dev lo; done
ip -6 addr add $PUBLIC6/128 dev lo nodad && ip -6 addr add fd00:9::9/128 dev lo nodad || skip_all "no IPv6 here"
# Where packets get lost, for happy eyeballs.
ip link add lost type veth peer name sink 2>/dev/null && ip link set sink up && ip link set lost up && ip -6 route add 2a00:dead::/32 dev lost &&
	ip -6 addr add 2a00:dead::1/128 dev lost nodad && lost=y
cat >"$T/hosts" <<EOF
127.0.0.1 localhost
$PUBLIC api.test other.test port.test x.cdn.test cdn.test
$PUBLIC6 six.test
10.9.9.9 rebind.test
169.254.169.254 metadata.test
127.0.0.1 home.test
fd00:9::9 ula.test
2a00:dead::99 eyeballs.test
$PUBLIC eyeballs.test
93.184.216.35 closed.test
EOF
mount --bind "$T/hosts" /etc/hosts
printf 'hosts: files\n' >"$T/nsswitch.conf"
mount --bind "$T/nsswitch.conf" /etc/nsswitch.conf

python=$(command -v /usr/bin/python3) || skip_all "no /usr/bin/python3"
$python "$T/door-server.py" "$T/log" http:$PUBLIC:8080 http:$PUBLIC:8081 http:[$PUBLIC6]:8080 http:10.9.9.9:8080 \
	http:169.254.169.254:8080 http:127.0.0.1:8080 http:[fd00:9::9]:8080 count:$PUBLIC:9001 echo:$PUBLIC:9002 \
	reset:$PUBLIC:9003 hold:$PUBLIC:9004 watch:$PUBLIC:9005 slow:$PUBLIC:9006 early:$PUBLIC:9007 urgent:$PUBLIC:9008 \
	udp:$PUBLIC:53 udp:$PUBLIC:8080 >"$T/ready" &
server=$!
at_end "kill $server"
for i in {1..100}; do grep -q ready "$T/ready" && break; sleep 0.1; done
grep -q ready "$T/ready" || { not_ok "the servers listen"; finish; }

name() { echo "uid $uid: $1"; }
become() { # in a process of its own
	[ "$uid" = "$(id -u)" ] && exec "$@"
	exec setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}
as() { (become "$@"); }
box() { as "$TOOL" --ro-bind "$T/door-client.py:/client" --door-log "$L" "$@" 2>"$T/err"; }
GRANTS="--net api.test:8080,9001-9008 --net *.cdn.test:8081"
few() { (ulimit -n 512; box "$@"); }
door() { box $GRANTS "$@"; }
client() { door -- /usr/bin/python3 /client "$@"; }
logged() { # PART NAME
	if grep -q -- "$1" "$L"; then ok "$(name "$2")"; else not_ok "$(name "$2")" "not in the log: $1
$(cat "$L")"; fi
}
unheard() { # runs the rest; the servers must not have heard anything
	local what=$1 before=$(wc -l <"$T/log") got
	shift
	got=$("$@")
	sleep 0.1
	is "$(wc -l <"$T/log")" "$before" "$(name "$what (it sees $got)")"
}

granted() {
	is "$(client talk api.test 8080)" $PUBLIC:8080 "$(name "a granted name")"
	is "$(client talk API.Test 8080)" $PUBLIC:8080 "$(name "in other letters")"
	is "$(client talk x.cdn.test 8081)" $PUBLIC:8081 "$(name "a name below")"
	is "$(box --net six.test:8080 -- /usr/bin/python3 /client talk six.test 8080)" "[$PUBLIC6]:8080" "$(name "a name with only IPv6")"
	is "$(client literal 2001:2::10 8080)" ECONNRESET "$(name "an address that stands for nothing yet")"
	is "$(door -- sh -c 'curl -s4 http://api.test:8080/; curl -s6 http://api.test:8080/' | tr '\n' ' ')" "$PUBLIC:8080 $PUBLIC:8080 " "$(name "by IPv4 and by IPv6")"
	is "$(client fast api.test 8080)" $PUBLIC:8080 "$(name "TCP Fast Open falls back")"
	is "$(box --net 10.9.9.0/24:8080 -- /usr/bin/python3 /client talk 10.9.9.9 8080)" 10.9.9.9:8080 "$(name "a CIDR")"
	is "$(box --net '[fd00:9::/32]:8080' -- /usr/bin/python3 /client talk fd00:9::9 8080)" "[fd00:9::9]:8080" "$(name "a CIDR of IPv6")"
	is "$(box --net 0.0.0.0/0:8080 -- /usr/bin/python3 /client talk $PUBLIC 8080)" $PUBLIC:8080 "$(name "all public addresses")"
	is "$(box --net 127.0.0.1:8080 -- /usr/bin/python3 /client talk 127.0.0.1 8080)" 127.0.0.1:8080 "$(name "a port of the host's loopback")"
	is "$(box --net rebind.test:8080 --net 10.9.9.9:8080 -- /usr/bin/python3 /client talk rebind.test 8080)" 10.9.9.9:8080 "$(name "a name with a private address that is granted too")"
	is "$(ulimit -Sn 1024; box --net api.test:5000-9000 -- /usr/bin/python3 /client talk api.test 8080)" $PUBLIC:8080 "$(name "4001 ports, with few descriptors")"
	if [ "$uid" != 0 ]; then
		exits 125 "$(name "more ports than descriptors are refused")" few --net api.test:5000-5999 -- true
		has "$(cat "$T/err")" "name 1001 ports, and a process may have 512 descriptors" "$(name "and the limit named")"
	fi
	is "$(TOOL=$T/late/sandbox-tool; box --net a.test:1 --net b.test:1 --net c.test:1 --net d.test:1 --net api.test:8080 -- /usr/bin/python3 /client talk api.test 8080)" $PUBLIC:8080 "$(name "a helper that begins late hears of the policy after it has the sockets")"
	exits 125 "$(name "but not any number")" box --net api.test:1-65535 -- true
	is "$(client serve 8080)" ok "$(name "a server inside has the same port on all its addresses")"
}

refused() {
	: >"$L"
	unheard "another name" client talk other.test 8080
	logged '"name":"other.test","reason":"the name is not granted"' "is logged"
	unheard "the parent of *.NAME" client talk cdn.test 8081
	unheard "a port that nothing has" client talk api.test 22
	logged '"name":"api.test","port":22,"reason":"the port is not granted"' "is logged"
	unheard "a port that another grant has" client talk api.test 8081
	logged '"name":"api.test","port":8081,"reason":"the port is not granted"' "is logged"
	is "$(client literal $PUBLIC 8080)" ENETUNREACH "$(name "the address of a granted name")"
	is "$(client literal $PUBLIC6 8080)" ENETUNREACH "$(name "its address of IPv6")"
	is "$(client literal ::ffff:$PUBLIC 8080)" ENETUNREACH "$(name "mapped into IPv6")"
	is "$(client literal 64:ff9b::5db8:d822 8080)" ENETUNREACH "$(name "translated into IPv6")"
	unheard "TCP Fast Open to it" client fast $PUBLIC 8080
	unheard "MPTCP to it" client literal $PUBLIC 8080 262
	unheard "UDP to it" client udp $PUBLIC 8080
	unheard "UDP to a granted name" client udp api.test 8080
	logged '"name":"api.test","port":8080,"reason":"only TCP is granted"' "is logged"
	unheard "a name server of its own" client udp $PUBLIC 53
	for kind in icmp tcp packet ping; do
		unheard "raw socket: $kind" client raw $kind
	done
	is "$(client literal 169.254.169.254 8080)" ENETUNREACH "$(name "the metadata address")"
	is "$(client literal 10.9.9.9 8080)" ENETUNREACH "$(name "a private address")"
	is "$(client literal 127.0.0.1 8080)" ECONNREFUSED "$(name "a service on the host's loopback")"
	for n in rebind metadata home ula; do
		unheard "$n.test, which is granted, leads to what is not public" box --net $n.test:8080 -- /usr/bin/python3 /client talk $n.test 8080
		logged "\"name\":\"$n.test\",.*\"reason\":\"the name leads to an address that is not public\"" "is logged"
	done
	unheard "a private address with all granted" box --net 0.0.0.0/0:8080 -- /usr/bin/python3 /client literal 10.9.9.9 8080
	unheard "the metadata address with all granted" box --net 0.0.0.0/0:8080 -- /usr/bin/python3 /client literal 169.254.169.254 8080
	unheard "an address beside the CIDR" box --net 10.9.9.0/29:8080 -- /usr/bin/python3 /client literal 10.9.9.9 8080
	unheard "with its own port the door" box --net 10.9.9.9:80 -- /usr/bin/python3 /client literal 10.9.9.9 8080
	$python - "$L" <<-'EOF' && ok "$(name "the log is JSON, a line each")" || not_ok "$(name "the log is JSON, a line each")"
		import json, sys
		for line in open(sys.argv[1]):
		    o = json.loads(line)
		    assert o["event"] == "refused" and o["container"] == "tool" and o["time_ms"] > 1e12 and o["reason"]
	EOF
	door -- /usr/bin/python3 -c 'import socket
for i in range(3000):
    try: socket.getaddrinfo(f"n{i}.test", 1)
    except OSError: pass' >/dev/null
	if [ "$(grep -c '"name":"n[0-9]*.test"' "$L")" -lt 1500 ]; then ok "$(name "a flood of refusals is not a flood of lines")"; else not_ok "$(name "a flood of refusals is not a flood of lines")" "$(wc -l <"$L")"; fi
}

names() {
	is "$(client dns a)" "0 1" "$(name "A")"
	is "$(client dns aaaa)" "0 1" "$(name "AAAA")"
	is "$(client dns a tcp)" "0 1" "$(name "by TCP")"
	is "$(client dns txt) $(client dns https) $(client dns any)" "5 0 5 0 5 0" "$(name "other types are refused")"
	unheard "a name that carries a secret" client dns evil
	is "$(door -- sh -c '/usr/bin/python3 /client dns rubbish; /usr/bin/python3 /client dns a; /usr/bin/python3 /client talk api.test 8080' | tr '\n' ' ')" "sent 0 1 $PUBLIC:8080 " "$(name "rubbish does no harm")"
	is "$(door -- sh -c 'for i in 1 2 3; do getent ahostsv4 api.test | head -n 1; done | sort -u | wc -l')" 1 "$(name "a name keeps its address")"
}

streams() {
	is "$(client count api.test 9001 3000001)" 3000001 "$(name "half-close: the answer comes after the end")"
	is "$(client echo api.test 9002 $((64 << 20)))" same "$(name "64 MB there and back, unchanged")"
	is "$(client reset_by_server api.test 9003)" ECONNRESET "$(name "a reset comes in")"
	: >"$T/log"
	client reset_by_client api.test 9005 >"$T/out"
	is "$(grep ^watch "$T/log" | tail -n 1)" "watch reset" "$(name "and goes out")"
	is "$($python "$T/door-client.py" answered_and_reset $PUBLIC 9007)" "60000 end" "$(name "an answer before a reset can be read, without a door")"
	is "$(client answered_and_reset api.test 9007)" "60000 end" "$(name "and with one")"
	is "$($python "$T/door-client.py" urgent $PUBLIC 9008)" "beforeafter !" "$(name "urgent data, without a door")"
	is "$(client urgent api.test 9008)" "beforeafter !" "$(name "and with one")"
	is "$(client count_urgent api.test 9001)" "$($python "$T/door-client.py" count_urgent $PUBLIC 9001)" "$(name "what follows it goes out, too")"
	is "$(client pressure api.test 9004)" bounded "$(name "who does not read holds up who writes")"
	is "$(door --door-idle 1 -- /usr/bin/python3 /client idle api.test 9002)" ended "$(name "what is idle is ended")"
	is "$(door --door-connections 5 -- /usr/bin/python3 /client refused_beyond api.test 9002 8)" "5 3" "$(name "no more connections than allowed")"
	logged "there are too many connections" "is logged"
	is "$(client many api.test 9002 1000)" 1000 "$(name "1000 connections at once")"
	is "$(box --net closed.test:8080 -- /usr/bin/python3 /client talk closed.test 8080)" ECONNRESET "$(name "a port where nobody listens")"
	if [ -n "${lost-}" ]; then
		began=$(date +%s%N)
		out=$(box --net eyeballs.test:8080 -- /usr/bin/python3 /client talk eyeballs.test 8080)
		took=$((($(date +%s%N) - began) / 1000000))
		is "$out" $PUBLIC:8080 "$(name "an address that answers is found behind one that does not")"
		if [ $took -lt 2500 ]; then ok "$(name "soon")"; else not_ok "$(name "soon")" "$took ms"; fi
	else
		skip "$(name "happy eyeballs")" "no dummy interface"
	fi
	door --door-counts -- /usr/bin/python3 /client count api.test 9001 100000 >/dev/null
	has "$(cat "$T/err")" "api.test:8080,9001-9008 connections=1 refused=0 out=100000 in=7 open=0" "$(name "bytes are counted")"
}

helpers() {
	local pid n=0
	for pid in $(pgrep -x cratons-egress); do
		[ "$(readlink /proc/$pid/exe)" != "$T/bin/cratons-egress" ] || n=$((n + 1))
	done
	echo $n
}

# What a program wrote last arrives, though it and its container have ended and the server takes its time.
lingers() {
	local before=$(helpers) began=$(date +%s%N) took
	: >"$T/log"
	client leave api.test 9006 6000000
	took=$((($(date +%s%N) - began) / 1000000))
	if [ $took -lt 3600 ]; then ok "$(name "a container ends without waiting for a slow server ($took ms)")"; else not_ok "$(name "a container ends without waiting for a slow server")" "$took ms"; fi
	for i in {1..100}; do grep -q '^slow [0-9]* [er]' "$T/log" && break; sleep 0.1; done
	is "$(grep '^slow [0-9]* [er]' "$T/log")" "slow 6000000 end" "$(name "which has all that was written, and its end")"
	# Others may: who began them left bytes for a server that reads nothing.
	for i in {1..30}; do [ "$(helpers)" -le "$before" ] && break; sleep 0.1; done
	if [ "$(helpers)" -le "$before" ]; then ok "$(name "and no helper stays")"; else not_ok "$(name "and no helper stays")" "$before, then $(helpers)"; fi
}

ended() { [[ $(cat /proc/$1/stat 2>/dev/null) =~ ^$|\)\ Z ]]; }
helper_of() { pgrep -P "$1" cratons-egress; }

lives() {
	become "$TOOL" $GRANTS --ro-bind "$T/door-client.py:/client" -- sh -c 'while read -r line; do /usr/bin/python3 /client talk api.test 8080; done' <"$T/fifo" >"$T/out" 2>&1 &
	local pid=$! helper worker victim
	exec 9>"$T/fifo"
	echo >&9
	for i in {1..100}; do grep -q . "$T/out" && break; sleep 0.1; done
	is "$(cat "$T/out")" $PUBLIC:8080 "$(name "the door is open")"
	helper=$(helper_of $pid)
	status=$(cat /proc/$helper/status)
	has "$status" "NoNewPrivs:	1" "$(name "the helper: no new privileges")"
	has "$status" "CapEff:	0000000000000000" "$(name "no capabilities")"
	if [[ $BUILD != */san ]]; then has "$status" "Seccomp:	2" "$(name "a filter")"; fi
	[ "$uid" != 0 ] || [[ $(cat /proc/self/uid_map) = *" 1" ]] || has "$status" "Uid:	65534	65534	65534	65534" "$(name "not root")"
	worker=$(pgrep -P $helper cratons-egress | head -n 1)
	status=$(cat /proc/$worker/status)
	has "$status" "CapEff:	0000000000000000" "$(name "who moves bytes: no capabilities")"
	if [[ $BUILD != */san ]]; then has "$status" "Seccomp_filters:	2" "$(name "and a filter more")"; fi
	[ "$uid" != 0 ] || [[ $(cat /proc/self/uid_map) = *" 1" ]] || has "$status" "Uid:	65534	65534	65534	65534" "$(name "nor root")"
	# Whoever of them goes, all go.
	if [ "$uid" = 0 ]; then victim=$helper; else victim=$worker; fi
	kill -KILL $victim
	for i in {1..30}; do ended $helper && ended $worker && break; sleep 0.1; done
	if ended $helper && ended $worker; then ok "$(name "they end together")"; else not_ok "$(name "they end together")" "$(ps -ef | grep egress)"; fi
	echo >&9
	for i in {1..100}; do [ "$(wc -l <"$T/out")" -ge 2 ] && break; sleep 0.1; done
	is "$(tail -n 1 "$T/out" | grep -c "$PUBLIC")" 0 "$(name "without its helper the container has no network")"
	exec 9>&-
	wait $pid
	is $? 0 "$(name "and loses nothing else")"

	become "$TOOL" $GRANTS -- sleep 60 &
	pid=$!
	for i in {1..100}; do helper=$(helper_of $pid) && break; sleep 0.05; done
	sleep 0.2
	kill -KILL $pid
	wait $pid 2>/dev/null
	for i in {1..60}; do [ -e /proc/$helper ] || break; sleep 0.05; done
	if [ ! -e /proc/$helper ]; then ok "$(name "the helper ends with its supervisor")"; else not_ok "$(name "the helper ends with its supervisor")"; fi
}

published() {
	become "$TOOL" --ro-bind "$T/door-server.py:/server" --publish 18080:8080 --publish 19001:9001 --publish 19003:9003 -- /usr/bin/python3 /server /dev/null \
		http:127.0.0.1:8080 count:127.0.0.1:9001 reset:127.0.0.1:9003 >"$T/out" 2>&1 &
	local pid=$!
	for i in {1..100}; do grep -q ready "$T/out" && break; sleep 0.1; done
	is "$($python "$T/door-client.py" talk 127.0.0.1 18080)" 127.0.0.1:8080 "$(name "a published port")"
	is "$($python "$T/door-client.py" count 127.0.0.1 19001 1000000)" 1000000 "$(name "its half-close")"
	is "$($python "$T/door-client.py" reset_by_server 127.0.0.1 19003)" ECONNRESET "$(name "its reset")"
	is "$($python "$T/door-client.py" literal $PUBLIC 18080)" ECONNREFUSED "$(name "on the loopback only, if not said otherwise")"
	exits 125 "$(name "a port that is taken")" as "$TOOL" --publish 18080:1 -- true
	has "$err" "cannot publish port 18080 of 127.0.0.1: Address already in use" "$(name "is named")"
	kill $pid
	wait $pid 2>/dev/null
	is "$($python "$T/door-client.py" talk 127.0.0.1 18080)" ECONNREFUSED "$(name "it goes with the container")"
}

mkfifo "$T/fifo"
chmod 666 "$T/fifo"
for uid in $uids; do
	L=$T/refused.$uid; : >"$L"; chmod 666 "$L"
	granted
	refused
	names
	streams
	lingers
	lives
	published
done
finish
