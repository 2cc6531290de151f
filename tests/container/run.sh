#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240 vm=600
#
# What a container is from inside and outside, as root and as an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
mkdir "$T/bin"
cp "$BUILD/test/sandbox-tool" "$BUILD/bin/cratons-init" "$T/bin"
TOOL=$T/bin/sandbox-tool
uids=$(id -u)
[ "$uids" != 0 ] || uids="0 $NOBODY"
# Where processors are emulated, code that one of them writes and another runs is not always seen by that: Java's
# compiler threads crash it.
[ -z "${CRATONS_VM:-}" ] || taskset -cp 0 $$ >/dev/null

as() {
	if [ "$uid" = "$(id -u)" ]; then "$@"; else
		setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
	fi
}
box() { as "$TOOL" "$@"; }
name() { echo "uid $uid: $1"; }
gives() { # STATUS NAME ARGUMENT...
	local status=$1 what=$2
	shift 2
	exits "$status" "$(name "$what")" box "$@"
}

shape() {
	is "$(box -- sh -c 'id -u; id -un; pwd; hostname')" "$uid
user
/
cratons" "$(name "one user, root directory, a host name of its own")"
	is "$(box --uid 1000 --gid 1000 -- id)" "uid=1000(user) gid=1000(user) groups=1000(user)" "$(name "another id inside")"
	is "$(box -- sh -c 'echo /*')" "/bin /dev /etc /home$(for l in lib lib32 lib64 libx32; do [ ! -e /$l ] || printf ' /%s' $l; done) /proc /sbin /tmp /usr /var" "$(name "nothing else in /")"
	is "$(box -- sh -c 'cd /proc && echo [0-9]*')" "1 2" "$(name "two processes, init and the command")"
	out=$(SECRET=x LC_X=y TERM=dumb box -- env)
	has_not "$out" SECRET "$(name "no variable that is not listed")"
	has "$out" LC_X=y "$(name "the language passes")"
	has "$out" TERM=dumb "$(name "the terminal's name passes")"
	has "$out" HOME=/home/user "$(name "a home of its own")"
	has_not "$(TERM=$'a\e[31m' box -- env)" "TERM=" "$(name "no control characters in the environment")"
	is "$(box -- sh -c 'umask')" 0022 "$(name "umask")"
	has "$(box -- cat /proc/self/status)" "NoNewPrivs:	1" "$(name "no new privileges")"
	is "$(box -- sh -c 'grep ^Cap /proc/self/status | grep -vc 0000000000000000')" 0 "$(name "no capability in any set")"
	is "$(box -- sh -c 'ls /proc/self/fd | wc -l' 7</dev/null 8</dev/null)" 4 "$(name "no descriptor but stdio")"
	is "$(box -- sh -c 'grep -E "^(SigBlk|SigIgn):" /proc/self/status | tr -d "\t\n"')" "SigBlk:0000000000000000SigIgn:0000000000000000" "$(name "no signal blocked or ignored")"
	is "$(trap '' PIPE INT; box -- sh -c 'grep ^SigIgn: /proc/self/status')" "SigIgn:	0000000000000000" "$(name "also when the caller ignores some")"
	is "$(box -- ls /sys 2>&1 | grep -c 'No such')" 1 "$(name "no /sys")"
	is "$(box -- sh -c 'cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d " "')" lo "$(name "only a loopback")"
	is "$(box -- python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
c = socket.create_connection(s.getsockname()); print("up")')" up "$(name "which is up")"
	is "$(box -- sh -c 'test -w / || test -w /etc || test -w /usr || echo no')" no "$(name "root, /etc and /usr cannot be written")"
	is "$(box -- sh -c 'echo a >/tmp/f; echo b >/dev/shm/f; echo c >/var/tmp/g; echo d >~/f; cat /tmp/f /dev/shm/f /tmp/g ~/f' | tr -d '\n')" abcd "$(name "/tmp, /dev/shm, /var/tmp and home can")"
	is "$(box -- sh -c 'head -c 3 /dev/zero | wc -c; echo x >/dev/null; head -c 1 /dev/urandom | wc -c; cat /dev/full 2>&1 | head -c 1 | wc -c' | tr -d '\n')" 311 "$(name "devices")"
}

