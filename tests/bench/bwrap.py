# SPDX-License-Identifier: GPL-2.0-or-later
"""bubblewrap with what a container of ours has: namespaces, mounts, privileges, and the same seccomp programs."""
import glob
import os
import struct

COVERED = [p for n in ("kcore", "keys", "timer_list", "kallsyms", "cmdline", "interrupts", "iomem", "ioports", "acpi", "asound",
                       "bus", "fs", "scsi") for p in ["/proc/" + n] if os.path.exists(p)]
ETC = ["ld.so.cache", "alternatives", "maven", "fonts", "java-*-openjdk"]
ETC_NET = ["ssl/certs", "ssl/openssl.cnf", "services", "protocols"]
LINKS = [n for n in ("bin", "sbin", "lib", "lib32", "lib64", "libx32") if os.path.islink("/" + n)]


def etc(names):
    return [path for name in names for path in glob.glob("/etc/" + name)]


def words(net=False, more=()):
    """A command line without the command; `more` options are put in before the root is made read-only."""
    found = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup",
             "--disable-userns", "--die-with-parent", "--new-session", "--hostname", "x", "--cap-drop", "ALL",
             "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/home/user"]
    if not net:
        found.append("--unshare-net")
    for name in LINKS:
        found += ["--symlink", os.readlink("/" + name), "/" + name]
    for path in etc(ETC + (ETC_NET if net else [])):
        found += ["--ro-bind", path, path]
    found += more
    for path in COVERED:
        found += ["--tmpfs", path] if os.path.isdir(path) else ["--ro-bind", "/dev/null", path]
    return found + ["--remount-ro", "/", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]


def programs(build, folder):
    """The two programs of the default profile as files: the build has two lengths, then the instructions."""
    with open(build + "/made/policies/seccomp/default.seccomp", "rb") as f:
        blob = f.read()
    first, second = struct.unpack("II", blob[:8])
    paths = []
    for part in blob[8:8 + first * 8], blob[8 + first * 8:8 + (first + second) * 8]:
        paths.append("%s/filter%d" % (folder, len(paths)))
        with open(paths[-1], "wb") as f:
            f.write(part)
    return paths


def opened(paths):
    """Descriptors for one start, and the options that name them."""
    fds = [os.open(path, os.O_RDONLY) for path in paths]
    for fd in fds:
        os.set_inheritable(fd, True)
    return fds, [word for fd in fds for word in ("--add-seccomp-fd", str(fd))]
