#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
mountd.py listen SOCKET PROGRAM [ARGUMENT...]   start a program as systemd does, with a listening socket
mountd.py ask OPERATION [KIND:PATH...]          one request by hand; prints the answer's name
mountd.py frames SEED N PATH                    N random frames, some with descriptors; prints the answers' names
mountd.py abandon OPERATION KIND:PATH           a request whose answer nobody waits for
mountd.py silent N SECONDS                      N connections that say nothing; prints what each was told
mountd.py many DIRECTORY                        mounts in it until that is refused; prints how often, and why
mountd.py stack DIRECTORY                       asks with a descriptor from before another mount was made there
mountd.py swap DIRECTORY OTHER N                asks while the directory is renamed and its name a link to OTHER
mountd.py detached                              asks for a directory in a tree that hangs in no namespace
mountd.py elsewhere DIRECTORY                   asks for it as another mount namespace has it
mountd.py tmpfs DIRECTORY                       mounts one there, as whoever it is; mountd.py umount DIRECTORY

KIND is how PATH is opened: path (O_PATH, a directory), link (O_PATH, whatever it is), read (for reading),
file (O_PATH, following links), gone (a directory, removed then), linger (a TCP socket that lingers, PATH unused), none (without a descriptor).
"""
import array, ctypes, errno, os, random, re, socket, struct, subprocess, sys, time

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SOCKET = "/run/cratons/mountd.sock"
MAGIC, PROTOCOL = 0x444D5243, 1
OPERATIONS = {"hello": 1, "mount": 2, "unmount": 3}
header = open(TOP + "/userspace/include/cratons/wire/mountd.h").read()
NAMES = ["NONE"] + re.findall(r"^\tX\(([A-Z_]+),", header, re.M)


def listen(path, program):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.path.exists(path):
        os.unlink(path)
    s.bind(path)
    os.chmod(path, 0o666)
    s.listen(128)
    if s.fileno() != 3:
        os.dup2(s.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.execv(program[0], program)


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(SOCKET)
    return s


def hear(s):
    """The answer's name, its error, and the descriptors that came."""
    for attempt in range(2):
        try:
            data, control, flags, _ = s.recvmsg(64, socket.CMSG_SPACE(16))
            break
        except ConnectionResetError:
            data, control = b"", []
    fds = array.array("i")
    for level, kind, value in control:
        fds.frombytes(value[: len(value) - len(value) % fds.itemsize])
    if not data:
        return "silence", 0, list(fds)
    magic, protocol, status, error, reserved = struct.unpack("<IHHiI", data)
    assert magic == MAGIC and protocol == PROTOCOL and reserved == 0, data
    return NAMES[status], error, list(fds)


def send(s, frame, fds):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        s.sendmsg([frame], control)
    except BrokenPipeError:
        pass


def request(operation):
    return struct.pack("<IHH", MAGIC, PROTOCOL, OPERATIONS[operation])


def lingering():
    """A socket whose last close() waits: data that nobody takes, and a long time to linger."""
    server = socket.create_server(("127.0.0.1", 0))
    if os.fork() == 0:
        time.sleep(12)  # with the other end open
        os._exit(0)
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 20))
    client.setblocking(False)
    try:
        while True:
            client.send(b"x" * 65536)
    except BlockingIOError:
        pass
    os.set_blocking(client.fileno(), True)
    return client.detach()


def opened(what):
    kind, _, path = what.partition(":")
    if kind == "linger":
        return lingering()
    flags = {"path": os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, "link": os.O_PATH | os.O_NOFOLLOW,
             "read": os.O_RDONLY, "file": os.O_PATH, "gone": os.O_PATH}[kind]
    fd = os.open(path, flags)
    if kind == "gone":
        os.rmdir(path)
    return fd


def ask(operation, fds):
    s = connect()
    send(s, request(operation), fds)
    for fd in fds:
        os.close(fd)
    name, error, got = hear(s)
    return name + (" " + errno.errorcode[-error] if error else "") + " device" * len(got), got


def frames(seed, n, path):
    r, told = random.Random(seed), {}
    for _ in range(n):
        frame = bytearray(request(r.choice(list(OPERATIONS))))
        change = r.randrange(4)
        if change == 0:
            frame = bytearray(r.randbytes(r.choice([0, 1, 7, 8, 9, 16, 4096, 60000])))
        elif change == 1:
            frame[r.randrange(8)] ^= 1 << r.randrange(8)
        elif change == 2:
            frame += bytes(r.choice([1, 8, 100]))
        fds = []
        for _ in range(r.choice([0, 0, 1, 1, 2, 3, 200])):
            fds.append(r.choice([os.open(path, os.O_PATH), os.open("/", os.O_RDONLY), os.open("/dev/null", os.O_RDWR)]))
        s = connect()
        if r.randrange(5) > 0:
            send(s, bytes(frame), fds)
            name, _, got = hear(s) if r.randrange(5) > 0 else ("unheard", 0, [])
            told[name] = told.get(name, 0) + 1
            for fd in got:
                os.close(fd)
        s.close()
        for fd in fds:
            os.close(fd)
    print(*sorted(told))


