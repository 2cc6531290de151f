#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=300
#
# cratons container at the prompt, as root and as an ordinary user.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

field() { # NAME KEY: of inspect
	c container inspect "$1" | sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1
}
until_is() { # COMMAND... WANTED: within five seconds
	local wanted=${*: -1} i
	for i in {1..100}; do [ "$("${@:1:$#-1}")" = "$wanted" ] && return; sleep 0.05; done
	return 1
}

try() { # WHO, with c as the command
	local who=$1 id out err rc
	state=$2

	# In the foreground.
	out=$(echo in | c container run -- sh -c 'cat; echo err >&2; exit 3' 2>"$T/err")
	is "$? $out $(cat "$T/err")" "3 in err" "$who: status, input, output and errors are the command's"
	c container run -- sh -c 'kill -SEGV $$' 2>/dev/null
	is $? 139 "$who: 128 and the signal"
	is "$(c container run -- sh -c 'read x; echo "$?-$x"' <&-)" "1-" "$who: a closed input"
	is "$(c container run --env A=1 -w /tmp --root --hostname h -- sh -c 'echo $A $PWD $(id -u) $(hostname) $HOME')" \
		"1 /tmp 0 h /root" "$who: environment, place, user and host name"
	is "$(c container run --user 12:34 -- sh -c 'echo $(id -u) $(id -g)')" "12 34" "$who: another user"
	mkdir -m 777 -p "$T/dir"
	c container run --bind "$T/dir:/data" --ro-bind "$T/dir:/ro" --tmpfs /t:4K -- sh -c \
		'echo a >/data/a; cat /ro/a; ! touch /ro/b; ! head -c 9000 /dev/zero >/t/x' >"$T/out" 2>/dev/null
	is "$? $(cat "$T/dir/a") $(cat "$T/out")" "0 a a" "$who: binds"
	rm -f "$T/dir/a"
	exits 50 "$who: what holds the store is not bound to be written" c container run --bind "$3" -- true
	is "$(c container run --ro-bind "$3:/h" -- sh -c 'ls -A /h/.cratons')" "" "$who: and is covered to be read"
	exits 127 "$who: a command that is not there" c container run -- no-such-command
	has "$err" "cannot run 'no-such-command'" "$who: said"
	exits 126 "$who: a command that cannot be executed" c container run -- /etc/passwd
	exits 2 "$who: no command" c container run
	mv "$state" "$state.away" && : >"$state" && chmod 644 "$state"
	exits 50 "$who: what is no directory holds no container" c container run -- true
	rm "$state" && mv "$state.away" "$state"
	c container run --time 1 -- sleep 10
	is "$? $(field "$(c ps -a --json | grep -o '[0-9a-f]\{12\}' | head -n 1)" ended_by)" "137 time" "$who: too long"
	out=$(c container run --name out --output-max 100 -- sh -c 'while :; do echo aaaaaaaaa; done')
	is "$? ${#out} $(field out ended_by)" "137 99 output" "$who: too much output"
	is "$(c container run --rm --output-max 10K -- sh -c 'seq 1000; echo e >&2' 2>/dev/null | tail -n 1)" 1000 \
		"$who: output that is counted comes through"
	c container run --rm --output-max 10M -- sh -c 'while :; do echo a; done' | head -n 1 >/dev/null
	is "${PIPESTATUS[0]}" 141 "$who: a reader that goes away is the command's to see"
	c container rm --ended
	is "$(ls -A "$state")" lock "$who: nothing is left"

	# Detached.
	id=$(c container run -d --name web -- sh -c 'cat; readlink /proc/self/ns/* >/tmp/ns; echo out; echo err >&2; trap "exit 5" USR1; while :; do sleep 0.05; done')
	is "$(grep -c '^[0-9a-f]\{12\}$' <<<"$id")" 1 "$who: the id is printed"
	is "$(field web status) $(field "${id:0:4}" id)" "running $id" "$who: it runs, and is found by the start of its id"
	has "$(c ps)" "web" "$who: ps shows it"
	has "$(c ps --json)" "\"id\":\"$id\"" "$who: also as JSON"
	until_is c logs web out >/dev/null 2>&1
	is "$(c logs web 2>/dev/null)/$(c logs web 2>&1 >/dev/null)" "out/err" "$who: its logs, by stream"
	exits 50 "$who: the name is taken" c container run --name web -- true
	has "$err" "there is a container 'web' already" "$who: said"
	exits 50 "$who: one that runs is not removed" c container rm web
	is "$(c container exec -e B=2 -w /tmp web -- sh -c 'echo $B $PWD; exit 4'; echo $?)" "2 /tmp
4" "$who: exec: environment, place and status"
	is "$(c container exec web sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp)" /proc/self/status')" \
		"$(c container run --rm -- sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp)" /proc/self/status')" \
		"$who: exec: the same capabilities and filters"
	is "$(c container exec web sh -c 'ulimit -a; umask; ls /proc/self/fd | wc -l; ls -A /; cat /proc/self/oom_score_adj')" \
		"$(c container run --rm -- sh -c 'ulimit -a; umask; ls /proc/self/fd | wc -l; ls -A /; cat /proc/self/oom_score_adj')" \
		"$who: exec: the same limits, umask, descriptors, root"
	is "$(c container exec web sh -c 'readlink /proc/self/ns/* | diff - /tmp/ns | wc -l; wc -l </tmp/ns')" "0
10" "$who: exec: all namespaces are the container's"
	is "$(spared container exec web cat /proc/self/oom_score_adj)" 0 "$who: exec: nor does the kernel spare it"
	c container exec web sh -c '(setsid sleep 61 &); setsid sleep 62 & sleep 63 & sleep 0.1'
	is "$(c container exec web sh -c 'ps ax -o args' | grep -c '^sleep 6')" 0 "$who: exec: what it leaves is ended"
	c container exec web sleep 64 2>/dev/null &
	until_is eval "c container exec web ps ax -o args | grep -c '^sleep 64'" 1
	kill -9 "$(pgrep -f '^cratons container exec web sleep 64' | tail -n 1)"
	until_is eval "c container exec web ps ax -o args | grep -c '^sleep 64'" 0 &&
		ok "$who: exec: its death ends what it started" || not_ok "$who: exec: its death ends what it started"
	exits 127 "$who: exec: a command that is not there" c container exec web no-such-command
	exits 2 "$who: exec: no command" c container exec web --
	c container wait web >"$T/waited" & waiter=$!
	succeeds "$who: a signal for the command" c container kill -s USR1 web
	wait $waiter
	is "$(cat "$T/waited") $(field web status)" "5 exited" "$who: wait tells its status"
	exits 50 "$who: one that has ended takes no signal" c container kill web
	exits 50 "$who: nor a command" c container exec web true
	succeeds "$who: it is removed" c container rm web
	exits 50 "$who: and gone" c container inspect web

	# Nothing of the caller's goes along: neither its terminal nor what it has open.
	exec 9>"$T/nine"
	id=$(c container run -d -- sleep 30) # would wait for the end, were stdout handed down
	exec 9>&-
	pid=$(field "$id" supervisor)
	is "$(ls -l "/proc/$pid/fd" | grep -c "$T/nine\|pts/\|/.out")" 0 "$who: none of the caller's descriptors"
	is "$(awk '{print $7}' "/proc/$pid/stat")" 0 "$who: no terminal"
	[ "$(awk '{print $6}' "/proc/$pid/stat")" != "$(awk '{print $6}' /proc/$$/stat)" ] &&
		ok "$who: a session of its own" || not_ok "$who: a session of its own"
	is "$(readlink "/proc/$pid/cwd")" / "$who: and no directory kept"
	succeeds "$who: kill" c container kill "$id"
	is "$(c container wait "$id") $(field "$id" ended_by)" "137 signal" "$who: killed"

	c container run -d --rm --name brief -- sh -c 'sleep 0.5; exit 9' >/dev/null
	is "$(c container wait brief)" 9 "$who: wait knows the status of one that is forgotten"
	until_is eval 'c ps -a | grep -c brief' 0 && ok "$who: which is gone then" || not_ok "$who: which is gone then"
	c container run -d --name deaf -- sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null
	succeeds "$who: stop" c container stop --time 1 deaf
	is "$(field deaf exit_status)" 137 "$who: one that does not listen is ended"
	c container run -d --name polite -- sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done' >/dev/null
	sleep 0.3
	succeeds "$who: stop" c container stop polite
	is "$(field polite exit_status)" 0 "$who: one that does ends by itself"
	c container run -d --name kept --env "B=secret" -- sleep 30 >/dev/null
	has_not "$(c container inspect kept)" "secret" "$who: values of variables are not shown"
	is "$(c container exec kept sh -c 'echo $B')" secret "$who: exec has them"
	succeeds "$who: remove by force" c container rm --force kept
	exits 127 "$who: a command that is not there, detached" c container run -d -- no-such-command
	exits 50 "$who: the limit of a log is one" c container logs nobody
	c container run -d --name long --log-max 4K -- sh -c 'seq 10000' >/dev/null
	c container wait long >/dev/null
	is "$(c logs long | tail -n 1) $(($(find "$state" -name 'stdout.log*' -size -9 | wc -l) > 1))" "10000 1" \
		"$who: logs are bounded, the end is kept"
	is "$(c container run -d --name follow -- sh -c 'echo 1; sleep 0.3; echo 2; sleep 0.3; echo 3' >/dev/null
		c logs -f follow | tr '\n' ' ')" "1 2 3 " "$who: logs are followed to the end"
	c container rm --ended
	is "$(ls -A "$state")" lock "$who: nothing is left"

	# pause: by the cgroup, or not at all.
	c container run -d --name p -- sh -c 'while :; do date +%N >/tmp/x; sleep 0.02; done' >/dev/null
	if [ "$(field p cgroup)" != null ]; then
		succeeds "$who: pause" c container pause p
		is "$(field p status)" paused "$who: it is paused"
		exits 50 "$who: and takes no command" c container exec p true
		succeeds "$who: resume" c container resume p
		is "$(field p status)" running "$who: it runs"
		has "$(c container stats p)" "p" "$who: stats"
		c container pause p
	else
		exits 50 "$who: pause without a cgroup is refused" c container pause p
		has "$err" "no cgroup" "$who: by name"
	fi
	succeeds "$who: stop" c container stop -t 1 p
	c container rm p

	# What goes through the network door is told while it runs, and afterwards.
	python3 -c 'if True:
		import socket
		s = socket.create_server(("127.0.0.1", 0))
		print(s.getsockname()[1], flush=True)
		c = s.accept()[0]
		while c.recv(65536): pass' >"$T/port" &
	until_is eval 'wc -l <"$T/port"' 1
	port=$(cat "$T/port")
	c container run -d --name talker --net "127.0.0.1:$port" -- bash -c "exec 3>/dev/tcp/127.0.0.1/$port; head -c 5000 /dev/zero >&3; sleep 60" >/dev/null
	until_is eval 'field talker bytes_out' 5000 && ok "$who: traffic is told while it runs" || not_ok "$who: traffic is told while it runs" "$(c container inspect talker)"
	has "$(c container stats talker)" "127.0.0.1:$port  1 connections, 0 refused, 0.0 MB out" "$who: also by stats"
	has "$(c container stats --json talker | tr -d '\n ')" "\"grant\":\"127.0.0.1:$port\",\"connections\":1,\"refused\":0,\"bytes_out\":5000" "$who: and as JSON"
	echo foreign >"$state/$(field talker id).talker/net.counts"
	is "$(field talker status) $(field talker bytes_out)" "running " "$who: a foreign file in its place is not believed"
	c container stop -t 1 talker

	# What of the host is in it, and what leads into it.
	c container run -d --name seen --ro-bind /usr/share:/share --publish "[::1]:$port:8080" -- sleep 60 >/dev/null
	has "$(c container inspect seen | tr -d '\n ')" '"binds":["ro:/usr/share:/share"]' "$who: inspect has the binds"
	has "$(c container inspect seen | tr -d '\n ')" "\"published\":[\"[::1]:$port:8080\"]" "$who: and the ports"
	c container stop -t 1 seen
	c container rm talker

	# Names and texts from outside.
	for name in '' -x .x 0123456789ab 'a b' 'a/b' "$(printf 'a\033[31m')" "$(printf 'x%.0s' {1..65})"; do
		exits 2 "$who: no name: $(printf %q "$name")" c container run --name "$name" -- true
	done
	succeeds "$who: a long name" c container run --name "$(printf 'x%.0s' {1..64})" -- true
	c container run --name esc -- printf '%s' "$(printf 'a\033]0;x\007\nfeigned  line')" >/dev/null
	is "$(c ps -a | grep -c "$(printf '\033')\|^feigned")" 0 "$who: ps lets no escape through, nor a second line"
	has "$(c container inspect esc)" '\u001b]0;x\u0007\nfeigned' "$who: JSON has it as it is"

	# Records that are not what they should be.
	id=$(field esc id)
	record=$state/$id.esc/metadata.json
	cp "$record" "$T/good"
	while IFS='|' read -r change reason; do
		sed "$change" "$T/good" | tee "$record" >/dev/null
		exits 0 "$who: ps with a record: $change" c ps --all
		has "$err" "$reason" "$who: which is refused by reason"
	done <<-'END'
		s/"id":"[^"]*"/"id":"000000000000"/|'id' is another container's
		s/"status":"exited"/"status":"fine"/|'status' is not one
		s/"version":1/"version":2/|'version' is not one
		s/"command":\[/"command":7,"x":[/|'command' is not a list
		s/"command":\["printf"/"command":["printf",3/|'command' has what is not a text
		s/"name":"esc"/"name":"\\u001b[31m"/|'name' is not a name
		s/"name":"esc"/"name":"other"/|'name' is another's
		s/"created_ms":[0-9]*/"created_ms":-1/|'created_ms' is not a number
		s/"profile":"[^"]*"/"profile":"a\\u0000b"/|'profile' is too long or has a NUL
		s/"boot_id":"[^"]*",//|'boot_id' is missing
		s/"started_ms":[0-9]*/"started_ms":1e99/|not
		s/}$//|is not valid
		s/.*/[]/|'{}' is missing
		s/.*//|is not valid
	END
	has "$(c ps -a)" "xxxxxxxx" "$who: the others are shown"
	succeeds "$who: it is forgotten by force" c container rm --force "$id"
	c container rm --ended

	# The package side's are containers like these, as long as they live.
	if [ -e /dev/fuse ]; then
		mkdir -p "$3/project"
		[ "$(id -u)" != 0 ] || chown --reference="$3" "$3/project"
		c -C "$3/project" init >/dev/null 2>&1
		c -C "$3/project" install >/dev/null 2>&1
		c -C "$3/project" run -- sh -c 'while ! [ -e stop ]; do sleep 0.05; done; exit 6' 2>"$T/err" &
		pid=$!
		until_is eval "c ps --json | grep -c '\"profile\":\"run\"'" 1 && ok "$who: run is shown by ps" ||
			not_ok "$who: run is shown by ps" "$(cat "$T/err"; c ps --all)"
		id=$(c ps --json | grep -o '[0-9a-f]\{12\}' | head -n 1)
		is "$(c container exec "$id" sh -c 'ls -d "$1"; touch "$1/stop"' - "$3/project")" "$3/project" \
			"$who: and takes a further command"
		wait $pid
		is "$? $(ls -A "$state")" "6 lock" "$who: it leaves nothing"
	else
		skip "$who: run is shown by ps" "there is no /dev/fuse"
	fi

	# Fifty at once.
	for i in {1..50}; do c container run --rm -- sh -c "exit $i" & pids[i]=$!; done
	bad=0
	for i in {1..50}; do wait ${pids[i]}; [ $? = $i ] || bad=$((bad + 1)); done
	is $bad 0 "$who: fifty at once"
	is "$(ls -A "$state")" lock "$who: nothing is left"
}

c() { cratons "$@"; }
spared() { (echo -500 >/proc/self/oom_score_adj; c "$@"); }
[ "$(id -u)" = 0 ] || spared() { c "$@"; }
try "uid $(id -u)" "$CRATONS_HOME/containers" "$HOME"
if nobody_home; then
	c() { as_nobody cratons "$@"; }
	try "uid $NOBODY" "$T/nobody/.cratons/containers" "$T/nobody"
else
	skip "as an ordinary user" "only root can become one"
fi
finish
