# SPDX-License-Identifier: GPL-2.0-or-later
# Floods: what a limit must end. Each wins when it goes past what the container is given.

fork_flood() { $1 "$P" forks "$D/granted/count" 200; [ "$(cat "$D/granted/count" 2>/dev/null || echo 0)" -ge 100 ]; }
thread_flood() { $1 "$P" threads 200; [[ $out == *"started 200"* ]]; }
python_fork_flood() {
	$1 /usr/bin/python3 -c 'import os, time
n = 0
try:
    while n < 200 and os.fork(): n += 1
    else:
        if n < 200: time.sleep(2); os._exit(0)
except OSError: pass
print("forked", n)'
	[[ $out == *"forked 200"* ]]
}
descriptor_flood() { $1 "$P" descriptors 500; [[ $out == *"opened 500"* ]]; }
disk_flood() { $1 "$P" fill "/tmp/probe-fill$uid" 4096; rm -f "/tmp/probe-fill$uid"; [[ $out == *"wrote 4096"* ]]; }
shm_flood() { $1 "$P" fill "/dev/shm/probe-fill$uid" 4096; rm -f "/dev/shm/probe-fill$uid"; [[ $out == *"wrote 4096"* ]]; }
file_flood() { $1 "$P" fill "$D/granted/fill" 4096; [[ $(stat -c %s "$D/granted/fill") -gt 2000000 ]]; }
inode_flood() { # in the bounded root of a container: bare, in a directory
	local d=/dev/shm/probe-inodes.$token
	mkdir -m 777 "$d"
	$1 sh -c "mkdir -p $d; exec '$P' inodes $d 10000"
	rm -rf "$d"
	[[ $out == *"made 10000"* ]]
}
memory_flood() { $1 "$P" memory 600; [[ $out == *"took 600"* ]]; }
memory_of() { $1 "$P" "$kind" 200; [[ $out == *"took 200"* ]]; }
memory_of_some() { $1 "$P" "$kind" "$amount"; [[ $out == *"took $amount"* ]]; }
tmpfs_memory() { $1 "$P" fill "/dev/shm/probe-fill$uid" 204800; rm -f "/dev/shm/probe-fill$uid"; [[ $out == *"wrote 204800"* ]]; }
output_flood() { $1 sh -c 'i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done'; [ ${#out} -gt 100000 ]; }
spinning() { $1 "$P" spin "$D/granted/beats"; [ "$(stat -c %s "$D/granted/beats")" -ge 45 ]; }
deaf_children() { # whose leader ends at the limit: they must not live on
	local before after
	$1 sh -c "trap '' TERM INT HUP; ('$P' orphan '$D/granted/alive'); sleep 3"
	before=$(stat -c %s "$D/granted/alive" 2>/dev/null || echo 0)
	pause 0.4
	after=$(stat -c %s "$D/granted/alive" 2>/dev/null || echo 0)
	pkill -KILL -f "^$P orphan $D" 2>/dev/null
	[ "$after" -gt "$before" ]
}

# What is counted for a user, or for all: a process takes what it can, and the same user gets none outside.
# Bare it is a user whom nothing else here is.
bare_spare() { local uid=$((uid == 0 ? 65532 : 65533)); bare "$@"; }
bare_pts() { # at most what the host leaves to others
	bare_ns sh -c 'mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && exec "$@"' sh "$@"
}
none_left() {
	local u=$(stat -c %u "/proc/$1")
	as_user() { if [ "$u" = 0 ]; then "$@"; else setpriv --reuid "$u" --regid "$u" --clear-groups "$@"; fi; }
	as_user "${before[@]}" "$T/bin/probe" take-some "$kind" "$some" >"$E/victim" 2>&1
	[ $? = 1 ]
}
many_terminals() { [ "$(ls "/proc/$1/fd" | wc -l)" -gt 400 ]; }
many_events() { [ "$(grep -cF '[aio]' "/proc/$1/maps")" -gt 16 ]; }
use_up() { before=("${limited[@]}"); held "$1" "${check:-none_left}" use-up "$kind" "$token" "${most:-200000}"; }
take_some() { before=("${limited[@]}"); $1 "$P" take-some "$kind" "$some"; [[ $out == "took $some" ]]; }

counts() {
	local kind some=1 most check limited=()
	kind=instances attack "all inotify instances of the user" use_up bare_spare
	kind=instances some=20 twin "inotify instances" take_some
	kind=signals attack "all queued signals of the user" use_up bare_spare
	kind=signals some=1000 twin "queued signals" take_some
	kind=queues attack "all message queues of the user" use_up bare_spare
	limited=(prlimit --memlock=1000000)
	kind=locked attack "all locked memory of the user" use_up bare_spare
	limited=(prlimit --nproc=1000)
	if [ "$uid" = 0 ]; then
		say_skip "all processes of the user" "RLIMIT_NPROC does not bind root"
	else
		kind=processes some=20 attack "all processes of the user" use_up bare_spare
		kind=processes some=100 twin "processes" take_some
	fi
	limited=()
	kind=terminals most=500 check=many_terminals attack "pseudo-terminals without end" use_up bare_pts
	kind=terminals some=100 twin "pseudo-terminals" take_some
	kind=events most=32 check=many_events attack "events of asynchronous I/O without end" use_up bare_spare
}

floods() {
	local kind amount only limits
	counts
	if [ "$uid" = 0 ] && [ -z "$has_pids" ]; then
		say_skip "a fork flood" "RLIMIT_NPROC does not bind root; it takes the pids controller of cgroup v2"
	else
		[ "$uid" != 0 ] || only="container"
		limits=(processes=50)
		attack "a fork flood" fork_flood
		attack "a fork flood in Python" python_fork_flood
		attack "a flood of threads" thread_flood
		limits=(processes=300)
		twin "a fork flood" fork_flood
		only=
	fi
	limits=(open-files=100)
	attack "a flood of descriptors" descriptor_flood
	limits=(scratch-size=2000000)
	attack "fill /tmp" disk_flood
	attack "fill /dev/shm" shm_flood
	limits=()
	twin "fill /tmp" disk_flood
	limits=(scratch-size=4000000)	# and in proportion, files
	attack "files without end" inode_flood
	limits=(file-size=2000000)
	attack "a file without end" file_flood
	limits=(address-space=500000000)
	attack "memory without end, in one process" memory_flood
	if [ -n "$has_memory" ]; then
		limits=(memory=100M)
		attack "memory without end" memory_flood
		for kind in memory-files shared-memory; do
			attack "memory without end, by $kind" memory_of
		done
		attack "memory without end, by /dev/shm" tmpfs_memory
		# Bounded for each user already; root is not.
		amount=150
		for kind in pipes sockets queues; do
			may_fail="bounded for this user" attack "memory without end, by $kind" memory_of_some bare_root
		done
	else
		say_skip "memory without end, in files, pipes, sockets, queues and shared memory" "takes the memory controller of cgroup v2"
	fi
	limits=(output=10000)
	attack "output without end" output_flood
	limits=(time=1)
	attack "spin and ignore every signal" spinning
	attack "children that ignore the end" deaf_children
	limits=()
}
