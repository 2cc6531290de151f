# SPDX-License-Identifier: GPL-2.0-or-later
"""runtimes.sh's programs, bundles and clocks."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bwrap

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("top")
parser.add_argument("--runs", type=int, default=100)
parser.add_argument("--many", type=int, default=200)
arg = parser.parse_args()
machine = lambda: json.loads(subprocess.check_output(["node", arg.top + "/tests/bench/lib.js"]))
before = machine()
T = tempfile.mkdtemp(prefix="cratons-runtimes-")
os.environ["CRATONS_HOME"] = T + "/home"
def oci_seccomp():
    """The profile's list without its conditions on arguments, which only makes it cheaper."""
    try:
        import tomllib
    except ImportError:
        return None
    import errno
    with open(arg.top + "/policies/seccomp/default.toml", "rb") as f:
        profile = tomllib.load(f)
    rules = [{"names": a["calls"], "action": "SCMP_ACT_ALLOW"} for a in profile["allow"]]
    rules += [{"names": r["calls"], "action": "SCMP_ACT_ERRNO", "errnoRet": getattr(errno, r["error"])}
              for r in profile["refuse"] if "when" not in r]
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": rules}


def bundle(name, command, seccomp):
    path = "%s/%s" % (T, name)
    root = path + "/rootfs"
    os.makedirs(root)
    tmpfs = lambda place, mode: {"destination": place, "type": "tmpfs", "source": "tmpfs",
                                 "options": ["nosuid", "nodev", "mode=" + mode]}
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro", "nosuid", "nodev", "noexec"]},
              tmpfs("/dev", "755"),
              {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
               "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
              tmpfs("/dev/shm", "1777"), tmpfs("/tmp", "1777"), tmpfs("/home/user", "755")]
    mounts += [{"destination": p, "type": "bind", "source": p, "options": ["bind", "ro", "nosuid", "nodev"]}
               for p in ["/usr"] + bwrap.etc(bwrap.ETC)]
    for m in mounts:
        place = root + m["destination"]
        if os.path.isfile(m["source"]):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            open(place, "w").close()
        else:
            os.makedirs(place, exist_ok=True)
    for link in bwrap.LINKS:
        os.symlink(os.readlink("/" + link), root + "/" + link)
    one = [{"containerID": 0, "hostID": 0, "size": 1}]
    linux = {"uidMappings": one, "gidMappings": one, "maskedPaths": bwrap.COVERED, "readonlyPaths": [],
             "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "user", "cgroup")]}
    if seccomp:
        linux["seccomp"] = seccomp
    sets = ("bounding", "effective", "inheritable", "permitted", "ambient")
    config = {"ociVersion": "1.0.2", "hostname": "x", "mounts": mounts, "linux": linux,
              "root": {"path": "rootfs", "readonly": True},
              "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": command, "env": ["PATH=/usr/bin:/bin"],
                          "cwd": "/", "capabilities": {s: [] for s in sets}, "noNewPrivileges": True}}
    with open(path + "/config.json", "w") as f:
        json.dump(config, f)
    return path


class Program:
    """`words` begins a container; {id} stands for a new name."""
    count = 0

    def __init__(self, words, in_bundle=None, with_filters=()):
        self.words, self.in_bundle, self.filters = words, in_bundle, with_filters

    def start(self, command):
        Program.count += 1
        words = [w.format(id="bench%d" % Program.count) for w in self.words]
        fds, options = bwrap.opened(self.filters)
        words += options
        if self.in_bundle:
            os.chdir(self.in_bundle[" ".join(command)])
        else:
            words += ["--"] + command if words else command
        pid = os.posix_spawnp(words[0], words, os.environ)
        for fd in fds:
            os.close(fd)
        return pid


def wait(pid, name):
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit("%s ended with %d" % (name, status))


