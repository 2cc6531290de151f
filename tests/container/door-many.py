#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""door-many.py server ADDRESS | client ADDRESS N | measure N COMMAND...: for tests/container/door-many.sh."""
import os, resource, select, socket, subprocess, sys, time

PORTS, PROCESSES = (9001, 9002, 9003, 9004), 4

def limits():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

def serve(address, port):
    limits()
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(4096)
    poll, all = select.epoll(), {}
    poll.register(s, select.EPOLLIN)
    print("listens", flush=True)
    while True:
        for fd, event in poll.poll():
            if fd == s.fileno():
                c, _ = s.accept()
                all[c.fileno()] = c
                poll.register(c, select.EPOLLIN)
                continue
            try:
                data = all[fd].recv(65536)
                all[fd].sendall(data)
            except OSError:
                data = b""
            if not data:
                poll.unregister(fd)
                all.pop(fd).close()

def server(address):
    parts = [subprocess.Popen([sys.executable, __file__, "serve", address, str(port)], stdout=subprocess.PIPE)
             for port in PORTS]
    for p in parts:
        p.stdout.readline()
    print("ready", flush=True)
    try:
        parts[0].wait()
    finally:
        for p in parts:
            p.kill()

def part(address, port, n):
    """Opens n, each with a byte there and back; on a line, 4 KiB each, all on their way at once."""
    limits()
    all = []
    for i in range(n):
        s = socket.create_connection((address, port), 30)
        s.sendall(b"x")
        if s.recv(1) != b"x":
            break
        all.append(s)
    print(len(all), flush=True)
    sys.stdin.readline()
    text = [(b"%08d" % i) * 512 for i in range(n)]
    for s, t in zip(all, text):
        s.sendall(t)
    same = 0
    for s, t in zip(all, text):
        got = b""
        while len(got) < len(t):
            more = s.recv(65536)
            if not more:
                break
            got += more
        same += got == t
    print(same, flush=True)
    sys.stdin.readline()

def client(address, n):
    parts = [subprocess.Popen([sys.executable, __file__, "part", address, str(PORTS[i % len(PORTS)]), str(n // PROCESSES)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for i in range(PROCESSES)]
    for phase in range(2):
        print(sum(int(p.stdout.readline() or 0) for p in parts), flush=True)
        sys.stdin.readline()
        for p in parts:
            p.stdin.write("\n")
            p.stdin.flush()
    for p in parts:
        p.wait()

def slab():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Slab:"))

def helpers():
    """Of the door's processes: memory of their own in KiB, ticks of processor time, how many they are."""
    own = ticks = n = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                text = f.read()
            if "(cratons-egress)" not in text or os.readlink("/proc/%s/ns/net" % pid) != os.readlink("/proc/self/ns/net"):
                continue
            words = text.rsplit(")", 1)[1].split()
            ticks += int(words[11]) + int(words[12])
            with open("/proc/%s/smaps_rollup" % pid) as f:
                own += sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
            n += 1
        except OSError:
            continue
    return own, ticks, n

def measure(n, command):
    """open, exchanged, KiB of slab and helpers, KiB of helpers, ticks in 3 s, processes"""
    before = slab()
    p = subprocess.Popen(command + [str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    opened = int(p.stdout.readline() or 0)
    time.sleep(1)
    own, ticks, processes = helpers()
    grown = slab() - before + own
    time.sleep(3)
    ticks = helpers()[1] - ticks
    p.stdin.write("\n")
    p.stdin.flush()
    exchanged = int(p.stdout.readline() or 0)
    p.stdin.write("\n")
    p.stdin.flush()
    p.wait()
    print(opened, exchanged, grown, own, ticks, processes)

what, rest = sys.argv[1], sys.argv[2:]
if what == "server":
    server(rest[0])
elif what == "serve":
    serve(rest[0], int(rest[1]))
elif what == "client":
    client(rest[0], int(rest[1]))
elif what == "part":
    part(rest[0], int(rest[1]), int(rest[2]))
else:
    measure(int(rest[0]), rest[1:])
