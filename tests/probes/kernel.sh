# SPDX-License-Identifier: GPL-2.0-or-later
# Interfaces of the kernel: namespaces, mounts, keys, switches, and calls that few programs need.

own_user_ns() {
	local parent
	parent=$(ps -o ppid= -p "$1" | tr -d ' ')
	[ "$(readlink "/proc/$1/ns/user")" != "$(readlink "/proc/$parent/ns/user")" ]
}
has_mount() { grep -q "$token" "/proc/$1/mountinfo"; }
new_user() { held "$1" own_user_ns new-user "$token"; }
clone_user() { held "$1" own_user_ns clone-user "$token"; }
clone3_user() { held "$1" own_user_ns clone3-user "$token"; }
filter_over() { held "$1" own_user_ns filter-over "$token"; }
new_namespace() { held "$1" lives namespace "$token" "$flag"; }
join() { # a process outside, as pid 1 of the host's namespace is not always there
	held "$1" joined join "$$" "$token"
}
joined() { [ "$(readlink "/proc/$1/ns/mnt")" = "$(readlink /proc/$$/ns/mnt)" ]; }
join_own() { held "$1" lives join-own "$token" /proc/self/ns/uts; }
join_init() { held "$1" lives join-own "$token" /proc/1/ns/mnt; }
mount_it() { held "$1" has_mount mount "$token" /tmp; }
fsmount_it() { held "$1" has_mount fsmount "$token" /tmp; }
unmount() { # what covers must not come off
	uncovered() { ! grep -q " $place " "/proc/$1/mountinfo"; }
	place=/proc
	held "$1" uncovered unmount "$token" $place
}
loosen() { # bare: the mount that is made read-only for it
	local how=$1
	seen() { grep " $F " "/proc/$1/mountinfo" | grep -q " $F rw"; }
	if [[ $how == bare* ]]; then
		$how sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" loosen "$2" "$1"' "$P" "$F" "$token" &
		wait_held seen
	else
		held "$how" seen loosen "$token" "$F"
	fi
}
change_root() { rooted() { [ "$(readlink "/proc/$1/root")" != / ] && [ "$(stat -Lc %i "/proc/$1/root/.")" != "$(stat -Lc %i "/proc/$(ps -o ppid= -p "$1" | tr -d ' ')/root/.")" ]; }
	held "$1" rooted chroot "$token"; }
bpf() { fd_kind=bpf-map; held "$1" has_fd bpf "$token"; }
perf() { fd_kind=perf_event; held "$1" has_fd perf "$token"; }
userfault() { fd_kind=userfaultfd; held "$1" has_fd userfaultfd "$token"; }
uring() { fd_kind=io_uring; held "$1" has_fd io-uring "$token"; }
fanotify() { fd_kind=fanotify; held "$1" has_fd fanotify "$token"; }
file_system() { fd_kind=fscontext; held "$1" has_fd file-system "$token"; }
tree_copy() { fd_kind=' /$'; held "$1" has_fd tree-copy "$token"; }
secret_memory() { fd_kind=secretmem; held "$1" has_fd secret-memory "$token"; }
key() { seen() { as cat /proc/keys | grep -q "$token"; }; held "$1" seen key "$token"; }
caller_key() { # one that was in the keyring of whoever called
	before=("$T/bin/probe" with-key "$token" "$canary")
	$1 "$P" read-key "$token"
	leaked
}
handle() { fd_kind="/file$"; held "$1" has_fd handle "$token" "$F/file"; }
persona() { flagged() { grep -qi '^00400000' "/proc/$1/personality"; }; held "$1" flagged personality "$token"; }
capability() { capable() { ! grep -q '^CapEff:.*0000000000000000' "/proc/$1/status"; }; held "$1" capable capabilities "$token"; }
ambient() { seen() { ! grep -q '^CapAmb:.*0000000000000000' "/proc/$1/status"; }; held "$1" seen ambient "$token"; }
new_privileges() { seen() { grep -q '^NoNewPrivs:.*0' "/proc/$1/status"; }; held "$1" seen new-privileges "$token"; }
become() { other() { ! grep -qE "^Uid:\s+$uid\s" "/proc/$1/status"; }; held "$1" other setuid "$token"; }
set_uid_program() { $1 "$P" setuid-program "$B/set-uid" -u; [ "$out" = 0 ]; }
capable_program() { # whose file carries a capability; copied out of it, it is only a program
	cp "$T/bin/probe" "$D/fixed/capable"
	"$T/bin/probe" file-capability "$D/fixed/capable"
	capable() { ! grep -q '^CapEff:.*0000000000000000' "/proc/$1/status"; }
	P=$D/fixed/capable held "$1" capable hold-reading /dev/null "$token"
}
host_name() { $1 "$P" hostname "$token" & named() { nsenter --uts="/proc/$1/ns/uts" hostname | grep -q "$token"; }; wait_held named; }
int80() { $1 "$P" int80 "$D/granted/int80"; [ -e "$D/granted/int80" ]; }
x32() { $1 "$P" x32 "$D/granted/x32"; [ -e "$D/granted/x32" ]; }
discipline() { $1 "$P" discipline; [[ $out == *reached* ]]; }
list_mounts() { $1 "$P" list-mounts; [[ $out == *mounts* ]]; }
call() { $1 "$P" reach "$call"; [[ $out == *reached* ]]; }
sysctl() { # a switch of this network namespace's, so that winning harms nothing
	local won=1 was f=/proc/sys/net/ipv4/ip_default_ttl value=$((70 + (uid > 0)))
	was=$(cat $f)
	$1 sh -c "echo $value >$f; cat $f >&2"
	[ "$(cat $f)" = $value ] && won=0
	echo "$was" >$f
	return $won
}
switch() { # one of the host's: opened to write, and no more
	$1 "$P" hold-open "$switch" "$token" &
	opened() { [ "$(stat -Lc %d:%i "/proc/$1/fd/3" 2>/dev/null)" = "$(stat -c %d:%i "$switch")" ] ||
		[ "$(readlink "/proc/$1/fd/3")" = "$switch" ]; }
	wait_held opened
}
cgroup() {
	local d=/sys/fs/cgroup won=1
	[ -d $d/unified ] && d=$d/unified
	$1 mkdir "$d/$token"
	[ -d "$d/$token" ] && won=0
	rmdir "$d/$token" 2>/dev/null
	return $won
}
told() { $1 "$P" contents "$about"; [[ $out == *bytes* ]]; }

