#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# workload.sh [--runs N] [--beside BUILD]: what walls cost while a program works: system calls in a loop,
# thousands of small files unpacked, read, listed and removed, and a compiler's run; bare, in a container, and in
# bubblewrap with the same mounts and the same seccomp programs, which shows what of it is the kernel's price
# for having walls at all. In memory, and on the disk below the build, where projects are: for root on a new ext4
# in a file there, as one that is years old may look so long for a free inode that nothing else is seen. Each
# measures itself inside, so that starting the container is not in it. Medians, taking turns. --beside: the container of another
# build as well. O/bench/workload.json.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-${BUILD:-$top/build}}
runs=15 beside=
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2 ;;
	--beside) beside=$2 ;;
	*) echo "usage: workload.sh [--runs N] [--beside BUILD]" >&2; exit 2 ;;
	esac
	shift 2
done
disk=$O/bench/workload.disk image=$O/bench/workload.ext4
mkdir -p "$disk"
if [ "$(id -u)" = 0 ] && command -v mkfs.ext4 >/dev/null && [ -z "${WORKLOAD_DISK:-}" ]; then
	truncate -s 1G "$image" && mkfs.ext4 -q -F "$image"
	WORKLOAD_DISK=y unshare --mount sh -c 'mount -o loop "$0" "$1" || exit; shift; exec "$@"' "$image" "$disk" \
		"$0" --runs "$runs" ${beside:+--beside "$beside"} && status=0 || status=$?
	rm -f "$image"
	rmdir "$disk"
	exit $status
fi
exec python3 - "$O" "$runs" "$top" "$beside" "$disk" <<'EOP'
import json, os, shutil, subprocess, sys, tempfile
build, runs, top, beside, disk = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
sys.path.insert(0, top + "/tests/bench")
import bwrap
machine = lambda: json.loads(subprocess.check_output(["node", top + "/tests/bench/lib.js"]))
before = machine()

script = r'''
cd "$1"
now() { from=$EPOCHREALTIME; }
took() { local to=$EPOCHREALTIME; echo "$1 $(((${to/./} - ${from/./}) * 1000))"; }
[ -z "$2" ] || ./call-loop 100000
now; tar --numeric-owner -xf files.tar; took unpack
now; find source -type f -size +1 >/dev/null; took list
now; tar --numeric-owner -cf - source | cat >/dev/null; took archive
now; cp -r source copy; took copy
now; rm -rf source copy; took remove
[ -n "$2" ] || exit 0
now; for i in {1..100}; do /bin/true; done; took "start-programs"
if command -v gcc >/dev/null; then now; gcc -O2 -c -o program.o program.c; took compile; fi
'''

def prepare(where):
    """10,000 files of 200 B to 8 kB in 500 directories, as an archive; what is done elsewhere is done once."""
    T = tempfile.mkdtemp(prefix="cratons-workload-", dir=where)
    work, source = T + "/work", T + "/source"
    os.mkdir(work)
    shutil.copy(build + "/test/call-loop", work)
    for d in range(500):
        os.makedirs("%s/%d" % (source, d))
        for f in range(20):
            with open("%s/%d/%d" % (source, d, f), "wb") as out:
                out.write(b"x" * (200 + (d * 20 + f) * 7919 % 7800))
    subprocess.check_call(["tar", "-cf", work + "/files.tar", "-C", T, "source"])
    with open(work + "/program.c", "w") as f:
        for i in range(200):
            f.write("int f%d(int x) { int a[64]; for (int i = 0; i < 64; i++) a[i] = x * i + %d; "
                    "for (int i = 1; i < 64; i++) a[i] ^= a[i - 1]; return a[x & 63]; }\n" % (i, i))
    return T, work

def measure(place, where):
    T, work = prepare(where)
    inside = ["bash", "-c", script, "bash", work, "y" if place == "memory" else ""]
    ours = lambda b: [b + "/bin/cratons", "container", "run", "--rm", "--bind", work, "--"] + inside
    commands = {"bare": inside, "confined": ours(build)}
    if shutil.which("bwrap"):
        commands["bubblewrap"] = bwrap.words(more=["--bind", work, work])
    if beside:
        commands["beside"] = ours(os.path.abspath(beside))
    programs = bwrap.programs(build, T)
    env = {"PATH": "/usr/bin:/bin", "CRATONS_HOME": T + "/home", "HOME": T, "LC_ALL": "C.UTF-8"}
    times = {}
    for run in range(runs + 1):
        for how, command in commands.items():
            fds = []
            if how == "bubblewrap":
                fds, options = bwrap.opened(programs)
                command = command + options + ["--"] + inside
            subprocess.call(["sync", "-f", work])   # what is still written of the one before is not this one's
            out = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True, pass_fds=fds).stdout
            for fd in fds:
                os.close(fd)
            for line in out.splitlines() if run else ():    # the first warms the caches
                name, ns = line.split()
                times.setdefault(name, {}).setdefault(how, []).append(float(ns))
    shutil.rmtree(T)
    return times

median = lambda v: sorted(v)[len(v) // 2]
def report(place, times):
    rows = {}
    hows = [how for how in next(iter(times.values())) if how != "bare"]
    print("%-16s %12s" % ("in " + place, "bare"), *("%12s ratio" % how for how in hows))
    for name, t in times.items():
        row = rows[name] = {how: median(v) for how, v in t.items()}
        unit, scale = ("ns", 1) if row["bare"] < 1e5 else ("ms", 1e6)
        # Of the same turn, so that what slows the machine down for some seconds slows both.
        row["ratio"] = {how: round(median([c / b for c, b in zip(t[how], t["bare"])]), 3) for how in hows}
        print("%-16s %9.1f %s" % (name, row["bare"] / scale, unit),
              *("%9.1f %s %5.3f" % (row[how] / scale, unit, row["ratio"][how]) for how in hows))
    return rows

places = {"memory": "/dev/shm" if os.access("/dev/shm", os.W_OK) else build, "disk": disk}
rows = {place: report(place, measure(place, where)) for place, where in places.items()}
os.makedirs(build + "/bench", exist_ok=True)
with open(build + "/bench/workload.json", "w") as f:
    json.dump({"machine": {"before": before, "after": machine()}, "runs": runs, "ns": rows}, f, indent=2)
    f.write("\n")
EOP