endings() {
	gives 0 "true" -- true
	gives 1 "false" -- false
	gives 7 "an exit status" -- sh -c 'exit 7'
	gives 143 "a signal is 128 and its number" -- sh -c 'kill -TERM $$'
	gives 137 "also SIGKILL" -- sh -c 'kill -KILL $$'
	gives 127 "a command that is not there" -- no-such-command
	has "$err" "cannot run 'no-such-command'" "$(name "is named")"
	gives 126 "a command that cannot be executed" -- /etc/passwd
	gives 126 "a directory" -- /tmp
	gives 127 "an empty command" -- ''
	gives 125 "a bind of nothing" --ro-bind /no/such -- true
	has "$err" "/no/such" "$(name "is named too")"
	gives 125 "a working directory of nothing" --cwd /no/such -- true
	gives 125 "a profile that is not there" --seccomp none -- true
	gives 0 "a search path with holes" --env PATH=:/no/such:/etc/passwd:/usr/bin -- true
}

binds() {
	local p=$T/p$uid
	mkdir -p "$p/rw" "$p/ro" "$p/a,b:c\\d" "$p/upper" "$p/work" "$p/lower"
	echo old >"$p/lower/file"
	echo ro >"$p/ro/file"
	ln -s /etc "$p/rw/out"
	chown -R "$uid:$uid" "$p"
	gives 0 "write where that is granted" --bind "$p/rw" -- sh -c "echo new >'$p/rw/file'"
	is "$(cat "$p/rw/file")" new "$(name "and it is there")"
	is "$(stat -c %u "$p/rw/file")" "$uid" "$(name "with the caller's id")"
	gives 2 "not where it is not" --ro-bind "$p/ro" -- sh -c "echo new >'$p/ro/file'"
	gives 0 "elsewhere" --ro-bind "$p/ro:/x/y/z" -- test -f /x/y/z/file
	gives 0 "a single file" --ro-bind "$p/ro/file:/x/one" -- cat /x/one
	gives 0 "a tmpfs" --tmpfs /x/t -- sh -c 'echo a >/x/t/f'
	gives 0 "a place made inside a bind" --bind "$p/rw" --tmpfs "$p/rw/deep/er" -- touch "$p/rw/deep/er/f"
	is "$(ls -A "$p/rw/deep/er")" "" "$(name "covers it")"
	gives 0 "a link in a bind leads nowhere outside" --bind "$p/rw" --tmpfs "$p/rw/out/made" -- test -d /etc/made
	is "$(ls -d /etc/made 2>/dev/null)" "" "$(name "nothing was made on the host")"
	gives 0 "a link and a file" --symlink "/x/f:/x/l" --file "text:/x/f" -- sh -c '[ "$(cat /x/l)" = text ]'
	gives 0 "an overlay" --overlay "$p/lower:$p/upper:$p/work:/x/o" -- sh -c 'cat /x/o/file && echo new >/x/o/file && rm -f /x/o/none'
	is "$(cat "$p/lower/file" "$p/upper/file" 2>/dev/null | tr '\n' ' ')" "old new " "$(name "keeps its lower layer")"
	gives 125 "the target must be absolute" --tmpfs x -- true
}

joined() { # another's user and mount namespace, as a file server has them
	local d=$T/j$uid pid
	mkdir -p "$d/m"
	chown -R "$uid" "$d"
	as unshare --user --map-current-user --keep-caps --mount sh -c "mount -t tmpfs none '$d/m' &&
		mkdir '$d/m/tree' && echo inside >'$d/m/tree/file' && echo \$\$ >'$d/pid' && exec sleep 20" &
	for i in {1..50}; do [ -s "$d/pid" ] && break; sleep 0.05; done
	pid=$(cat "$d/pid")
	is "$(box --namespaces-of $pid --tree "$d/m/tree:/tree" -- cat /tree/file)" inside "$(name "a tree of another mount namespace")"
	gives 2 "cannot be written" --namespaces-of $pid --tree "$d/m/tree:/tree" -- sh -c 'echo x >/tree/file'
	gives 32 "nor unmounted" --namespaces-of $pid --tree "$d/m/tree:/tree" -- umount /tree
	gives 143 "the status comes through" --namespaces-of $pid --tree "$d/m/tree:/tree" -- sh -c 'kill $$'
	kill $pid
	wait $pid 2>/dev/null
}

limits() {
	box --capture --output-max 1000 -- yes >"$T/o" 2>"$T/err"
	is "$? $(stat -c %s "$T/o")" "137 1000" "$(name "output is cut at its limit and the tree killed")"
	has "$(cat "$T/err")" "ended by output" "$(name "and says so")"
	is "$(box --capture -- sh -c 'echo a; echo b >&2')" "a
b" "$(name "stdout and stderr are captured")"
	is "$(echo x | box --capture -- wc -c)" 0 "$(name "captured, stdin is empty")"
	is "$(box --capture -- sh -c 'sleep 30 & echo done')" "done" "$(name "what stays behind does not hold the output open")"
	local start=$EPOCHSECONDS
	gives 137 "time" --seconds 1 -- sh -c 'trap "" TERM INT HUP; sleep 30 & sleep 30'
	[ $((EPOCHSECONDS - start)) -lt 10 ] && ok "$(name "ends on time")" || not_ok "$(name "ends on time")"
	gives 2 "file size" --file-size 1000 -- sh -c 'head -c 2000 /dev/zero >/tmp/f; [ $(stat -c %s /tmp/f) = 1000 ] && exit 2'
	is "$(box --open-files 20 -- sh -c 'ulimit -n')" 20 "$(name "open files")"
}

