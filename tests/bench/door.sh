#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# door.sh [--rounds N] [--seconds N]: the network door beside the loopback, slirp4netns and pasta, as an
# ordinary user, in turns. Throughput by one iperf3 server, both ways, with one stream and with eight; the time from connect() to a first
# byte that came back; what a thousand connections cost on which nothing moves, and how many there may be.
# A table, and O/bench/door.json.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-${BUILD:-$top/build}}
rounds=5 seconds=2
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--seconds) seconds=$2; shift ;;
	*) echo "usage: door.sh [--rounds N] [--seconds N]" >&2; exit 2 ;;
	esac
	shift
done
exec python3 - "$O" "$rounds" "$seconds" "$top/tests/bench/lib.js" <<'EOF'
import json, os, shutil, signal, socket, struct, subprocess, sys, tempfile, time
build, rounds, seconds, lib = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
machine = lambda: json.loads(subprocess.check_output(["node", lib]))
before = machine()
PORT, ECHO = 5391, 5392
place = tempfile.mkdtemp()
os.chmod(place, 0o755)
for program in "test/sandbox-tool", "bin/cratons-init", "bin/cratons-egress":
    shutil.copy(build + "/" + program, place)
user = [] if os.getuid() else ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

# The host's own address: what a CIDR grants, and what pasta gives its gateway's place to.
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    probe.connect(("192.0.2.1", 9))
    host = probe.getsockname()[0]
except OSError:
    host = "127.0.0.1"
gateway = subprocess.run("ip -4 route show default | sed 's/.*via \\([^ ]*\\).*/\\1/' | head -n 1", shell=True,
                         capture_output=True, text=True).stdout.strip()

client = r"""
import resource, socket, sys, time
what, host, port, n = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def one():
    s = socket.socket()
    s.connect((host, port))
    s.send(b"x")
    s.recv(1)
    return s
if what == "latency":
    for i in range(20):
        one().close()
    times = []
    for i in range(n):
        begin = time.perf_counter()
        s = one()
        times.append(time.perf_counter() - begin)
        s.close()
    times.sort()
    print(times[n // 2] * 1e6, times[n * 99 // 100] * 1e6)
else:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    all = []
    for i in range(n):
        try:
            all.append(one())
        except OSError as e:
            print(e, file=sys.stderr)
            break
    print(len(all), flush=True)
    sys.stdin.readline()
"""
server = r"""
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", int(sys.argv[1])))
s.listen(4096)
poll, all = select.epoll(), {}
poll.register(s, select.EPOLLIN)
while True:
    for fd, event in poll.poll():
        if fd == s.fileno():
            c, _ = s.accept()
            all[c.fileno()] = c
            poll.register(c, select.EPOLLIN)
            continue
        try:
            data = all[fd].recv(65536)
            all[fd].send(data)
        except OSError:
            data = b""
        if not data:
            poll.unregister(fd)
            all.pop(fd).close()
"""
for name, text in ("client.py", client), ("server.py", server):
    with open(place + "/" + name, "w") as f:
        f.write(text)
python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
servers = [subprocess.Popen(user + command, stdout=subprocess.DEVNULL) for command in
           (["iperf3", "-s", "-p", str(PORT)], [python, place + "/server.py", str(ECHO)])]
helpers = []
time.sleep(1)
# As ordinary hosts have it; put back at the end.
tun = os.stat("/dev/net/tun").st_mode & 0o777 if os.path.exists("/dev/net/tun") else None
if tun is not None and not os.getuid():
    os.chmod("/dev/net/tun", 0o666)
tool = user + [place + "/sandbox-tool", "--ro-bind", place + ":/bench"]
for port in PORT, ECHO:
    tool += ["--net", "%s:%d" % (host, port)]

def direct(command):
    return user + [a.replace("/bench", place) for a in command], host

def door(command):
    return tool + ["--"] + command, host

