#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# container.sh [--runs N] [--json]: the time from typing a command to its end, for `true` bare, in our
# container, and in bubblewrap with the same namespaces, mounts and privileges, without and with the
# same seccomp programs (bubblewrap takes them ready-made). Medians; the programs take turns, so that
# a busy moment hits all.
set -eu
O=${O:-${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}}
runs=200 json=
while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2; shift ;;
	--json) json=y ;;
	*) echo "usage: container.sh [--runs N] [--json]" >&2; exit 2 ;;
	esac
	shift
done
exec python3 - "$O" "$runs" "$json" <<'EOF'
import glob, json, os, shutil, struct, sys, tempfile, time
build, runs, as_json = sys.argv[1], int(sys.argv[2]), sys.argv[3]
bwrap = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
         "--unshare-cgroup", "--disable-userns", "--die-with-parent", "--new-session", "--hostname", "x",
         "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev",
         "--tmpfs", "/tmp", "--tmpfs", "/home/user"]
for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
    if os.path.islink("/" + name):
        bwrap += ["--symlink", os.readlink("/" + name), "/" + name]
for pattern in "/etc/ld.so.cache", "/etc/alternatives", "/etc/maven", "/etc/fonts", "/etc/java-*-openjdk":
    for path in glob.glob(pattern):
        bwrap += ["--ro-bind", path, path]
for cover in "kcore", "keys", "timer_list", "kallsyms", "cmdline":
    if os.path.exists("/proc/" + cover):
        bwrap += ["--ro-bind", "/dev/null", "/proc/" + cover]
bwrap += ["--remount-ro", "/", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]

# The two programs of the profile, as the build made them: two lengths, then the instructions.
with open(build + "/made/policies/seccomp/default.seccomp", "rb") as f:
    blob = f.read()
first, second = struct.unpack("II", blob[:8])
cut = 8 + first * 8
filters = []
for part in blob[8:cut], blob[cut:cut + second * 8]:
    f = tempfile.TemporaryFile()
    f.write(part)
    f.flush()
    os.set_inheritable(f.fileno(), True)
    filters.append(f)
with_seccomp = bwrap + [x for f in filters for x in ("--add-seccomp-fd", str(f.fileno()))]

commands = {"bare": ["true"], "cratons": [build + "/test/sandbox-tool", "--", "true"]}
if shutil.which("bwrap"):
    commands["bubblewrap"] = bwrap + ["--", "true"]
    commands["bubblewrap+seccomp"] = with_seccomp + ["--", "true"]
times = {name: [] for name in commands}
for _ in range(runs):
    for name, command in commands.items():
        for f in filters:
            f.seek(0)
        start = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, os.environ)
        _, status = os.waitpid(pid, 0)
        times[name].append(time.perf_counter() - start)
        if status:
            sys.exit("%s ended with %d" % (name, status))
median = {name: sorted(t)[len(t) // 2] * 1000 for name, t in times.items()}
result = {"runs": runs, "median_ms": {n: round(m, 2) for n, m in median.items()}}
result["ratio"] = {n: round(median["cratons"] / m, 2) for n, m in median.items() if n != "cratons"}
if as_json:
    print(json.dumps(result))
else:
    for name, m in median.items():
        print("%-20s %6.2f ms  %s" % (name, m, "" if name == "cratons" else
              "cratons takes %.2f times as long" % result["ratio"][name]))
EOF