def silent(n, seconds):
    since, connections = time.time(), [connect() for _ in range(n)]
    time.sleep(0.5)
    told = []
    for s in connections:
        told.append(hear(s)[0])
    print(*sorted(told), "in time" if time.time() - since < seconds else "late")


def moved(old, new):
    """Waits until it is no mount."""
    while True:
        try:
            return os.rename(old, new)
        except OSError:
            time.sleep(0.001)


def swap(directory, other, n):
    """What its name means changes all the time; what is mounted on must be the user's own directory."""
    child = os.fork()
    if child == 0:
        while True:
            moved(directory, directory + ".away")
            os.symlink(other, directory)
            time.sleep(0.001)
            os.unlink(directory)
            moved(directory + ".away", directory)
            time.sleep(0.001)
    told, until = {}, time.time() + 30
    try:
        while sum(told.values()) < n and time.time() < until:
            try:
                fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
            except OSError:
                continue
            name, got = ask("mount", [fd])
            told[name] = told.get(name, 0) + 1
            if name.startswith("DONE"):
                for place in (directory, directory + ".away"):
                    try:
                        root = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
                    except OSError:
                        continue
                    ask("unmount", [root])
                for fd in got:
                    os.close(fd)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    print(*sorted(told))


def many(directory):
    n, name, since = 0, "DONE", time.time()
    while name.startswith("DONE"):
        path = "%s/%d" % (directory, n)
        os.mkdir(path)
        name, got = ask("mount", [os.open(path, os.O_PATH)])
        n += name.startswith("DONE")
    print(n, name, flush=True)
    print("# %.2f ms a mount" % ((time.time() - since) * 1000 / max(n, 1)), file=sys.stderr)


def stack(directory):
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    print("ready", flush=True)
    sys.stdin.readline()
    print(ask("mount", [fd])[0])


def inside(flags, make):
    """What make() opened in a user namespace of a child's own; who asks with it stays outside."""
    ours, theirs = socket.socketpair()
    pid, uid, gid = os.fork(), os.getuid(), os.getgid()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x10000000 | flags) < 0:
            os._exit(1)
        for name, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid), ("gid_map", "0 %d 1" % gid)):
            with open("/proc/self/" + name, "w") as f:
                f.write(text)
        socket.send_fds(theirs, [b"x"], [make(libc)])
        os._exit(0)
    theirs.close()
    got = socket.recv_fds(ours, 1, 1)[1]
    os.waitpid(pid, 0)
    return got[0] if got else sys.exit("no user namespace")


def tree(libc):
    """fsopen(tmpfs): a tree that is ours, with all rights over its flags."""
    context = libc.syscall(430, b"tmpfs", 1)
    if context < 0 or libc.syscall(431, context, 6, None, None, 0) < 0:
        sys.exit("no tmpfs")
    fd = libc.syscall(432, context, 1, 0)
    os.mkdir("dir", dir_fd=fd)
    return os.open("dir", os.O_PATH | os.O_DIRECTORY, dir_fd=fd)


def detached():
    print(ask("mount", [inside(0x00020000, tree)])[0])


def elsewhere(path):
    print(ask("mount", [inside(0x00020000, lambda libc: os.open(path, os.O_PATH | os.O_DIRECTORY))])[0])


def called(r):
    if r < 0:
        sys.exit(os.strerror(ctypes.get_errno()))


verb, rest = sys.argv[1], sys.argv[2:]
if verb == "listen":
    listen(rest[0], rest[1:])
elif verb == "ask":
    print(ask(rest[0], [opened(w) for w in rest[1:]])[0])
elif verb == "abandon":
    send(connect(), request(rest[0]), [opened(w) for w in rest[1:]])
elif verb == "frames":
    frames(int(rest[0]), int(rest[1]), rest[2])
elif verb == "silent":
    silent(int(rest[0]), int(rest[1]))
elif verb == "swap":
    swap(rest[0], rest[1], int(rest[2]))
elif verb == "many":
    many(rest[0])
elif verb == "stack":
    stack(rest[0])
elif verb == "detached":
    detached()
elif verb == "elsewhere":
    elsewhere(rest[0])
elif verb == "tmpfs":
    called(ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", rest[0].encode(), b"tmpfs", 0, None))
elif verb == "umount":
    called(ctypes.CDLL(None, use_errno=True).umount2(rest[0].encode(), 2))