def programs():
    sleep, true = ["sleep", "100"], ["true"]
    found = {"bare": Program([]), "cratons": Program([arg.build + "/bin/cratons", "container", "run", "--rm"])}
    if shutil.which("bwrap"):
        found["bubblewrap"] = Program(bwrap.words())
        found["bubblewrap+seccomp"] = Program(bwrap.words(), None, bwrap.programs(arg.build, T))
    seccomp = oci_seccomp()
    peers = {"crun": ["crun", "--root", T + "/crun", "--cgroup-manager=disabled", "run", "{id}"],
             "runc": ["runc", "--root", T + "/runc", "--rootless", "true", "run", "{id}"]}
    for name, words in peers.items():
        for suffix, calls in ("", None), ("+seccomp", seccomp):
            if not shutil.which(words[0]) or (suffix and not calls):
                continue
            bundles = {" ".join(c): bundle(name + suffix + c[0], c, calls) for c in (true, sleep)}
            found[name + suffix] = Program(words, bundles)
    return found


def tree_of(pid):
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as f:
                children.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(entry))
        except OSError:
            pass
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def field(path, name):
    with open(path) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name + ":"))


def comm(pid):
    with open("/proc/%d/comm" % pid) as f:
        return f.read().strip()


def memory(program, name, count=10):
    """KiB of all processes but the command's own, per container: their share (Pss), what only they have
    (Private), and the largest resident set that any of them had, shared pages and all (HWM)."""
    started = [program.start(["sleep", "100"]) for _ in range(count)]
    deadline = time.time() + 20
    trees = []
    while time.time() < deadline:
        trees = [tree_of(p) for p in started]
        try:
            if all(any(comm(p) == "sleep" for p in t) for t in trees):
                break
        except OSError:
            pass
        time.sleep(0.05)
    time.sleep(0.3)
    sums = [0, 0, 0]
    for tree in trees:
        for pid in (p for p in tree if comm(p) != "sleep"):
            rollup = "/proc/%d/smaps_rollup" % pid
            sums[0] += field(rollup, "Pss")
            sums[1] += field(rollup, "Private_Dirty") + field(rollup, "Private_Clean")
            sums[2] += field("/proc/%d/status" % pid, "VmHWM")
    for tree in trees:
        for pid in (p for p in tree if comm(p) == "sleep"):
            os.kill(pid, signal.SIGKILL)
    for pid in started:
        os.waitpid(pid, 0)
    return [s // count for s in sums]


def table(title, rows, unit):
    print("\n%-22s %10s  %s" % (title, unit, "cratons takes of it"))
    mine = rows["cratons"]
    for name, value in rows.items():
        print("%-22s %10.2f  %s" % (name, value, "" if name == "cratons" else "%.2f" % (mine / value)))


median = lambda values: sorted(values)[len(values) // 2]
all_programs = programs()
times = {name: [] for name in all_programs}
for _ in range(arg.runs):
    for name, program in all_programs.items():
        start = time.perf_counter()
        wait(program.start(["true"]), name)
        times[name].append(time.perf_counter() - start)
one = {name: median(t) * 1000 for name, t in times.items()}
table("one after another", one, "ms")

many = {name: [] for name in all_programs if name not in ("runc", "bare")}
for _ in range(3):
    for name in many:
        start = time.perf_counter()
        pids = [all_programs[name].start(["true"]) for _ in range(arg.many)]
        for pid in pids:
            wait(pid, name)
        many[name].append((time.perf_counter() - start) * 1000)
at_once = {name: median(t) for name, t in many.items()}
table("%d at once" % arg.many, at_once, "ms")

held = {name: memory(program, name) for name, program in all_programs.items() if name != "bare"}
print("\n%-22s %10s %10s %10s" % ("memory a container", "Pss KiB", "private", "peak RSS"))
for name, row in held.items():
    print("%-22s %10d %10d %10d" % (name, *row))

os.chdir("/")
os.makedirs(arg.build + "/bench", exist_ok=True)
with open(arg.build + "/bench/runtimes.json", "w") as f:
    json.dump({"machine": {"before": before, "after": machine()}, "runs": arg.runs, "many": arg.many,
               "one_ms": one, "at_once_ms": at_once, "memory_kib": held}, f, indent=2)
    f.write("\n")
shutil.rmtree(T)