stdio() {
	is "$(echo hello | box -- cat)" hello "$(name "a pipe to stdin")"
	is "$(box -- sh -c 'echo out; echo err >&2' 2>&1 | sort | tr '\n' ' ')" "err out " "$(name "stdout and stderr")"
	gives 0 "stdin closed" -- true <&-
	is "$(box -- sh -c 'cat; echo end' <&-)" end "$(name "a closed stdin is empty")"
	is "$(box -- yes | head -n 1)" y "$(name "a reader that leaves ends the writer")"
	box -- true </etc 2>/dev/null
	is $? 125 "$(name "no directory as stdin")"
	box -- sh -c 'echo a; exit 3' >"$T/o"
	is "$? $(cat "$T/o")" "3 a" "$(name "into a file")"
}

programs() { # the profiles must let ordinary tools work
	local profile
	for profile in default script; do
		gives 0 "$profile: shell pipelines" --seccomp $profile -- bash -c 'seq 1000 | sort -R | sort -n | tail -n 1 | grep -q 1000'
		if command -v node >/dev/null; then
			gives 0 "$profile: node" --seccomp $profile -- node -e '
				const { Worker } = require("worker_threads"), cp = require("child_process"), fs = require("fs");
				fs.writeFileSync("/tmp/w.js", "require(\"worker_threads\").parentPort.postMessage(1)");
				require("http").createServer((q, r) => r.end("hi")).listen(0, "127.0.0.1", function () {
					require("http").get({ port: this.address().port, host: "127.0.0.1" }, r => r.on("data", d => {
						new Worker("/tmp/w.js").on("message", () => process.exit(cp.execSync("echo " + d) == "hi\n" ? 0 : 1)) })) })'
		else skip "$(name "$profile: node")" "no node"; fi
		gives 0 "$profile: python" --seccomp $profile -- python3 -c '
import subprocess, threading, tempfile, os, select
t = threading.Thread(target=lambda: subprocess.check_output(["echo", "x"])); t.start(); t.join()
with tempfile.NamedTemporaryFile() as f: f.write(b"x"); f.flush(); os.fsync(f.fileno())
assert os.cpu_count() > 0 and select.epoll()'
		gives 0 "$profile: gcc" --seccomp $profile --cwd /tmp -- sh -c 'echo "int main(void) { return 0; }" >a.c && gcc -O2 a.c && ./a.out'
		if command -v git >/dev/null; then
			gives 0 "$profile: git" --seccomp $profile --cwd /tmp -- sh -c 'git init -q r && cd r && echo x >f && git add f && git -c user.name=a -c user.email=a@b.c commit -qm x && git clone -q . ../c && git -C ../c log --oneline'
		else skip "$(name "$profile: git")" "no git"; fi
		if command -v javac >/dev/null; then
			gives 0 "$profile: java" --seccomp $profile --cwd /tmp -- sh -c 'echo "class A { public static void main(String[] a) throws Exception { Thread t = new Thread(() -> System.out.println(1)); t.start(); t.join(); } }" >A.java && javac A.java && java -cp . A'
		else skip "$(name "$profile: java")" "no JDK"; fi
		if command -v go >/dev/null; then
			gives 0 "$profile: go" --seccomp $profile --cwd /tmp -- sh -c 'printf "package main\nfunc main() { c := make(chan int); go func() { c <- 1 }(); <-c }\n" >a.go && go run a.go'
		else skip "$(name "$profile: go")" "no go"; fi
	done
	if command -v gdb >/dev/null; then
		has "$(box -- gdb -batch -ex run /bin/true 2>&1)" "exited normally" "$(name "default: gdb")"
	else skip "$(name "default: gdb")" "no gdb"; fi
	if command -v strace >/dev/null; then
		gives 0 "default: strace" -- strace -f -o /tmp/o true
		gives 1 "script: no strace" --seccomp script -- strace -o /tmp/o true
	else skip "$(name "default: strace")" "no strace"; fi
}

for uid in $uids; do
	shape
	endings
	binds
	joined
	limits
	stdio
	programs
done
finish
