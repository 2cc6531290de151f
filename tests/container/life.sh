#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
#
# A container's life: signals, the death of its supervisor, many at once, nothing left behind.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
TOOL=$BUILD/test/sandbox-tool
mkdir work
W=$T/work

# Processes whose environment has the mark: each container of this test carries it.
mark=CRATONS_MARK_$RANDOM$RANDOM
marked() { grep -lazs "^$mark=" /proc/[0-9]*/environ 2>/dev/null | grep -c . ; }
box() { "$TOOL" --env "$mark=1" --bind "$W" "$@"; }
gone() { # waits up to 3 s until none is left
	for i in {1..60}; do [ "$(marked)" = 0 ] && return; sleep 0.05; done
	return 1
}
start() { # in the background, until FILE is there; $pid is the supervisor's
	rm -f "$W/ready"
	# A shell without job control makes what it puts into the background ignore SIGINT and SIGQUIT.
	env --default-signal "$TOOL" --env "$mark=1" --bind "$W" "$@" >"$T/o" 2>&1 &
	pid=$!
	for i in {1..100}; do [ -e "$W/ready" ] && return; sleep 0.05; done
	not_ok "it started" "$(cat "$T/o")"
}

start -- sh -c "trap 'echo got; exit 5' TERM; touch $W/ready; while :; do sleep 0.1; done"
kill -TERM $pid
wait $pid
is "$? $(grep got "$T/o")" "5 got" "SIGTERM reaches the command, whose status comes back"

for sig in INT HUP QUIT USR1 USR2; do
	start -- sh -c "trap 'exit 6' $sig; touch $W/ready; while :; do sleep 0.1; done"
	kill -$sig $pid
	wait $pid
	is $? 6 "SIG$sig is passed on"
done

start -- sh -c "touch $W/ready; sleep 30"
[ "$(marked)" -gt 1 ] && ok "its processes are seen from outside" || not_ok "its processes are seen from outside"
kill -TERM $pid
wait $pid
is $? 143 "a command without a handler dies of it"
gone && ok "and what it had started too" || not_ok "and what it had started too"

start -- sh -c "trap '' TERM INT HUP; (setsid sleep 30 &); setsid sleep 31 & touch $W/ready; sleep 32"
kill -KILL $pid
wait $pid 2>/dev/null
gone && ok "when the supervisor is killed, all inside die" || not_ok "when the supervisor is killed, all inside die" "$(ps ax)"

start --capture -- sh -c "(setsid sleep 30 &) ; touch $W/ready; sleep 32"
kill -KILL $pid
wait $pid 2>/dev/null
gone && ok "also with captured output" || not_ok "also with captured output"

out=$(box -- sh -c '(setsid sleep 30 &) ; setsid sleep 31 & echo done')
is "$out" "done" "when the command ends, the container ends"
gone && ok "with every daemon in it" || not_ok "with every daemon in it"

out=$(box -- python3 -c '
import os, time
for i in range(200):
    if os.fork() == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.wait()
time.sleep(0.3)
states = [open("/proc/%s/stat" % p).read().split(") ")[1][0] for p in os.listdir("/proc") if p.isdigit()]
print(states.count("Z"), len(states))')
is "$out" "0 2" "init reaps what is orphaned"

# A caller that ignores SIGCHLD has no zombies, and no status by waiting; init tells it.
python3 - "$TOOL" <<-'EOF'
	import os, signal, sys
	pid = os.fork()
	if pid == 0:
	    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
	    os.execv(sys.argv[1], [sys.argv[1], "--", "sh", "-c", "exit 9"])
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
is $? 9 "the status comes also where SIGCHLD is ignored"

mounts=$(wc -l </proc/self/mountinfo)
pids=()
for i in {1..50}; do
	box -- sh -c "echo $i >$W/many-$i; sleep 0.2; exit $i" &
	pids+=($!)
done
right=0
for i in {1..50}; do
	wait "${pids[i - 1]}"
	[ $? = $i ] && right=$((right + 1))
done
is $right 50 "fifty at once, each with its own status"
is "$(cat "$W"/many-* | sort -n | tail -n 1)" 50 "each did its work"
gone && ok "none is left" || not_ok "none is left"
is "$(wc -l </proc/self/mountinfo)" "$mounts" "no mount is left"

# 200 in a row from one process: its descriptors and children.
out=$(python3 - "$TOOL" <<-'EOF'
	import os, subprocess, sys
	before = len(os.listdir("/proc/self/fd"))
	bad = sum(subprocess.run([sys.argv[1], "--", "true"]).returncode != 0 for i in range(200))
	print(bad, len(os.listdir("/proc/self/fd")) - before)
EOF
)
is "$out" "0 0" "two hundred in a row"
finish
