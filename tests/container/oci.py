#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=400
"""Bundles of the OCI runtime specification, run without privilege: each file of tests/container/oci is a case.
What a case runs is run once more by `exec` in a bundle that sleeps: it finds the same.

  about    what the case is about, and of which section
  change   merged into the bundle below: objects member by member, null removes, "mounts+" appends
  run      a shell command that the container runs (its args, unless the change has some)
  output   what it writes, without the last newline
  refused  or: a part of the message with which the bundle is refused
  warned   a part of a warning
  state    members of its state (runtime.md), while it runs
  left     a file that is in the root afterwards
  options  further options of `cratons container run`
  raw      the config.json itself
"""
import glob, json, os, shutil, subprocess, sys, tempfile

SRC = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("BUILD", SRC + "/build")
NOBODY = 65534
count = failed = 0


def report(ok, name, detail=""):
    global count, failed
    count += 1
    failed += not ok
    print(("" if ok else "not ") + f"ok {count} - {name}")
    if not ok:
        print("".join(f"# {line}\n" for line in detail.splitlines()), end="", flush=True)


def base(uid):
    return {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/",
                    "env": ["PATH=/bin"], "noNewPrivileges": True},
        "root": {"path": "rootfs"},
        "hostname": "oci",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]}],
        "linux": {
            "uidMappings": [{"containerID": 0, "hostID": uid, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": uid, "size": 1}],
            "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount", "user", "cgroup")],
            "maskedPaths": ["/proc/kcore", "/proc/keys"], "readonlyPaths": ["/proc/sys"]},
    }


def merge(to, change):
    for key, value in change.items():
        if key.endswith("+"):
            to[key[:-1]] += value
        elif value is None:
            to.pop(key, None)
        elif isinstance(value, dict) and isinstance(to.get(key), dict):
            merge(to[key], value)
        else:
            to[key] = value


def make_bundle(where, busybox):
    root = where + "/rootfs"
    for d in ("bin", "etc", "home/user", "proc", "dev", "tmp", "sys", "data"):
        os.makedirs(f"{root}/{d}")
    shutil.copy(busybox, root + "/bin/busybox")
    for lib in subprocess.run(["ldd", busybox], capture_output=True, text=True).stdout.split():
        if lib.startswith("/"):
            os.makedirs(root + os.path.dirname(lib), exist_ok=True)
            shutil.copy(lib, root + lib)
    for name in "sh echo env grep sort cut cat ls wc id touch rm hostname stat df tail tr pwd test mkdir kill mount sleep".split():
        os.symlink("busybox", f"{root}/bin/{name}")
    open(root + "/etc/passwd", "w").write("root:x:0:0::/:/bin/sh\n")
    os.makedirs(where + "/data")
    open(where + "/data/file", "w").write("data\n")
    open(where + "/data/script", "w").write("#!/bin/sh\necho executed\n")
    os.chmod(where + "/data/script", 0o755)


def cratons(home, uid, *arguments):
    def drop():
        if uid != os.getuid():
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    env = {"PATH": os.environ["PATH"], "HOME": home, "CRATONS_HOME": home + "/.cratons", "SECRET": "x"}
    return subprocess.run([BUILD + "/bin/cratons", "container", *arguments], env=env, preexec_fn=drop,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd="/")


def try_exec(case, config, uid, where, home, name):
    config["process"]["args"] = ["sleep", "60"]
    write_config(where, config, uid)
    r = cratons(home, uid, "run", "--detach", *case.get("options", []), "--bundle", where)
    said, id = f"run: {r.stderr}", r.stdout.strip()
    if r.returncode == 0:
        r = cratons(home, uid, "exec", id, "sh", "-c", case["run"])
        said = f"status {r.returncode}\nstdout: {r.stdout}\nstderr: {r.stderr}"
        state = json.loads(cratons(home, uid, "inspect", id).stdout)[0]["oci"]
        cratons(home, uid, "rm", "--force", id)
        if "state" in case:
            report(case["state"].items() <= state.items() and state["bundle"] == where and state["pid"] > 0
                   and state["id"] == id, name + ": its state", json.dumps(state))
    report(r.returncode == 0 and r.stdout.removesuffix("\n") == case["output"], name + ": by exec", said)


def write_config(where, config, uid):
    open(where + "/config.json", "w").write(json.dumps(config).replace('"GID"', str(uid)))


def try_case(path, uid, where, home):
    case = json.load(open(path))
    name = f"uid {uid}: {os.path.basename(path)[:-5]}: {case['about']}"
    config = base(uid)
    if "run" in case:
        config["process"]["args"] = ["sh", "-c", case["run"]]
    merge(config, case.get("change", {}))
    write_config(where, config, uid)
    if "raw" in case:
        open(where + "/config.json", "w").write(case["raw"])
    r = cratons(home, uid, "run", *case.get("options", []), "--bundle", where)
    said = f"status {r.returncode}\nstdout: {r.stdout}\nstderr: {r.stderr}"
    if "refused" in case:
        report(r.returncode != 0 and case["refused"] in r.stderr, name, said)
        return
    report(r.returncode == 0 and r.stdout.removesuffix("\n") == case["output"]
           and case.get("warned", "") in r.stderr
           and ("left" not in case or os.path.exists(f"{where}/rootfs/{case['left']}")), name, said)
    if "run" in case and not "args" in case.get("change", {}).get("process", {}):
        try_exec(case, config, uid, where, home, name)


def main():
    busybox = shutil.which("busybox")
    if not busybox:
        print("1..0 # SKIP needs busybox, to make a root of")
        return 0
    top = tempfile.mkdtemp(prefix="cratons-oci.")
    os.chmod(top, 0o755)
    try:
        for uid in [0, NOBODY] if os.getuid() == 0 else [os.getuid()]:
            where, home = f"{top}/bundle{uid}", f"{top}/home{uid}"
            os.makedirs(where)
            os.makedirs(home)
            make_bundle(where, busybox)
            if uid != os.getuid():
                subprocess.run(["chown", "-R", f"{uid}:{uid}", where, home], check=True)
            for path in sorted(glob.glob(SRC + "/tests/container/oci/*.json")):
                try_case(path, uid, where, home)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(f"1..{count}")
    return failed > 0


sys.exit(main())
