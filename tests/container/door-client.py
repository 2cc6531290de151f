#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""door-client.py WHAT ARGUMENT...: what runs inside, for the tests of the network door. Prints one word."""
import ctypes, errno, os, select, socket, struct, sys, time

def attempt(act):
    try:
        print(act() or "ok")
    except socket.gaierror as e:
        print("noname" if e.errno in (socket.EAI_NONAME, -5) else f"gai{e.errno}")
    except TimeoutError:
        print("timeout")
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))

def connect(host, port, proto=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, proto)
    s.settimeout(5)
    s.connect((host, int(port)))
    return s

def talk(host, port):
    s = socket.create_connection((host, int(port)), 5)
    s.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return s.recv(4096).split(b"\r\n\r\n")[1].decode().strip()

def literal(host, port, proto="0"):
    s = connect(host, port, int(proto))
    s.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return s.recv(4096).split(b"\r\n\r\n")[1].decode().strip()

def fast(host, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
    address = socket.getaddrinfo(host, int(port), socket.AF_INET)[0][4]
    s.sendto(b"GET / HTTP/1.1\r\n\r\n", 0x20000000, address)
    return s.recv(4096).split(b"\r\n\r\n")[1].decode().strip()

def udp(host, port):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"x", (host, int(port)))
    return "sent"

def raw(kind):
    family, kind, proto = {"icmp": (socket.AF_INET, socket.SOCK_RAW, 1), "tcp": (socket.AF_INET, socket.SOCK_RAW, 6),
        "packet": (17, socket.SOCK_RAW, 3), "ping": (socket.AF_INET, socket.SOCK_DGRAM, 1)}[kind]
    s = socket.socket(family, kind, proto)
    s.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", ("93.184.216.34", 0))

def count(host, port, n):
    s = socket.create_connection((host, int(port)), 5)
    left = int(n)
    while left:
        left -= s.send(b"x" * min(left, 1 << 16))
    s.shutdown(socket.SHUT_WR)
    return s.recv(64).decode().strip()

def urgent(host, port):
    s = socket.create_connection((host, int(port)), 5)
    told, at_mark = b"", b""
    poll = select.poll()
    poll.register(s, select.POLLIN | select.POLLPRI)
    while True:
        poll.poll(5000)
        try:
            at_mark += s.recv(1, socket.MSG_OOB)
        except OSError:
            pass
        data = s.recv(64)
        if not data:
            return (told + b" " + at_mark).decode()
        told += data

def count_urgent(host, port):
    s = socket.create_connection((host, int(port)), 5)
    for data, flags in (b"before", 0), (b"!", socket.MSG_OOB), (b"after", 0):
        s.send(data, flags)
    s.shutdown(socket.SHUT_WR)
    return s.recv(64).decode().strip()

def echo(host, port, n):
    import hashlib, threading
    s = socket.create_connection((host, int(port)), 5)
    data = os.urandom(1 << 20) * (int(n) >> 20)
    t = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
    t.start()
    got = hashlib.sha256()
    while part := s.recv(1 << 16):
        got.update(part)
    t.join()
    return "same" if got.digest() == hashlib.sha256(data).digest() else "different"

def reset_by_server(host, port):
    s = socket.create_connection((host, int(port)), 5)
    s.sendall(b"x")
    s.settimeout(5)
    return "end" if s.recv(1) == b"" else "bytes"

def reset_by_client(host, port):
    s = socket.create_connection((host, int(port)), 5)
    s.sendall(b"x")
    time.sleep(0.3)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    time.sleep(0.3)

def pressure(host, port):
    """How much goes in when nobody reads: megabytes, bounded by what sockets and a pipe hold."""
    s = socket.create_connection((host, int(port)), 5)
    s.settimeout(1.5)
    n = 0
    try:
        while n < 1 << 30:
            n += s.send(b"x" * (1 << 16))
    except TimeoutError:
        return "bounded" if n < 64 << 20 else "much"
    return "unbounded"

def leave(host, port, n):
    """Writes and is gone, without a word of farewell."""
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(b"x" * int(n))
    os._exit(0)

def answered_and_reset(host, port):
    """An answer in the middle of what is sent, then a reset: all of the answer can be read."""
    s = socket.create_connection((host, int(port)), 5)
    s.sendall(b"x" * (1 << 16))
    time.sleep(1)
    try:
        for i in range(10):
            s.sendall(b"x" * (1 << 16))
            time.sleep(0.02)
    except OSError:
        pass
    n = 0
    try:
        while data := s.recv(1 << 16):
            n += len(data)
    except ConnectionResetError:
        return f"{n} reset"
    return f"{n} end"

def idle(host, port):
    s = socket.create_connection((host, int(port)), 5)
    s.sendall(b"x")
    assert s.recv(1) == b"x"
    s.settimeout(10)
    began = time.monotonic()
    try:
        s.recv(1)
    except ConnectionResetError:
        pass
    return "ended" if 0.5 < time.monotonic() - began < 8 else "wrong"

def many(host, port, n):
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    address = socket.getaddrinfo(host, int(port), socket.AF_INET)[0][4]
    all = []
    for i in range(int(n)):
        s = socket.socket()
        s.settimeout(20)
        s.connect(address)
        s.sendall(b"%07d" % i)
        all.append(s)
    good = sum(s.recv(7) == b"%07d" % i for i, s in enumerate(all))
    return str(good)

def refused_beyond(host, port, n):
    all, refused = [], 0
    for i in range(int(n)):
        try:
            s = socket.create_connection((host, int(port)), 5)
            all.append(s)
            s.sendall(b"x")
            refused += s.recv(1) != b"x"
        except OSError:
            refused += 1
    return f"{int(n) - refused} {refused}"

def serve(port):
    """A server of its own on every address, which the door's listeners do not take from it."""
    a = socket.socket()
    a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    a.bind(("0.0.0.0", int(port)))
    a.listen()
    c = socket.create_connection(("127.0.0.1", int(port)))
    a.accept()
    a.close()
    b = socket.socket(socket.AF_INET6)
    b.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    b.bind(("::", int(port)))
    b.listen()
    c = socket.create_connection(("::1", int(port)))
    b.accept()

def dns(kind, tcp=""):
    def ask(message):
        if tcp:
            s = connect("198.18.0.2", 53)
            s.sendall(struct.pack(">H", len(message)) + message)
            return s.recv(4096)[2:]
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.sendto(message, ("198.18.0.2", 53))
        return s.recv(4096)
    def question(name, kind):
        return struct.pack(">6H", 77, 0x100, 1, 0, 0, 0) + b"".join(
            bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0" + struct.pack(">HH", kind, 1)
    if kind == "rubbish":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(500):
            s.sendto(os.urandom(i % 600), ("198.18.0.2", 53))
        t = connect("198.18.0.2", 53)
        t.sendall(b"\xff\xff" + os.urandom(100))
        return "sent"
    kinds = {"a": 1, "aaaa": 28, "txt": 16, "https": 65, "any": 255, "evil": 1}
    name = "secret-0123456789.evil.test" if kind == "evil" else "ApI.tEsT"
    answer = ask(question(name, kinds[kind]))
    same = question(name, kinds[kind])[12:] == answer[12:12 + len(question(name, kinds[kind])) - 12]
    return f"{answer[3] & 15} {answer[7]}{'' if same else ' changed'}"

attempt(lambda: globals()[sys.argv[1]](*sys.argv[2:]))
