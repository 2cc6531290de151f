#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: vm=240
#
# Limits from the user's own systemd, where nothing was delegated to the caller: a real `systemd --user`
# on a real bus makes the scope. As in a login session, the caller's cgroup is root's; only that the
# manager may move processes out of it is arranged by the permission of a common parent, not by the
# system's systemd.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
FS=/sys/fs/cgroup
[ -f $FS/cgroup.controllers ] || skip_all "needs cgroup v2"
nobody_home || skip_all "needs root, to be an ordinary user"
systemd=/lib/systemd/systemd
[ -x $systemd ] && command -v dbus-daemon >/dev/null || skip_all "needs systemd and dbus-daemon"
mkdir -p "$T/bin"
cp "$BUILD"/bin/cratons* "$T/bin"
C=$T/bin/cratons
TOP=$FS/users-$$ RUN=/run/user/$NOBODY
MANAGER=$TOP/user@$NOBODY.service SESSION=$TOP/session-1.scope

take() {
	for d in $TOP/user@* $TOP/session*; do echo 1 >"$d/cgroup.kill"; done 2>/dev/null
	sleep 1
	find $TOP -depth -type d -exec rmdir {} \; 2>/dev/null
}
at_end 'rm -rf "$T/nobody" $RUN'
at_end "take; wait"
echo "+memory +pids +cpu +io" >$FS/cgroup.subtree_control
mkdir -p $TOP
echo "+memory +pids +cpu" >$TOP/cgroup.subtree_control
mkdir -p $MANAGER $SESSION $RUN
chown $NOBODY $MANAGER $MANAGER/cgroup.{procs,subtree_control,threads} $TOP/cgroup.procs $RUN
chmod 700 $RUN
# What says that a host was booted with systemd (sd_booted(3)): a user's manager starts only there.
[ -d /run/systemd/system ] || { mkdir -p /run/systemd/system && at_end 'rmdir /run/systemd/system'; }

inside() { # CGROUP COMMAND...
	echo $BASHPID >"$1/cgroup.procs"
	shift
	exec setpriv --reuid $NOBODY --regid $NOBODY --clear-groups env HOME="$T/nobody" \
		CRATONS_HOME="$T/nobody/.cratons" XDG_RUNTIME_DIR=$RUN "$@"
}
c() { (inside $SESSION "$C" "$@"); }

out=$(c container run --memory 64M -- true 2>&1)
has "$out" "the user's systemd cannot be reached" "without a bus: refused, and it says what was tried"

(inside $SESSION dbus-daemon --session --nofork --nopidfile --address=unix:path=$RUN/bus) >"$T/bus.log" 2>&1 &
for i in {1..50}; do [ -S $RUN/bus ] && break; sleep 0.2; done
(inside $MANAGER env DBUS_SESSION_BUS_ADDRESS=unix:path=$RUN/bus $systemd --user --log-target=console \
	--unit=basic.target) >"$T/systemd.log" 2>&1 &
up() { c doctor 2>/dev/null | grep -q "scopes of the user's systemd"; }
for i in {1..20}; do up && break; sleep 1; done
if ! up; then
	not_ok "systemd --user answers" "$(tail -n 20 "$T/systemd.log" "$T/bus.log"; c doctor 2>&1 | grep -A1 limits)"
	finish
fi
has "$(c doctor)" "scopes of the user's systemd: memory, pids, cpu" "doctor says what it would give"

is "$(c container run --memory 64M --pids 50 -- cat /proc/self/cgroup)" "0::/" "a container with limits"
c container run --detach --name c --memory 64M --pids 50 --cpu 0.5 -- sleep 100 >/dev/null
path=$(c container inspect c | sed -n 's/^ *"cgroup": "\(.*\)",$/\1/p')
has "$path" "$MANAGER/" "its cgroup is below the user's manager"
has "$path" ".scope/cratons/" "in a scope of its own"
is "$(cat "$path"/{memory.max,pids.max,cpu.max} | tr '\n' ' ')" "67108864 50 50000 100000 " "the limits are the kernel's"
is "$(c container exec c echo there 2>&1)" there "exec, from the session, joins it"
succeeds "pause" c container pause c
succeeds "rm of what is paused" c container rm --force c
exits 137 "a flood of memory" c container run --name hog --memory 48M -- sh -c 'head -c 400m /dev/zero | tail'
has "$(c container inspect hog)" '"ended_by": "oom"' "is ended as oom"
exits 137 "a fork bomb" c container run --name bomb --pids 24 -- bash -c 'f() { f | f & }; f; sleep 60'
has "$(c container inspect bomb)" '"ended_by": "pids"' "is ended as pids"
out=$(c container run --io-weight 50 -- true 2>&1)
has "$out" "the controller 'io' is not delegated" "what the manager was not given is named"
has "$out" "Delegate=cpu cpuset io memory pids" "with the remedy"
gone() { [ "$(find $MANAGER -name 'cratons*' | wc -l)" = 0 ]; }
for i in {1..50}; do gone && break; sleep 0.2; done
gone && ok "systemd removed the scopes" || not_ok "systemd removed the scopes" "$(find $MANAGER -name 'cratons*')"
finish