# slirp4netns and pasta are given a namespace and attach themselves to it.
class Attached:
    def __init__(self, attach):
        r, w = os.pipe()
        self.shell = subprocess.Popen(user + ["unshare", "-Urn", "sh", "-c", "ip link set lo up; echo ready; exec sleep 1000"],
                                      stdout=subprocess.PIPE)
        self.shell.stdout.readline()
        pid = self.shell.pid
        self.helper = subprocess.Popen(user + attach(str(pid)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        helpers.extend((self.shell, self.helper))
        self.enter = user + ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(pid)]
        time.sleep(1.5)
    def command(self, command):
        return self.enter + [a.replace("/bench", place) for a in command]

ways = {"loopback": direct, "door": door}
if shutil.which("slirp4netns"):
    s = Attached(lambda pid: ["slirp4netns", "--configure", pid, "tap0"])
    ways["slirp4netns"] = lambda command: (s.command(command), "10.0.2.2")
    m = Attached(lambda pid: ["slirp4netns", "--configure", "--mtu=65520", pid, "tap0"])
    ways["slirp, MTU 65520"] = lambda command: (m.command(command), "10.0.2.2")
if shutil.which("pasta") and gateway:
    p = Attached(lambda pid: ["pasta", "-f", "--config-net", "-T", "%d,%d" % (PORT, ECHO), pid])
    ways["pasta"] = lambda command: (p.command(command), gateway)
    ways["pasta, spliced"] = lambda command: (p.command(command), "127.0.0.1")

def iperf(way, more):
    argv, to = way(["iperf3", "-J", "-p", str(PORT), "-t", seconds] + more + ["-c", "HOST"])
    out = subprocess.run([to if a == "HOST" else a for a in argv], capture_output=True, text=True)
    try:
        return json.loads(out.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9
    except (ValueError, KeyError):
        return None

def latency(way):
    argv, to = way([python, "/bench/client.py", "latency", "HOST", str(ECHO), "1000"])
    out = subprocess.run([to if a == "HOST" else a for a in argv], capture_output=True, text=True).stdout.split()
    return [float(x) for x in out] or None

def slab():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Slab:"))

def usage(helper):
    """Of it and of those it made: ticks of processor time, KiB of memory of their own."""
    ticks = own = 0
    for pid in [helper] + helpers_of(helper):
        with open("/proc/%d/stat" % pid) as f:
            words = f.read().rsplit(")", 1)[1].split()
        with open("/proc/%d/smaps_rollup" % pid) as f:
            own += sum(int(line.split()[1]) for line in f if line.startswith("Private_"))
        ticks += int(words[11]) + int(words[12])
    return ticks, own

def helpers_of(pid):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as f:
                text = f.read()
        except OSError:
            continue
        if "(cratons-egress)" in text and int(text.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(entry))
    return found

def helper_of(pid):
    return next(iter(helpers_of(pid)), None)

def idle(way, n):
    """Slab of n connections in KiB, and of the door's helper its memory and processor time in 5 s."""
    argv, to = way([python, "/bench/client.py", "idle", "HOST", str(ECHO), "1"])
    def start(count):
        p = subprocess.Popen([to if a == "HOST" else str(count) if a == "1" else a for a in argv],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        got = int(p.stdout.readline() or 0)
        return p, got
    first, _ = start(1)
    time.sleep(0.5)
    base, helper = slab(), helper_of(first.pid)
    rss0 = usage(helper)[1] if helper else 0
    first.communicate("\n")
    p, got = start(n)
    time.sleep(0.5)
    grown, helper = slab() - base, helper_of(p.pid)
    cpu0, rss = usage(helper) if helper else (0, 0)
    time.sleep(5)
    cpu = usage(helper)[0] - cpu0 if helper else 0
    p.communicate("\n")
    return {"connections": got, "slab_kib": grown, "helper_kib": rss - rss0, "ticks_in_5_s": cpu}

try:
    result = {name: {"out": [], "in": [], "out8": [], "in8": [], "latency": []} for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            for key, more in ("out", []), ("in", ["-R"]), ("out8", ["-P", "8"]), ("in8", ["-R", "-P", "8"]):
                result[name][key].append(iperf(way, more))
            result[name]["latency"].append(latency(way))
    median = lambda v: sorted(v)[len(v) // 2] if v and None not in v else None
    rows = {}
    for name, r in result.items():
        rows[name] = {"out_gbit": median(r["out"]), "in_gbit": median(r["in"]),
                      "out8_gbit": median(r["out8"]), "in8_gbit": median(r["in8"]),
                      "first_byte_us": median([x and x[0] for x in r["latency"]]),
                      "first_byte_99_us": median([x and x[1] for x in r["latency"]])}
    show = lambda v, f: f % v if v is not None else "-"
    print("%-16s %10s %10s %10s %10s %18s %10s" % ("", "Gbit/s out", "in", "8 out", "8 in", "first byte, us", "99 %"))
    for name, r in rows.items():
        print("%-16s %10s %10s %10s %10s %18s %10s" % (name, show(r["out_gbit"], "%.2f"), show(r["in_gbit"], "%.2f"),
              show(r["out8_gbit"], "%.2f"), show(r["in8_gbit"], "%.2f"),
              show(r["first_byte_us"], "%.0f"), show(r["first_byte_99_us"], "%.0f")))
    d = rows["door"]
    for name, r in rows.items():
        if name != "door" and r["out_gbit"] and d["out_gbit"]:
            print("the door has %.2f of the throughput of %s out, %.2f in; its first byte takes %+.0f us" % (
                d["out_gbit"] / r["out_gbit"], name, d["in_gbit"] / r["in_gbit"],
                d["first_byte_us"] - r["first_byte_us"]))
    still = {name: idle(ways[name], 1000) for name in ("loopback", "door")}
    extra = (still["door"]["slab_kib"] - still["loopback"]["slab_kib"] + still["door"]["helper_kib"]) / 1000
    print("1000 idle connections: %.1f KiB each beyond the loopback's, of which %.1f the helper's; %d ticks of "
          "processor time in 5 s" % (extra, still["door"]["helper_kib"] / 1000, still["door"]["ticks_in_5_s"]))
    many = idle(door, 10000)
    print("10000 asked for: %d are open" % many["connections"])
    os.makedirs(build + "/bench", exist_ok=True)
    with open(build + "/bench/door.json", "w") as f:
        json.dump({"machine": {"before": before, "after": machine()}, "rounds": rounds, "ways": rows, "all": result,
                   "idle": still, "idle_kib_each": extra, "many": many}, f, indent=2)
        f.write("\n")
finally:
    for process in helpers + servers:
        process.kill()
    if tun is not None and not os.getuid():
        os.chmod("/dev/net/tun", tun)
    shutil.rmtree(place)
EOF
