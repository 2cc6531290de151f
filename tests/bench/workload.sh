#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# workload.sh [--runs N]: what walls cost while a program works: system calls in a loop, thousands of small
# files unpacked, read, listed and removed, and a compiler's run, bare and in a container, on the same
# file system. Each measures itself inside, so that starting the container is not in it. Medians, taking
# turns. O/bench/workload.json.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-${BUILD:-$top/build}}
runs=15
[ "${1:-}" != --runs ] || runs=$2
exec python3 - "$O" "$runs" "$top" <<'EOP'
import json, os, shutil, subprocess, sys, tempfile
build, runs, top = sys.argv[1], int(sys.argv[2]), sys.argv[3]
machine = lambda: json.loads(subprocess.check_output(["node", top + "/tests/bench/lib.js"]))
before = machine()
# In memory: what a disk does in between is not what is asked.
T = tempfile.mkdtemp(prefix="cratons-workload-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else build)
os.environ["CRATONS_HOME"] = T + "/home"
work = T + "/work"
os.mkdir(work)
shutil.copy(build + "/test/call-loop", work)

# 10,000 files of 200 B to 8 kB in 500 directories.
source = T + "/source"
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
script = r'''
cd "$1"
now() { from=$EPOCHREALTIME; }
took() { local to=$EPOCHREALTIME; echo "$1 $(((${to/./} - ${from/./}) * 1000))"; }
./call-loop 100000
now; tar -xf files.tar; took unpack
now; find source -type f -size +1 >/dev/null; took list
now; tar -cf - source | cat >/dev/null; took archive
now; rm -rf source; took remove
now; for i in {1..100}; do /bin/true; done; took "start-programs"
if command -v gcc >/dev/null; then now; gcc -O2 -c -o program.o program.c; took compile; fi
'''
inside = ["bash", "-c", script, "bash", work]
commands = {"bare": inside,
            "confined": [build + "/bin/cratons", "container", "run", "--rm", "--bind", work, "--"] + inside}
times = {}
env = {"PATH": "/usr/bin:/bin", "CRATONS_HOME": os.environ["CRATONS_HOME"], "HOME": T, "LC_ALL": "C.UTF-8"}
for run in range(runs + 1):
    for how, command in commands.items():
        out = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        for line in out.splitlines() if run else ():    # the first warms the caches
            name, ns = line.split()
            times.setdefault(name, {}).setdefault(how, []).append(float(ns))
median = lambda v: sorted(v)[len(v) // 2]
least = lambda v: sorted(v)[len(v) // 10]
rows = {n: {how: median(v) for how, v in t.items()} for n, t in times.items()}
print("%-16s %12s %12s  %s %s" % ("workload", "bare", "confined", "ratio", "of the best tenth"))
for name, row in rows.items():
    unit, scale = ("ns", 1) if row["bare"] < 1e5 else ("ms", 1e6)
    row["ratio"] = round(row["confined"] / row["bare"], 3)
    row["ratio_best"] = round(least(times[name]["confined"]) / least(times[name]["bare"]), 3)
    print("%-16s %9.1f %s %9.1f %s  %5.3f %5.3f" % (name, row["bare"] / scale, unit, row["confined"] / scale, unit,
                                              row["ratio"], row["ratio_best"]))
os.makedirs(build + "/bench", exist_ok=True)
with open(build + "/bench/workload.json", "w") as f:
    json.dump({"machine": {"before": before, "after": machine()}, "runs": runs, "ns": rows}, f, indent=2)
    f.write("\n")
shutil.rmtree(T)
EOP
