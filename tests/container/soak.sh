#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=400
#
# Two thousand containers one after another and two hundred at once, as root and as an ordinary user:
# what was there before is there after, and nothing else. In namespaces of its own, so that all that /proc
# shows is this test's, and so is /tmp. With sanitizers a tenth of
# them; SOAK_ROW and SOAK_MANY for other numbers.
if [ "$(id -u)" = 0 ] && [ -z "${SOAK_ALONE:-}" ]; then
	SOAK_ALONE=y exec unshare --pid --fork --kill-child --mount-proc --mount --ipc --net "$0" "$@"
fi
export TMPDIR=/var/tmp
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
# Before what hides /tmp, where all this may have been checked out.
chmod 755 "$T"
mkdir "$T/sbin" && cp "$BUILD"/bin/* "$T/sbin"
[ -z "${SOAK_ALONE:-}" ] || mount -t tmpfs -o mode=1777 none /tmp
[ -z "${SOAK_ALONE:-}" ] || mount -t tmpfs -o mode=1777 none /dev/shm
command -v python3 >/dev/null || skip_all "needs python3"
"$T/sbin/cratons" container run -- true 2>/dev/null || skip_all "no container can be made here"
rm -rf "$CRATONS_HOME"
case $BUILD in *san) row=200 many=20 ;; *) row=${SOAK_ROW:-2000} many=${SOAK_MANY:-200} ;; esac

cat >"$T/soak.py" <<'END'
import os, signal, subprocess, sys, time

tool, home, row, many = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.environ["CRATONS_HOME"] = home
null = os.open("/dev/null", os.O_RDWR)


def tree(top):
    return sorted(os.path.join(d, n) for d, dirs, files in os.walk(top) for n in dirs + files)


def links(kind):
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink("/proc/%s/ns/%s" % (pid, kind)))
        except OSError:
            pass
    return sorted(found)


def lines(path):
    with open(path) as f:
        return sorted(f)


def empty(cgroup):
    try:
        with open(cgroup + "/cgroup.events") as f:
            return "populated 0" in f.read()
    except OSError:
        return False


def processes():
    return sorted(p for p in os.listdir("/proc") if p.isdigit())


def state():
    """By name, so that a difference says what it is."""
    return {
        "process": processes(),
        "mount": lines("/proc/self/mountinfo"),
        "mount namespace": links("mnt"),
        "network namespace": links("net"),
        "user namespace": links("user"),
        # Of the whole machine, so others' come and go: those that are empty, and only more of them count.
        "cgroup": [d for d in tree("/sys/fs/cgroup") if "cratons" in d and os.path.isdir(d) and empty(d)],
        "descriptor": sorted(os.listdir("/proc/self/fd")),
        "container": tree(home + "/containers"),
        "file in /tmp": tree("/tmp"),
        "file in /dev/shm": tree("/dev/shm"),
        "queue or memory": lines("/proc/sysvipc/shm") + lines("/proc/sysvipc/sem") + lines("/proc/sysvipc/msg"),
        "socket": [s.split()[-1] for s in lines("/proc/net/unix") if "cratons" in s],
    }


def start(*words, out=null):
    return os.posix_spawn(tool, [tool, "container", *words], os.environ,
                          file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1)])


def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def call(*words):
    return subprocess.run([tool, "container", *words], stdin=null, capture_output=True, text=True)


def check(good, name, detail=""):
    print("%s\t%s\t%s" % ("ok" if good else "not", name, str(detail)[:1000].replace("\n", " ")), flush=True)


def compare(before, name):
    for _ in range(60):  # what the kernel takes down in its own time
        after = state()
        after["cgroup"] = before["cgroup"] + [c for c in after["cgroup"] if c not in before["cgroup"]]
        if after == before:
            break
        time.sleep(0.05)
    wrong = ["%s: more %s, less %s" % (what, sorted(set(after[what]) - set(before[what])),
                                       sorted(set(before[what]) - set(after[what])))
             for what in before if after[what] != before[what]]
    check(not wrong, name, "; ".join(wrong))


# The first makes what stays: the directories of the home.
status(start("run", "--rm", "--", "true"))
before = state()

bad = sum(status(start("run", "--rm", "--", "true")) != 0 for _ in range(row))
check(bad == 0, "%d in a row" % row, "%d failed" % bad)
compare(before, "which leave nothing")

# All are there together before the first may end: each waits for the end of its input.
gate, hold = os.pipe2(os.O_CLOEXEC)
running, said = [], []
for i in range(many):
    r, w = os.pipe2(os.O_CLOEXEC)
    running.append(os.posix_spawn(tool, [tool, "container", "run", "--rm", "--", "sh", "-c", "echo here; read x; exit %d" % (i % 100)],
                                  os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, gate, 0), (os.POSIX_SPAWN_DUP2, w, 1)]))
    os.close(w)
    said.append(r)
here = sum(os.read(r, 100) == b"here\n" for r in said)
check(here == many, "%d at once" % many, here)
# A command may speak before its supervisor has heard that it runs, and has written that down.
for _ in range(100):
    listed = len(call("ps").stdout.splitlines()) - 1
    if listed == many:
        break
    time.sleep(0.05)
check(listed == many, "and listed", listed)
os.close(gate)
os.close(hold)
right = sum(status(pid) == i % 100 for i, pid in enumerate(running))
check(right == many, "each with its own status", right)
for r in said:
    os.close(r)
compare(before, "which leave nothing either")

# Each with a helper for its network.
doors = [start("run", "--rm", "--net", "example.com:443", "--", "true") for _ in range(many // 10)]
right = sum(status(pid) == 0 for pid in doors)
check(right == len(doors), "with the network door", right)
compare(before, "whose helpers leave nothing")

# Those of which nobody waits for the end.
ids = [call("run", "--detach", "--", "sh", "-c", "(setsid sleep 100 &); sleep 100").stdout.strip() for _ in range(many // 10)]
check(all(ids), "detached", ids)
removed = sum(call("rm", "--force", i).returncode == 0 for i in ids)
check(removed == len(ids), "and removed by force", removed)
compare(before, "leave nothing")

# Supervisors that are killed, at moments all over a container's life.
for i in range(many // 2):
    pid = start("run", "--", "sh", "-c", "(setsid sleep 100 &); sleep 0.02")
    time.sleep(i * 0.0004)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
call("ps", "-a")
ended = call("rm", "--ended")
check(ended.returncode == 0, "killed at any moment, they are forgotten", ended.stderr)
compare(before, "and leave nothing")
END
round() { # NAME COMMAND...
	local name=$1 word what detail
	shift
	while IFS=$'\t' read -r word what detail; do
		if [ "$word" = ok ]; then ok "$name: $what"; else not_ok "$name: $what" "$detail"; fi
	done < <("$@" 2>"$T/err"; echo "$?" >"$T/status")
	is "$(cat "$T/status")" 0 "$name: came to its end"
	[ ! -s "$T/err" ] || sed 's/^/# /' "$T/err" | sort | uniq -c | head -n 20
}
if [ "$(id -u)" = 0 ]; then
	unset TMPDIR
	round "root" python3 "$T/soak.py" "$T/sbin/cratons" "$T/h0" $row $many
	nobody_home
	row=$((row / 10))
	round "an ordinary user" as_nobody python3 "$T/soak.py" "$T/sbin/cratons" "$T/nobody/h" $row $many
else
	round "an ordinary user" python3 "$T/soak.py" "$T/sbin/cratons" "$T/h" $row $many
fi
finish
