#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: vm=420
#
# Limits where cgroup v2 has every controller: as root, and as an ordinary user in a cgroup that was
# given to it by chown, as an administrator does.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
FS=/sys/fs/cgroup
[ -f $FS/cgroup.controllers ] || skip_all "needs cgroup v2"
nobody_home || skip_all "needs root, to be an ordinary user"
mkdir -p "$T/bin"
cp "$BUILD"/bin/cratons* "$T/bin"
cp "$BUILD/test/unit-cgroup" "$T/bin/cratons-unit"	# a name by which it is one of ours
C=$T/bin/cratons
GIVEN=$FS/given-$$

give() { # CONTROLLERS: the delegated cgroup, anew
	take
	[ -z "$1" ] || echo "$(printf '+%s ' $1)" >$FS/cgroup.subtree_control
	mkdir $GIVEN
	chown $NOBODY $GIVEN $GIVEN/cgroup.{procs,subtree_control,threads}
}
take() {
	[ ! -d $GIVEN ] || find $GIVEN -depth -type d -exec rmdir {} \; 2>/dev/null
}
at_end take
at_end 'rm -rf "$T/nobody"'

become_nobody() { # in place of the shell, so that no other process is in its cgroup
	exec setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --no-new-privs \
		env HOME="$T/nobody" CRATONS_HOME="$T/nobody/.cratons" "$@"
}

