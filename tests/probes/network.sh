# SPDX-License-Identifier: GPL-2.0-or-later
# The network, and what sockets reach besides.

tcp4() { $1 "$P" tcp 127.0.0.1 "$port" "$token"; arrived; }
tcp6() { $1 "$P" tcp ::1 "$port" "$token"; arrived; }
mapped() { $1 "$P" tcp ::ffff:127.0.0.1 "$port" "$token"; arrived; }
metadata() { $1 "$P" tcp 169.254.169.254 "$port" "$token"; arrived; }
any_address() { $1 "$P" tcp 0.0.0.0 "$port" "$token"; arrived; }
udp4() { $1 "$P" udp 127.0.0.1 "$port" "$token"; arrived; }
udp6() { $1 "$P" udp ::1 "$port" "$token"; arrived; }
tunnel() { $1 "$P" tunnel 127.0.0.1 53 "$token"; arrived; }
fast_open() { $1 "$P" fast-open 127.0.0.1 "$port" "$token"; arrived; }
mptcp() { $1 "$P" mptcp 127.0.0.1 "$port" "$token"; arrived; }
uring_connect() { $1 "$P" uring 127.0.0.1 "$port" "$token"; arrived; }
unix_path() { $1 "$P" unix "$T/listen/socket" "$token"; arrived; }
unix_abstract() { $1 "$P" unix "@cratons-probe-$port" "$token"; arrived; }
unix_datagram() { $1 "$P" unix-datagram "cratons-datagram-$port" "$token"; arrived; }
inherited_socket() { $1 "$P" inherited-socket 9 "$token" 9<>"/dev/tcp/127.0.0.1/$port"; arrived; }
listen_at=$((7400 + $$ % 500))
listening() {
	local got at=$((listen_at + (uid > 0) * 500))
	$1 "$P" listen $at "$token" ${CRATONS_VM:+6} &
	for i in {1..60}; do
		got=$(timeout 5 bash -c "cat </dev/tcp/127.0.0.1/$at" 2>/dev/null)
		[ -n "$got" ] && break
		kill -0 $! 2>/dev/null || break
		pause 0.1
	done
	wait $!
	[[ $got == *"$token"* ]]
}
packet() { fd_kind=socket; held "$1" has_fd socket 17 3 768 "$token"; }
raw() { fd_kind=socket; held "$1" has_fd socket 2 3 1 "$token"; }
raw6() { fd_kind=socket; held "$1" has_fd socket 10 3 58 "$token"; }
alg() { fd_kind=socket; held "$1" has_fd socket 38 5 0 "$token"; }
vsock() { fd_kind=socket; held "$1" has_fd socket 40 1 0 "$token"; }
netlink_filter() { fd_kind=socket; held "$1" has_fd socket 16 3 12 "$token"; }
netlink_audit() { fd_kind=socket; held "$1" has_fd socket 16 3 9 "$token"; }
netlink_events() { fd_kind=socket; held "$1" has_fd socket 16 3 15 "$token"; }
netlink_diag() { fd_kind=socket; held "$1" has_fd socket 16 3 4 "$token"; }
families() { $1 "$P" families; [[ $out == *family* ]]; }
interface() { $1 sh -c 'ip link add probe0 type bridge; ip -o link'; [[ $out == *probe0* ]]; }
address() { $1 sh -c 'ip addr add 10.98.76.54/8 dev lo; ip -o addr'; [[ $out == *10.98.76.54* ]]; }
route() { $1 sh -c 'ip link set lo up; ip route add 10.0.0.0/8 dev lo; ip route'; [[ $out == *10.0.0.0/8* ]]; }
firewall() { $1 sh -c 'nft list tables; nft add table ip probe; nft list tables'; [[ $out == *probe* ]]; }
interfaces_of_host() { $1 cat /proc/net/route /proc/net/arp /proc/net/unix; [[ $out == *"cratons-probe-$port"* ]]; }

network() {
	attack "TCP to the host's loopback" tcp4
	twin "TCP to the host's loopback" tcp4 --net host
	attack "TCP over IPv6" tcp6
	attack "TCP to a v4-mapped address" mapped
	attack "TCP to the metadata address" metadata
	attack "TCP to the unspecified address" any_address
	attack "UDP" udp4
	twin "UDP" udp4 --net host
	attack "UDP over IPv6" udp6
	attack "a DNS question as a tunnel" tunnel
	twin "a DNS question as a tunnel" tunnel --net host
	attack "TCP Fast Open" fast_open
	may_fail="this kernel has no MPTCP" attack "MPTCP" mptcp
	may_fail="io_uring is off here" attack "connecting with io_uring" uring_connect
	attack "a unix socket by path" unix_path
	twin "a unix socket by path" unix_path --bind "$T/listen"
	attack "an abstract unix socket" unix_abstract
	attack "a datagram to an abstract unix socket" unix_datagram
	if [ "$abi" -ge 6 ]; then
		net=host
		attack "an abstract unix socket, with the host's network" unix_abstract
		attack "a datagram to an abstract unix socket, with the host's network" unix_datagram
		net=
	else
		say_skip "an abstract unix socket, with the host's network" "Landlock ABI $abi has no scopes"
	fi
	attack "an inherited connection" inherited_socket
	attack "the host's sockets in /proc/net" interfaces_of_host
	attack "listen" listening
	twin "listen" listening --net host
	attack "a packet socket" packet bare bare_ns
	attack "a raw socket" raw bare bare_ns
	attack "a raw socket over IPv6" raw6 bare bare_ns
	may_fail="this kernel has no AF_ALG" attack "an AF_ALG socket" alg
	may_fail="this kernel has no vsock" attack "a vsock socket" vsock
	may_fail="this kernel has none" attack "any other family of sockets" families bare bare_ns
	may_fail="this kernel has no netfilter netlink" attack "a netlink socket of the packet filter" netlink_filter
	may_fail="this kernel has no audit" attack "a netlink socket of the audit" netlink_audit bare bare_root
	may_fail="this kernel has no device events" attack "a netlink socket of device events" netlink_events
	may_fail="this kernel has no socket diagnosis" attack "a netlink socket of socket diagnosis" netlink_diag
	may_fail="this kernel has no bridges" attack "an interface of its own" interface bare_ns
	attack "an address of its own" address bare_ns
	attack "a route of its own" route bare_ns
	net=host
	attack "an address on the host's interface" address bare_root_net
	attack "a packet socket on the host's network" packet bare_root bare_ns
	attack "a raw socket on the host's network" raw bare_root bare_ns
	net=
}
