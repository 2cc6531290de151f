#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
#
# cratons-mountd as a real systemd runs it, from the units that are installed: systemd is started as the first
# process of namespaces of its own (process ids, mounts, network, cgroups), where nothing but the socket and a
# client's service is.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

systemd=/lib/systemd/systemd group=
[ "$(id -u)" = 0 ] || skip_all "this needs root"
[ -x $systemd ] && command -v systemctl >/dev/null || skip_all "there is no systemd"
[ -c /dev/fuse ] || skip_all "there is no /dev/fuse"
unshare -m -p -f -C -u -i -n true 2>/dev/null || skip_all "this root may not make namespaces"
[ "${BUILD##*/}" != san ] || skip_all "a sanitizer's run time wants more than the unit lets it have"
nobody_home || skip_all "there is no setpriv"
python=$(as_nobody sh -c 'command -v python3') || skip_all "an ordinary user has no python3"
hierarchy=$(findmnt -fno TARGET -t cgroup2) || skip_all "there is no cgroup v2"
group=$hierarchy/cratons-test-$$
mkdir "$group" 2>/dev/null || skip_all "this root may not make a control group"
at_end 'echo 1 >"$group/cgroup.kill"; sleep 0.3; find "$group" -depth -type d -exec rmdir {} + 2>/dev/null'

mkdir units at roots && chown $NOBODY:$NOBODY at
cp "$SRC/packaging/systemd/cratons-mountd.socket" units/
sed "s,@LIBEXECDIR@,$BUILD/bin," "$SRC/packaging/systemd/cratons-mountd.service" >units/cratons-mountd.service
# There is no basic.target to be ordered after.
sed -i 's/^\[Unit\]/&\nDefaultDependencies=no/' units/*
cat >units/try.target <<END
[Unit]
DefaultDependencies=no
Requires=cratons-mountd.socket try.service
END
cat >units/try.service <<END
[Unit]
DefaultDependencies=no
After=cratons-mountd.socket
[Service]
Type=oneshot
ExecStart=/bin/bash $T/client
ExecStopPost=/bin/systemctl exit 0
StandardOutput=file:$T/out
StandardError=file:$T/out
END
cat >client <<END
ask() { setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --no-new-privs $python $SRC/tests/lib/mountd.py ask "\$@"; }
echo before: \$(systemctl is-active cratons-mountd.service)
echo hello: \$(ask hello)
echo mount: \$(ask mount path:$T/at)
echo seen: \$(grep -c '$T/at ro,nosuid,nodev.* - fuse.cratons' /proc/1/mountinfo)
echo unmount: \$(ask unmount path:$T/at)
echo roots: \$(ask mount path:$T/roots)
pid=\$(systemctl show -P MainPID cratons-mountd.service)
echo caps: \$(sed -n 's/^Cap\(Eff\|Bnd\):\t//p' /proc/\$pid/status | sort -u)
echo mounts: \$([ /proc/\$pid/ns/mnt -ef /proc/1/ns/mnt ] && echo shared)
echo network: \$([ /proc/\$pid/ns/net -ef /proc/1/ns/net ] || echo own)
systemctl stop cratons-mountd.service
echo stopped: \$(systemctl is-active cratons-mountd.service cratons-mountd.socket)
echo again: \$(ask mount path:$T/at)
END
cat >first <<END
mount -t proc proc /proc
umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1	# never the host's groups
mount -t tmpfs tmpfs /run && mkdir -p /run/lock /run/systemd/system && cp $T/units/* /run/systemd/system/ || exit 1
mount -t tmpfs tmpfs /etc/systemd
exec setpriv --bounding-set -sys_boot,-sys_time,-sys_module,-net_admin env -i container=other PATH=/usr/bin:/bin \\
	$systemd --unit=try.target --log-target=console --log-level=notice
END
sh -c 'echo $$ >"$0/cgroup.procs"; exec timeout -k 2 60 unshare -m -p -f -C -u -i -n --propagation private \
	bash "$1"' "$group" "$T/first" </dev/null >log 2>&1
grep -q ^before: out 2>/dev/null || skip_all "systemd does not come up in namespaces here: $(tail -n 1 log)"

told() { sed -n "s/^$1: //p" out; }
is "$(told before)" inactive "it is not running until somebody asks"
is "$(told hello)" DONE "the socket starts it"
is "$(told mount)" "DONE device" "a user's mount"
is "$(told seen)" 1 "it is in the mount namespace of process 1"
is "$(told unmount)" DONE "taken away"
is "$(told roots)" FOREIGN "somebody else's directory"
is "$(told caps)" 0000000000200000 "with CAP_SYS_ADMIN alone"
is "$(told mounts)" shared "in the mount namespace of process 1"
is "$(told network)" own "and a network of its own"
is "$(told stopped)" "inactive active" "it can be stopped without the socket"
is "$(told again)" "DONE device" "and starts again when asked"
finish
