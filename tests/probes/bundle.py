# SPDX-License-Identifier: GPL-2.0-or-later
"""bundle.py DIRECTORY UID BINDS NETWORK COMMAND...: an OCI bundle that asks for all that it may not have, with the
binds (PATH=ro or PATH=rw, by commas) and without a network namespace where NETWORK is host."""
import json
import os
import sys

bundle, uid, binds, network = sys.argv[1:5]
root = bundle + "/rootfs"
mounts = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
]
for bind in ["/usr=ro", "/etc/alternatives=ro"] + [b for b in binds.split(",") if b]:
    path, _, mode = bind.partition("=")
    mounts.append({"destination": path, "type": "bind", "source": path, "options": ["rbind", mode]})
for m in mounts:
    if os.path.exists(m["source"]) or m["type"] != "bind":
        os.makedirs(root + m["destination"], exist_ok=True)
for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
    if os.path.islink("/" + name) and not os.path.islink(root + "/" + name):
        os.symlink(os.readlink("/" + name), root + "/" + name)
every = ["CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_MKNOD", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE",
         "CAP_SYS_CHROOT", "CAP_SETUID", "CAP_CHOWN", "CAP_FSETID"]
kinds = ["pid", "ipc", "uts", "mount", "user", "cgroup"] + ([] if network == "host" else ["network"])
config = {
    "ociVersion": "1.0.2",
    "root": {"path": "rootfs", "readonly": False},
    "mounts": mounts,
    "process": {
        "terminal": False, "user": {"uid": int(uid), "gid": int(uid)}, "args": sys.argv[5:], "cwd": "/",
        "env": ["PATH=/usr/bin:/bin", "HOME=/tmp"], "noNewPrivileges": False,
        "capabilities": {k: every for k in ("bounding", "effective", "inheritable", "permitted", "ambient")},
    },
    "linux": {"namespaces": [{"type": k} for k in kinds], "maskedPaths": [], "readonlyPaths": [],
              "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}},
}
with open(bundle + "/config.json", "w") as f:
    json.dump(config, f)
