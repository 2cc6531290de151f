# SPDX-License-Identifier: GPL-2.0-or-later
"""listen.py LOG DIRECTORY ASKED: listens by every way that the attacks try. What arrives is a line of the log.
The numbers of two ports are in DIRECTORY/port when all is ready. Whoever writes a line to the FIFO ASKED, the
name of another, gets a line there when all that had arrived by then is in the log."""
import os
import select
import socket
import sys

log, directory, asked = sys.argv[1:]


def tcp(family, address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
    except OSError:
        pass
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(address)
    s.listen(64)
    return s


def udp(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(address)
    return s


def unix(kind, name):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(name)
    if kind == socket.SOCK_STREAM:
        s.listen(64)
    return s


s4 = tcp(socket.AF_INET, ("0.0.0.0", 0))
port = s4.getsockname()[1]
second = tcp(socket.AF_INET, ("0.0.0.0", 0))
socks = [
    s4,
    second,
    tcp(socket.AF_INET6, ("::", port)),
    udp(socket.AF_INET, ("0.0.0.0", port)),
    udp(socket.AF_INET6, ("::", port)),
    udp(socket.AF_INET, ("127.0.0.1", 53)),
    unix(socket.SOCK_STREAM, directory + "/socket"),
    unix(socket.SOCK_STREAM, "\0cratons-probe-%d" % port),
    unix(socket.SOCK_DGRAM, "\0cratons-datagram-%d" % port),
]
os.chmod(directory + "/socket", 0o777)
out = open(log, "a", buffering=1)
asked = os.open(asked, os.O_RDWR)
with open(directory + "/port", "w") as f:
    f.write("%d %d\n" % (port, second.getsockname()[1]))
while True:
    ready = select.select(socks + [asked], [], [])[0]
    if ready == [asked]:
        for name in os.read(asked, 4096).decode().split():
            answer = os.open(name, os.O_RDWR)
            os.write(answer, b"\n")
            os.close(answer)
    for s in ready:
        if s == asked:
            continue
        if s.type == socket.SOCK_DGRAM:
            out.write(repr(s.recv(512)) + "\n")
            continue
        c, _ = s.accept()
        c.settimeout(0.5)
        try:
            out.write(repr(c.recv(512)) + "\n")
        except OSError:
            out.write("silence\n")
        c.close()