kernel() {
	local flag switch about call cg=/sys/fs/cgroup
	attack "a new user namespace, by unshare" new_user
	attack "a new user namespace, by clone" clone_user
	attack "a new user namespace, by clone3" clone3_user
	attack "a new user namespace, after a filter of its own" filter_over
	for flag in "mount 20000" "uts 4000000" "ipc 8000000" "pid 20000000" "net 40000000" \
		"cgroup 2000000" "time 80"; do
		local kind=${flag% *}
		flag=${flag#* }
		attack "a new $kind namespace" new_namespace bare_ns
	done
	attack "join a namespace of the host's" join bare_root
	attack "join the namespace that it is in" join_own bare_ns
	attack "join the mounts of pid 1" join_init bare_init
	attack "mount" mount_it bare_ns
	attack "mount, with the calls of 2019" fsmount_it bare_ns
	attack "unmount what covers" unmount bare_root_mount
	attack "make a read-only mount writable" loosen bare_root_mount
	attack "a copy of the mounts" tree_copy bare_ns
	attack "a file system that is not mounted" file_system bare_ns
	attack "chroot" change_root bare_ns
	may_fail="bpf is off here" attack "bpf" bpf bare bare_root
	may_fail="perf is off here" attack "perf events" perf bare bare_root
	may_fail="this kernel has none" attack "userfaultfd" userfault bare bare_root
	may_fail="io_uring is off here" attack "io_uring" uring
	may_fail="this kernel has none" attack "fanotify" fanotify bare bare_root
	may_fail="this kernel has none" attack "secret memory" secret_memory
	may_fail="this kernel is older" attack "list the mounts by number" list_mounts
	attack "a key in the user's keyring" key
	attack "a key in the caller's keyring" caller_key
	attack "open a file by its handle" handle bare_root
	attack "read implies exec" persona
	attack "raise a capability" capability bare_root
	attack "raise an ambient capability" ambient bare_ns
	attack "execute with new privileges" new_privileges
	attack "become another user" become bare_root
	# Root has nothing to win by them.
	if [ "$uid" != 0 ]; then
		attack "a set-uid program" set_uid_program
		only="default script container exec" attack "a program with capabilities" capable_program
	fi
	attack "set the host name" host_name bare_ns
	may_fail="this kernel has no 32-bit calls" attack "a 32-bit call" int80
	may_fail="this kernel has no x32 calls" attack "an x32 call" x32
	attack "another line discipline for a terminal" discipline
	for call in $("$T/bin/probe" calls); do
		may_fail="this kernel has none" attack "the call $call" call bare bare_root bare_root_mount
	done
	attack "write a sysctl" sysctl bare_root
	for switch in kernel/core_pattern kernel/modprobe kernel/hotplug vm/overcommit_memory fs/protected_symlinks \
		fs/binfmt_misc/register; do
		switch=/proc/sys/$switch
		[ -e $switch ] || { say_skip "the switch $switch" "this host has none"; continue; }
		attack "the switch $switch" switch bare_root
	done
	for switch in /proc/sysrq-trigger /sys/kernel/uevent_helper $cg/memory/release_agent $cg/cgroup.procs \
		$cg/memory/cgroup.procs $cg/unified/cgroup.procs; do
		[ -e $switch ] || { say_skip "the switch $switch" "this host has none"; continue; }
		attack "the switch $switch" switch bare_root
	done
	attack "make a cgroup" cgroup bare_root
	for about in /proc/bus/input/devices /proc/bus/pci/devices /proc/fs/*/*/options; do
		[ -e "$about" ] || { say_skip "what $about tells" "this host has none"; continue; }
		may_fail="there is nothing in it" attack "what $about tells" told
	done
	for about in /proc/kcore /proc/keys /proc/timer_list /proc/kallsyms /proc/cmdline /proc/1/environ \
		/sys/kernel/vmcoreinfo /sys/class/net/lo/address /sys/fs/cgroup/cgroup.procs; do
		[ -e $about ] || { say_skip "what $about tells" "this host has none"; continue; }
		may_fail="there is nothing in it" attack "what $about tells" told bare_root
	done
}
