"""Bad weather around `record proxy`: what breaks is the other's, and the recording survives."""

import contextlib
import os
import socket
import struct
import threading
import time

from calls import call, until_closed
from ports import free_port
from processes import sdk_server
from raw import answer, dial, need, open_session, post, result, server, simple_mcp
from recorders import record_proxy
from scenario import check
from trace_model import Trace


def upstream_refused(context):
    """Nobody listens: the client's connection closes, and the proxy serves on when one does."""
    upstream = free_port()
    with record_proxy(context, upstream) as proxy:
        began = time.monotonic()
        # Where the proxy is quick, the connection is reset before the client is back from connect.
        with contextlib.suppress(ConnectionError):
            side = dial(proxy.port)
            side.send(post("initialize", 0, {}))
            check(until_closed(side) == b"", "the client got bytes that no server sent")
        check(time.monotonic() - began < 5, "the client's connection stayed open")
        with server(simple_mcp, upstream):
            side = dial(proxy.port)
            side.send(call(open_session(side), 1))
            need(side.message())
            side.close()
        proxy.finish()
    context.run("trace", "validate", proxy.trace)
    calls = [c for s in Trace(proxy.trace).sessions.values() for c in s.requests("tools/call")]
    check(len(calls) == 1, f"{len(calls)} calls recorded, not the one that came through")


def upstream_killed(context):
    """The server dies in the middle of an SSE answer."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["1.30.0"], log) as (process, upstream):
        with record_proxy(context, upstream, "--no-redact") as proxy:
            side = dial(proxy.port)
            session = open_session(side)
            meta = {"name": "slow", "arguments": {"steps": 200}, "_meta": {"progressToken": 5}}
            side.send(post("tools/call", 5, meta, session))
            check(side.until(b"notifications/progress"), "no progress came")
            process.kill()
            began = time.monotonic()
            until_closed(side)
            check(time.monotonic() - began < 5, "the client's connection stayed open")
            check(proxy.process.poll() is None, "the proxy ended with its upstream")
            side.close()
            proxy.finish()
    context.run("trace", "validate", proxy.trace)
    (session,) = Trace(proxy.trace).sessions.values()
    (request,) = session.requests("tools/call")
    response = session.response(request)
    check(response, f"no answer to {request.brief()}")
    check(response.outcome == "transport_error", f"the broken call: {response.brief()}")
    check(response.by == "server", f"who ended it: {response.brief()}")
    heard = [m for m in session.messages if m.method == "notifications/progress"]
    check(heard, "the progress that came before is not recorded")


def half_close(context):
    """A client that shuts its sending side down still gets the whole answer."""

    def talk(side):
        until_closed(side)
        side.send(answer(result(0, {"content": []})))

    with server(talk) as upstream, record_proxy(context, upstream) as proxy:
        side = dial(proxy.port)
        side.send(post("tools/list", 0))
        side.connection.shutdown(socket.SHUT_WR)
        got = until_closed(side)
        check(
            got == answer(result(0, {"content": []})), f"the answer after a half-close is {got!r}"
        )
        proxy.finish()
    context.run("trace", "validate", proxy.trace)


def reset(context):
    """A client's RST reaches the server as the end of its connection."""
    seen, ended = [], threading.Event()

    def talk(side):
        try:
            side.message()
            seen.append(side.receive())
        except ConnectionResetError:
            seen.append("reset")
        ended.set()

    with server(talk) as upstream, record_proxy(context, upstream) as proxy:
        side = dial(proxy.port)
        side.send(post("tools/list", 0))
        time.sleep(0.2)
        linger = struct.pack("ii", 1, 0)
        side.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        side.close()
        check(ended.wait(5), "the server never saw the client go")
        check(seen == ["reset"], f"a reset became {seen}")
        proxy.finish()
    context.run("trace", "validate", proxy.trace)


def slow_reader(context):
    """A client that does not read holds the server back instead of filling the proxy's memory."""
    size, step = 300_000_000, 1_000_000
    sent = [0]

    def talk(side):
        side.message()
        side.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        while sent[0] < size:
            side.connection.sendall(b"x" * step)
            sent[0] += step

    with server(talk) as upstream, record_proxy(context, upstream) as proxy:
        side = dial(proxy.port)
        side.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.5)
        stalled = sent[0]
        check(stalled < 60_000_000, f"{stalled} bytes left the server while the client read none")
        while side.connection.recv(1_000_000):
            if sent[0] >= size:
                break
        side.close()
        with open(f"/proc/{proxy.process.pid}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        check(peak < 400_000, f"the proxy took {peak} kB at its peak")
        context.note(f"{stalled // 1000} kB ahead, peak RSS {peak // 1000} MB")
        proxy.finish()
    context.run("trace", "validate", proxy.trace)


def garbage(context):
    """What is not HTTP passes unharmed and is counted as a loss."""
    up, down = os.urandom(30_000), os.urandom(50_000)
    heard = []

    def talk(side):
        heard.append(side.exactly(len(up)))
        side.send(down)

    with server(talk) as upstream, record_proxy(context, upstream) as proxy:
        side = dial(proxy.port)
        side.send(up)
        check(side.exactly(len(down)) == down, "bytes of the server changed on the way")
        side.close()
        proxy.finish()
    check(heard == [up], "bytes of the client changed on the way")
    context.run("trace", "validate", proxy.trace)
    footer = Trace(proxy.trace).footer
    total = len(up) + len(down)
    check(
        footer["bytes_in"] == total, f"{total} bytes passed, the footer counts {footer['bytes_in']}"
    )
    check(any(footer["loss"].values()), f"garbage is no loss: {footer}")


def session_lost(context):
    """A server that forgets its sessions: the 404 is a lost session."""

    def talk(side):
        simple_mcp(side, on_call=lambda rpc_id, _: answer(b"{}", "404 Not Found"))

    with server(talk) as upstream, record_proxy(context, upstream) as proxy:
        side = dial(proxy.port)
        side.send(call(open_session(side), 1))
        need(side.message())
        side.close()
        proxy.finish()
    context.run("trace", "validate", proxy.trace)
    (session,) = Trace(proxy.trace).sessions.values()
    outcome = session.response(session.requests("tools/call")[0]).outcome
    check(outcome == "session_lost", f"a 404 to a known session is {outcome}")


SCENARIOS = {
    "proxy-upstream-refused": upstream_refused,
    "proxy-upstream-killed-mid-stream": upstream_killed,
    "proxy-half-close": half_close,
    "proxy-reset": reset,
    "proxy-slow-reader": slow_reader,
    "proxy-garbage": garbage,
    "proxy-session-lost": session_lost,
}
