# SPDX-License-Identifier: GPL-2.0-or-later
# The same by the means of Node and Python: language.js and language.py, by name of the attack.

node_leaks() { $1 node "$B/language.js" "$what" "$D/hidden/secret"; leaked; }
node_arrives() { $1 node "$B/language.js" "$what" "$port" "$token"; arrived; }
node_addon() { # what a native add-on does when it is loaded
	cp "$E/addon.node" "$D/granted/addon.node"
	chown "$uid" "$D/granted/addon.node"
	inject=()
	$1 node "$B/language.js" addon "$D/granted/addon.node" "$D/hidden/secret"
	leaked
}
node_kill() { hit() { $1 node "$B/language.js" kill "$2"; }; with_victim "$1" hit; }
node_inspect() { # a debugger that others can reach
	local got at=$((9300 + (uid > 0) * 50))
	$1 node "$B/language.js" inspect $at ${CRATONS_VM:+8} &
	for i in {1..60}; do
		got=$(timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$at; printf 'GET /json HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3; head -c 300 <&3" 2>/dev/null)
		[ -n "$got" ] && break
		kill -0 $! 2>/dev/null || break
		pause 0.1
	done
	wait $!
	[[ $got == *HTTP* ]]
}
python_leaks() { $1 /usr/bin/python3 "$B/language.py" "$what" "$D/hidden/secret"; leaked; }
python_arrives() { $1 /usr/bin/python3 "$B/language.py" "$what" "$port" "$token"; arrived; }
python_namespace() { $1 /usr/bin/python3 "$B/language.py" namespace; [[ $out == *unshared* ]]; }
python_kill() { hit() { $1 /usr/bin/python3 "$B/language.py" kill "$2"; }; with_victim "$1" hit; }
python_pth() { # code for every Python of this user's, by a .pth file
	$1 /usr/bin/python3 "$B/language.py" pth "$D/home" "$D/granted/ran"
	as env -u PYTHONPATH HOME="$D/home" /usr/bin/python3 -c 0 2>/dev/null
	[ -e "$D/granted/ran" ]
}

languages() {
	local what
	if command -v node >/dev/null; then
		for what in fs promises stream worker child binding blob wasi; do
			may_fail="this Node has none" attack "Node: a file by $what" node_leaks
		done
		if command -v cc >/dev/null; then
			cc -shared -fPIC -o "$E/addon.node" "$probes/addon.c"
			attack "Node: a file by a native add-on" node_addon
		fi
		for what in net http fetch dgram dns; do
			may_fail="this Node has none" attack "Node: the network by $what" node_arrives
		done
		attack "Node: kill a process outside" node_kill
		attack "Node: a debugger that listens" node_inspect
	fi
	for what in open ctypes mmap fork spawn dirfd; do
		attack "Python: a file by $what" python_leaks
	done
	for what in socket urllib ctypes-connect asyncio; do
		attack "Python: the network by $what" python_arrives
	done
	attack "Python: a user namespace by ctypes" python_namespace
	attack "Python: kill a process outside" python_kill
	attack "Python: a .pth file in home" python_pth
}
