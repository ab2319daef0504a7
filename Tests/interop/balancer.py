#!/usr/bin/env python3
"""A round-robin load balancer for the suite: bytes go on as they came, to one of several ports.

--per connection: as a balancer of TCP; --per request: as one of HTTP/1.1 with keep-alive, which knows
where messages end (Content-Length, chunks) and changes nothing in them.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import socket

LIMIT = 1 << 24


async def copy(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def by_connection(reader, writer, port):
    back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    await asyncio.gather(copy(reader, back_writer), copy(back_reader, writer))
    back_writer.close()


def fields(head):
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.lower(): value.strip() for name, value in pairs}


async def pass_body(head, reader, writer, ends_with_connection):
    """Passes a message's body on; true when the connection may be used again."""
    named = fields(head)
    if "chunked" in named.get("transfer-encoding", ""):
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            writer.write(line + await reader.readexactly(size + 2))
            await writer.drain()
            if size == 0:
                return named.get("connection", "").lower() != "close"
    if "content-length" in named:
        writer.write(await reader.readexactly(int(named["content-length"])))
    elif ends_with_connection:
        await copy(reader, writer)
        return False
    await writer.drain()
    return named.get("connection", "").lower() != "close"


async def by_request(reader, writer, ports):
    backs = {}
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            port = next(ports)
            if port not in backs:
                backs[port] = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
            back_reader, back_writer = backs[port]
            back_writer.write(head)
            await pass_body(head, reader, back_writer, False)
            answer = await back_reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            status = int(answer.split(b" ", 2)[1])
            has_body = status >= 200 and status not in (204, 304)
            if has_body and not await pass_body(answer, back_reader, writer, True):
                break
            await writer.drain()
    for _, back_writer in backs.values():
        back_writer.close()


async def serve(arguments):
    ports, tasks = itertools.cycle(arguments.ports), set()

    async def accept(reader, writer):
        # The loop itself holds them but weakly.
        tasks.add(asyncio.current_task())
        with contextlib.suppress(OSError):
            if arguments.per == "request":
                await by_request(reader, writer, ports)
            else:
                await by_connection(reader, writer, next(ports))
        writer.close()
        tasks.discard(asyncio.current_task())

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(accept, sock=listener, limit=LIMIT, backlog=1024)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ports", nargs="+", type=int)
    parser.add_argument("--per", choices=["connection", "request"], required=True)
    arguments = parser.parse_args()
    # Whatever is under way: nobody waits for it any more.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: os._exit(0))
    asyncio.run(serve(arguments))


if __name__ == "__main__":
    main()
