#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""door-server.py LOG SPEC...: what the tests of the network door talk to.

SPEC is KIND:ADDRESS:PORT (an IPv6 address in brackets). Kinds:
  http   answers with its own address; /big?N with N bytes
  count  reads to the end, then answers with how many bytes came
  echo   sends back what comes
  reset  resets each connection when a byte has come
  urgent sends "before", "!" as urgent data, "after"
  hold   accepts and reads nothing
  watch  reads, and logs how it ended: "end" or "reset"
  slow   begins to read after four seconds, and logs how much came and how it ended
  early  answers the first byte with 60,000, and resets a moment later
  udp    logs each datagram
Each connection is a line of LOG: KIND ADDRESS:PORT. Prints "ready" when all listen.
"""
import asyncio, os, socket, struct, sys

log = open(sys.argv[1], "a", buffering=1)

def reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

def serve(kind, where):
    async def http(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            body = b"x" * int(path[5:]) if path.startswith("/big?") else where.encode() + b"\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    async def count(reader, writer):
        n = 0
        while data := await reader.read(1 << 16):
            n += len(data)
        writer.write(b"%d\n" % n)
        await writer.drain()

    async def echo(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()

    async def do_reset(reader, writer):
        await reader.read(1)
        reset(writer)

    async def hold(reader, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(600)

    async def watch(reader, writer):
        try:
            while await reader.read(1 << 16):
                pass
            log.write("watch end\n")
        except ConnectionResetError:
            log.write("watch reset\n")

    async def slow(reader, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(4)
        writer.transport.resume_reading()
        n, end = 0, "end"
        try:
            while data := await reader.read(1 << 16):
                n += len(data)
        except ConnectionResetError:
            end = "reset"
        log.write(f"slow {n} {end}\n")

    async def early(reader, writer):
        await reader.read(1)
        writer.write(b"x" * 60000)
        await writer.drain()
        await asyncio.sleep(0.5)
        reset(writer)

    async def urgent(reader, writer):
        same = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
        for data, flags in (b"before", 0), (b"!", socket.MSG_OOB), (b"after", 0):
            same.send(data, flags)
            await asyncio.sleep(0.1)
        same.close()

    act = dict(urgent=urgent, slow=slow, early=early, http=http, count=count, echo=echo, reset=do_reset, hold=hold, watch=watch)[kind]

    async def connection(reader, writer):
        log.write(f"{kind} {where}\n")
        try:
            await act(reader, writer)
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
    return connection

class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, where):
        self.where = where
    def datagram_received(self, data, source):
        log.write(f"udp {self.where}\n")

async def main():
    loop = asyncio.get_running_loop()
    for spec in sys.argv[2:]:
        kind, where = spec.split(":", 1)
        host, port = where.rsplit(":", 1)
        host = host.strip("[]")
        if kind == "udp":
            await loop.create_datagram_endpoint(lambda w=where: Datagrams(w), (host, int(port)))
        else:
            await asyncio.start_server(serve(kind, where), host, int(port), backlog=4096)
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
