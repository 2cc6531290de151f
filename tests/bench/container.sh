#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# container.sh [--runs N]: the time from typing a command to its end, for `true` bare, in our
# container, and in bubblewrap with the same namespaces, mounts and privileges, without and with the
# same seccomp programs (bubblewrap takes them ready-made). Medians; the programs take turns, so that
# a busy moment hits all. A table, and O/bench/container.json.
#
# container.sh --project DIR --modules DIR [--runs N]: the same of `cratons run -- true` in a project,
# when its server must start and when it runs, beside bubblewrap that binds the project and, for the
# mount, another directory. O/bench/run.json.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-${BUILD:-$top/build}}
runs=200 project= modules=
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2; shift ;;
	--project) project=$2; shift ;;
	--modules) modules=$2; shift ;;
	*) echo "usage: container.sh [--runs N] [--project DIR --modules DIR]" >&2; exit 2 ;;
	esac
	shift
done
exec python3 - "$O" "$runs" "$project" "$modules" "$top/tests/bench" <<'EOF'
import atexit, json, os, shutil, signal, subprocess, sys, tempfile, time
build, runs, project, modules, bench = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
sys.path.insert(0, bench)
import bwrap
machine = lambda: json.loads(subprocess.check_output(["node", bench + "/lib.js"]))
before = machine()
folder = tempfile.mkdtemp(prefix="cratons-bench-")
atexit.register(shutil.rmtree, folder)
more = []
if project:
    inside = project + "/node_modules"
    more = ["--bind", project, project, "--ro-bind", modules, inside, "--chdir", project]
    for name in ".cache", ".vite", ".vite-temp":
        more += ["--bind", project + "/.cratons/cache/" + name, inside + "/" + name]
filters = {"bubblewrap+seccomp": bwrap.programs(build, folder)}

def stop_server():
    """Ends the server of this home, found by what it was started with."""
    home = os.environ["CRATONS_HOME"].encode()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % entry, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/cratons-fused") and words[1:3] == [b"--home", home]:
            os.kill(int(entry), signal.SIGKILL)
            while os.path.exists("/proc/" + entry):
                time.sleep(0.005)

if project:
    os.chdir(project)
    run = [build + "/bin/cratons", "run", "--", "true"]
    commands = {"bare": ["true"], "server starts": run, "cratons": run}
else:
    commands = {"bare": ["true"], "cratons": [build + "/test/sandbox-tool", "--", "true"]}
if shutil.which("bwrap"):
    commands["bubblewrap"] = commands["bubblewrap+seccomp"] = bwrap.words(bool(project), more)
times = {name: [] for name in commands}
for _ in range(runs):
    for name, command in commands.items():
        fds, options = bwrap.opened(filters.get(name, ()))
        if command[0] == "bwrap":
            command = command + options + ["--", "true"]
        if name == "server starts":
            stop_server()
        start = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, os.environ)
        _, status = os.waitpid(pid, 0)
        times[name].append(time.perf_counter() - start)
        for fd in fds:
            os.close(fd)
        if status:
            sys.exit("%s ended with %d" % (name, status))
median = {name: sorted(t)[len(t) // 2] * 1000 for name, t in times.items()}
ratio = {n: round(median["cratons"] / m, 2) for n, m in median.items() if n != "cratons"}
print("%-20s %9s  %s" % ("cratons run -- true" if project else "true", "ms", "cratons takes of it"))
for name, m in median.items():
    print("%-20s %9.2f  %s" % (name, m, ratio.get(name, "")))
os.makedirs(build + "/bench", exist_ok=True)
with open(build + "/bench/%s.json" % ("run" if project else "container"), "w") as f:
    json.dump({"machine": {"before": before, "after": machine()}, "runs": runs,
               "median_ms": {n: round(m, 2) for n, m in median.items()}, "ratio": ratio}, f, indent=2)
    f.write("\n")
EOF