# A command as this round's user; as an ordinary one, alone in the cgroup that it was given, or beside
# the supervisors that moved below it.
enter_given() {
	echo $BASHPID >$GIVEN/cgroup.procs || echo $BASHPID >$GIVEN/cratons-supervisor/cgroup.procs
} 2>/dev/null
c() {
	if [ $uid = 0 ]; then "$C" "$@"; else
		(enter_given && become_nobody "$C" "$@")
	fi
}
run() { c container run "$@"; }
name() { echo "uid $uid: $1"; }
cgroups() { find $FS -depth -type d -name 'cratons*' | wc -l; }
field() { c container inspect "$1" | sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p"; }
until_true() { # COMMAND...
	local i
	for i in {1..100}; do "$@" && return; sleep 0.2; done
	return 1
}

memory() {
	exits 137 "$(name "a flood of memory is killed")" run --name hog --memory 48M -- sh -c 'head -c 400m /dev/zero | tail'
	is "$(field hog ended_by)" oom "$(name "and the reason is oom")"
	is "$(run --memory 64M -- sh -c 'head -c 8m /dev/zero | wc -c')" 8388608 "$(name "what stays below the limit runs")"
	c container rm hog >/dev/null
	# The whole container, not one process of it: the shell would go on.
	exits 137 "$(name "all of the container ends")" run --memory 48M -- sh -c 'head -c 400m /dev/zero | tail; echo still here'
	has_not "$out" "still here" "$(name "and nothing runs after it")"
}

processes() {
	exits 137 "$(name "a fork bomb is killed")" run --name bomb --pids 24 -- bash -c 'f() { f | f & }; f; sleep 60'
	is "$(field bomb ended_by)" pids "$(name "and the reason is pids")"
	c container rm bomb >/dev/null
	is "$(run --pids 24 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait; echo fine')" fine "$(name "fewer processes run")"
}

# Two processor-seconds' worth of work in the time that it takes: user and system time of the children.
spent() { # FLAGS...: hundredths of a second in three seconds
	run "$@" -- bash -c 'timeout 3 bash -c "while :; do :; done"; read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ u s _ </proc/self/stat; echo $((u + s))'
}
processor() {
	local free bound
	free=$(spent) bound=$(spent --cpu 0.2)
	[ "${free:-0}" -ge 150 ] && ok "$(name "without a limit a loop has the processor ($free of 300)")" ||
		not_ok "$(name "without a limit a loop has the processor")" "$free of 300"
	[ "${bound:-999}" -le 110 ] && [ "${bound:-0}" -ge 1 ] && ok "$(name "with --cpu 0.2 a fifth ($bound of 300)")" ||
		not_ok "$(name "with --cpu 0.2 a fifth")" "$bound of 300"
	succeeds "$(name "weights")" run --cpu-weight 50 --io-weight 200 -- true
}

pause_resume() {
	local id before after
	id=$(run --detach --memory 64M -- sh -c 'while :; do echo x; sleep 0.05; done')
	lines() { c container logs "$id" | wc -l; }
	succeeds "$(name "pause")" c container pause "$id"
	is "$(field "$id" status)" paused "$(name "it is paused")"
	before=$(lines)
	sleep 1
	after=$(lines)
	is "$after" "$before" "$(name "and does nothing")"
	succeeds "$(name "resume")" c container resume "$id"
	more() { [ "$(lines)" -gt "$before" ]; }
	until_true more && ok "$(name "it goes on")" || not_ok "$(name "it goes on")"
	has "$(c container stats --json "$id")" '"pids"' "$(name "what it uses is counted")"
	is "$(cat "$(field "$id" cgroup)/memory.max" 2>&1)" 67108864 "$(name "its limit is the kernel's")"
	is "$(c container exec "$id" sh -c 'cut -d: -f3 /proc/self/cgroup')" "$(c container exec "$id" sh -c 'cut -d: -f3 /proc/1/cgroup')" "$(name "exec is in the same cgroup")"
	succeeds "$(name "pause again")" c container pause "$id"
	succeeds "$(name "what is paused can be killed")" c container rm --force "$id"
}

bomb_killed_from_outside() {
	local id
	id=$(run --detach --pids 200 -- bash -c 'trap "" TERM INT HUP; f() { while :; do f & sleep 0.5; done; }; f')
	sleep 2
	succeeds "$(name "a growing tree of processes that ignore signals is killed")" c container rm --force "$id"
	is "$(pgrep -u $uid -f 'trap "" TERM INT' | wc -l)" 0 "$(name "none of it is left")"
}

supervisor_killed() {
	local id path
	id=$(run --detach --memory 64M -- sleep 100)
	path=$(field "$id" cgroup)
	[ -d "$path" ] && ok "$(name "it has a cgroup")" || not_ok "$(name "it has a cgroup")" "$path"
	kill -KILL "$(field "$id" supervisor)"
	sleep 0.5
	c container rm --force "$id" >/dev/null 2>&1
	[ ! -d "$path" ] && ok "$(name "the next command removes what a killed supervisor left")" ||
		not_ok "$(name "the next command removes what a killed supervisor left")" "$path"
}

round() {
	[ $uid = 0 ] || give "memory pids cpu io"
	is "$(run --memory 64M -- cat /proc/self/cgroup)" "0::/" "$(name "inside, its cgroup is the root")"
	memory
	processes
	processor
	pause_resume
	bomb_killed_from_outside
	supervisor_killed
	is "$(cgroups)" 0 "$(name "no cgroup is left")"
	[ $uid = 0 ] || is "$(find $GIVEN -mindepth 1 -type d | wc -l)/$(cat $GIVEN/cgroup.subtree_control)" "0/" \
		"$(name "the cgroup that was given is as it was")"
}
for uid in 0 $NOBODY; do
	round
done

# Two that start and end in one delegated cgroup at the same time.
give "memory pids cpu io"
out=$(enter_given && become_nobody "$T/bin/cratons-unit" --filter 'host/many_come_and_go*' 2>&1)
has "$out" "Passing: 1" "supervisors come and go in one cgroup"
is "$(find $GIVEN -mindepth 1 -type d | wc -l)/$(cat $GIVEN/cgroup.subtree_control)" "0/" "and leave it as it was"

# What is missing is said, with the remedy.
give "memory pids cpu io"
out=$(as_nobody "$C" container run --memory 64M -- true 2>&1)
is $? 50 "nothing delegated: refused"
has "$out" "no cgroup was delegated" "it says so"
has "$out" "Delegate=cpu cpuset io memory pids" "and what an administrator does"
out=$(as_nobody "$C" container run --memory 64M --best-effort -- echo ran 2>&1)
has "$out" "ran" "--best-effort runs without"
has "$out" "warning: cannot limit memory" "and warns"

sleep 100 &
other=$!
echo $other >$GIVEN/cgroup.procs
uid=$NOBODY
out=$(run --memory 64M -- true 2>&1)
kill $other
wait $other 2>/dev/null
has "$out" "has 1 other process," "beside another process in the cgroup: refused, with the reason"
take

echo "-cpu -io" >$FS/cgroup.subtree_control
mkdir $GIVEN
chown $NOBODY $GIVEN $GIVEN/cgroup.{procs,subtree_control,threads}
out=$(run --cpu 0.5 -- true 2>&1)
is $? 50 "a controller that was not delegated: refused"
has "$out" "the controller 'cpu' is not delegated to $GIVEN" "it is named"
is "$(run --memory 64M --cpu 0.5 --best-effort -- echo ran 2>/dev/null)" ran "--best-effort keeps the limits that there are"
take
has "$("$C" doctor 2>&1)" "memory, pids, cpu, io" "doctor says what root can limit"
finish
