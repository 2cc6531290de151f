# SPDX-License-Identifier: GPL-2.0-or-later
# Other processes: outside, and pid 1 of the container.

with_victim() { # HOW, then a function that is given how, pid and address
	local how=$1 pid address word after=${3:-:}
	as "$P" victim "$D/victim" >"$D/said" &
	for i in {1..400}; do [ -s "$D/victim" ] && break; pause 0.025; done
	read -r pid address <"$D/victim"
	$2 "$how" "$pid" "$address"
	noticed=$($after "$pid")
	touch "$D/victim.done"
	# A victim that was killed says nothing; one that was not says what it is.
	wait $!
	word=$(cat "$D/said")
	[ "$word" != "victim untouched" ]
}
kill_number() { hit() { $1 "$P" kill "$2"; }; with_victim "$1" hit; }
kill_pidfd() { hit() { $1 "$P" pidfd-kill "$2"; }; with_victim "$1" hit; }
kill_queue() { hit() { $1 "$P" queue-signal "$2"; }; with_victim "$1" hit; }
kill_owner() { hit() { $1 "$P" owner-signal "$2"; pause 0.1; }; with_victim "$1" hit; }
# The victim is alone in its process group, or the tests' own would be hit.
kill_group() { hit() { $1 "$P" kill "-$(ps -o pgid= -p "$2" | tr -d ' ')"; }; with_victim "$1" hit; }
kill_all() { hit() { $1 "$P" kill-all; }
	if [ "$1" = bare_pid ]; then	# both in one pid namespace of their own
		bare_pid sh -c "'$P' victim '$D/victim' >'$D/said' & sleep 0.3; trap '' KILL; '$P' kill-all; touch '$D/victim.done'; wait"
		[ "$(cat "$D/said")" != "victim untouched" ]
	else
		with_victim "$1" hit
	fi; }
write_memory() { hit() { $1 "$P" write-memory "$2" "$3" "$token"; }; with_victim "$1" hit; }
read_memory() { hit() { $1 "$P" read-memory "$2" "$3"; }; with_victim "$1" hit; [[ $out == *untouched* ]]; }
trace() { hit() { $1 "$P" trace "$2" "$3"; }; with_victim "$1" hit; }
proc_mem() { hit() { $1 "$P" proc-mem "$2" "$3" "$token"; }; with_victim "$1" hit; }
steal() { hit() { $1 "$P" take-descriptor "$2"; }; with_victim "$1" hit; [[ $out == *taken* ]]; }
look() { hit() { $1 "$P" look-into "$2"; }; with_victim "$1" hit; [[ $out == *"looked into"* ]]; }
limit_other() { hit() { $1 "$P" limit-other "$2"; }; seen() { grep 'open files' "/proc/$1/limits"; }
	with_victim "$1" hit seen; [[ $noticed =~ \ 7\ +7\  ]]; }
nice_other() { hit() { $1 "$P" nice-other "$2"; }; seen() { ps -o ni= -p "$1"; }
	with_victim "$1" hit seen; [[ $noticed == *19* ]]; }
pin_other() { hit() { $1 "$P" pin-other "$2"; }; seen() { taskset -cp "$1"; }
	with_victim "$1" hit seen; [[ $noticed =~ :\ 0$ ]]; }
others() { # another process's arguments
	hit() { $1 sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "'; }
	with_victim "$1" hit
	[[ $out == *"victim $D/victim"* ]]
}
orphan() {
	local before after
	$1 "$P" orphan "$D/granted/alive"
	pause 0.3
	before=$(stat -c %s "$D/granted/alive" 2>/dev/null || echo 0)
	pause 0.4
	after=$(stat -c %s "$D/granted/alive" 2>/dev/null || echo 0)
	pkill -KILL -f "^$P orphan $D" 2>/dev/null
	[ "$after" -gt "$before" ]
}
init_descriptors() { $1 sh -c 'for f in /proc/1/fd/*; do readlink "$f" && echo "'"$canary"'"; done'; leaked; }
init_look() { $1 "$P" look-into 1; [[ $out == *"looked into"* ]]; }
init_trace() { $1 "$P" attach 1; [[ $out == *attached* ]]; }
init_steal() { $1 "$P" take-descriptor 1; [[ $out == *taken* ]]; }
init_limit() { $1 sh -c '"$0" limit-other 1; grep "open files" /proc/1/limits' "$P"; [[ $out =~ \ 7\ +7\  ]]; }
real_time() { seen() { chrt -p "$1" | grep -q SCHED_RR; }; held "$1" seen real-time "$token"; }
raise_priority() { seen() { [ "$(ps -o ni= -p "$1")" -lt 0 ]; }; held "$1" seen raise-priority "$token"; }
spare_me() { seen() { [ "$(cat "/proc/$1/oom_score_adj")" = -500 ]; }; held "$1" seen spare-me "$token"; }
core() { # the host's handler or a file: as this host has it
	$1 sh -c 'cd "$1" && "$0" crash' "$P" "$D/granted"
	ls "$D/granted"/core* >/dev/null 2>&1
}

processes() {
	attack "kill a process outside by number" kill_number
	attack "kill a process outside by a descriptor" kill_pidfd
	attack "queue a signal to a process outside" kill_queue
	attack "a signal by the owner of a socket" kill_owner
	attack "kill a process group outside" kill_group
	# By exec it ends the container's own command, so the container, and the attack with it.
	only="default script environment container" attack "kill all that can be reached" kill_all bare_pid
	net=host
	attack "kill a process outside, with the host's network" kill_number
	net=
	attack "write another process's memory" write_memory
	attack "read another process's memory" read_memory
	attack "trace a process outside" trace
	attack "/proc/PID/mem of a process outside" proc_mem
	attack "/proc/PID/environ, maps and exe of a process outside" look
	attack "take a descriptor of a process outside" steal
	attack "see the arguments of processes outside" others
	attack "change a process's limits" limit_other
	attack "change a process's priority" nice_other
	if [ "$(nproc)" -gt 1 ]; then
		attack "change a process's processors" pin_other
	else
		say_skip "change a process's processors" "there is one"
	fi
	attack "a daemon that outlives its container" orphan
	attack "the descriptors of pid 1" init_descriptors bare_pid
	attack "the environment, maps and program of pid 1" init_look bare_init
	attack "trace pid 1" init_trace bare_init
	attack "take a descriptor of pid 1" init_steal bare_init
	attack "real-time priority" real_time bare_root
	attack "a higher priority" raise_priority bare_root
	may_fail="this root may not" attack "be spared when memory is short" spare_me bare_root
	if [[ $(cat /proc/sys/kernel/core_pattern) == /* || $(cat /proc/sys/kernel/core_pattern) == '|'* ]]; then
		say_skip "leave a core dump" "core dumps go elsewhere here: $(cat /proc/sys/kernel/core_pattern)"
	else
		attack "leave a core dump" core
	fi
}
