# SPDX-License-Identifier: GPL-2.0-or-later
"""language.py ATTACK ARGUMENT...: what Python offers. Whether it won is judged from outside
(languages.sh)."""
import asyncio
import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import urllib.request

libc = ctypes.CDLL(None, use_errno=True)
args = sys.argv[2:]


def by_open():
    print(open(args[0]).read())


def by_ctypes():
    fd = libc.open(args[0].encode(), os.O_RDONLY)
    data = ctypes.create_string_buffer(256)
    libc.read(fd, data, 255)
    print(data.value.decode())


def by_mmap():
    fd = os.open(args[0], os.O_RDONLY)
    print(mmap.mmap(fd, 0, prot=mmap.PROT_READ)[:])


def by_fork():
    if os.fork() == 0:
        by_open()
        sys.stdout.flush()
        os._exit(0)
    os.wait()


def by_spawn():
    print(subprocess.run(["/bin/cat", args[0]], capture_output=True, check=True).stdout)


def by_dirfd():
    """From the root, part by part, as if each were another name."""
    fd = os.open("/", os.O_RDONLY)
    parts = args[0].strip("/").split("/")
    for part in parts[:-1]:
        fd = os.open(part, os.O_PATH, dir_fd=fd)
    print(os.read(os.open(parts[-1], os.O_RDONLY, dir_fd=fd), 256))


def by_socket():
    socket.create_connection(("127.0.0.1", int(args[0]))).send(args[1].encode())


def by_urllib():
    # Not through the proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open("http://127.0.0.1:%s/%s" % tuple(args), timeout=1)


def by_ctypes_connect():
    fd = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack("!HH4s8x", 0, int(args[0]), socket.inet_aton("127.0.0.1"))
    address = struct.pack("H", socket.AF_INET) + address[2:]
    if libc.connect(fd, address, len(address)) < 0:
        raise OSError(ctypes.get_errno(), "connect")
    libc.send(fd, args[1].encode(), len(args[1]), 0)


def by_asyncio():
    async def go():
        _, writer = await asyncio.open_connection("127.0.0.1", int(args[0]))
        writer.write(args[1].encode())
        await writer.drain()
    asyncio.run(go())


def namespace():
    if libc.unshare(0x10000000) < 0:  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")
    print("unshared")


def kill():
    os.kill(int(args[0]), signal.SIGKILL)


def pth():
    place = "%s/.local/lib/python%d.%d/site-packages" % (args[0], *sys.version_info[:2])
    os.makedirs(place)
    with open(place + "/probe.pth", "w") as f:
        f.write("import os; open(%r, 'w')\n" % args[1])


{
    "open": by_open, "ctypes": by_ctypes, "mmap": by_mmap, "fork": by_fork, "spawn": by_spawn,
    "dirfd": by_dirfd, "socket": by_socket, "urllib": by_urllib, "ctypes-connect": by_ctypes_connect,
    "asyncio": by_asyncio, "namespace": namespace, "kill": kill, "pth": pth,
}[sys.argv[1]]()
