"""The proxy forwards every byte as it came: both ends hash what they sent and what they got.

Many calls over several keep-alive connections, with answers of every shape (JSON with a length,
chunked JSON, SSE with progress events, empty ones) and writes of odd sizes.
"""

import hashlib
import json
import random
import threading

from raw import WELCOME, answer, dial, need, post, result, server
from recorders import record_proxy
from scenario import check, check_none
from trace_model import Trace

CONNECTIONS = 8


def pieces(data, rng):
    """The data in up to nine writes of random sizes, sometimes of a single byte."""
    at = 0
    for _ in range(8):
        size = rng.choice([1, 7, 100, 1460, 5000, len(data)])
        yield data[at : at + size]
        at += size
        if at >= len(data):
            return
    yield data[at:]


def chunked(data, kind, rng):
    out = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for piece in pieces(data, rng):
        out += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    return out + b"0\r\n\r\n"


def reply(call, rng):
    """An answer to a call whose shape is drawn."""
    text = "é" * rng.choice([1, 20, 300, 3000]) + str(rng.random())
    body = result(call["id"], {"content": [{"type": "text", "text": text}]})
    shape = rng.randrange(3)
    if shape == 0:
        return answer(body)
    if shape == 1:
        return chunked(body, "application/json", rng)
    params = {"progressToken": call["id"], "progress": 1}
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
    events = [json.dumps(progress).encode()] * rng.randrange(3) + [body]
    stream = b"".join(b"event: message\r\ndata: " + event + b"\r\n\r\n" for event in events)
    return chunked(stream, "text/event-stream", rng)


class Upstream:
    """The server's side: what it saw on each connection, by the tag of its session."""

    def __init__(self):
        self.seen = {}

    def talk(self, side):
        rng, tag = random.Random(0), None
        try:
            while (message := side.message()) is not None:
                call = json.loads(message[2])
                if call["method"] == "initialize":
                    tag = call["params"]["clientInfo"]["name"]
                    rng = random.Random(tag)
                    side.send(answer(result(0, WELCOME), session=f"session-{tag}"))
                elif "id" not in call:
                    side.send(answer(b"", "202 Accepted"))
                else:
                    for piece in pieces(reply(call, rng), rng):
                        side.send(piece)
        finally:
            self.seen[tag] = digests(side.received, side.received_bytes, side.sent, side.sent_bytes)


def digests(up, up_bytes, down, down_bytes):
    return (up.hexdigest(), up_bytes, down.hexdigest(), down_bytes)


def drive(port, tag, calls, found, errors):
    """One client connection: a session and its calls, one after another."""
    rng = random.Random(f"client {tag}")
    try:
        side = dial(port)
        info = {"clientInfo": {"name": tag, "version": "1"}, "capabilities": {}}
        side.send(post("initialize", 0, {"protocolVersion": "2025-11-25", **info}))
        session = need(side.message())[1]["mcp-session-id"]
        side.send(post("notifications/initialized", session=session))
        need(side.message())
        for number in range(1, calls + 1):
            arguments = {"q": "x" * rng.choice([1, 50, 4000]), "n": number}
            request = post("tools/call", number, {"name": "t", "arguments": arguments}, session)
            for piece in pieces(request, rng):
                side.send(piece)
            status = need(side.message())[0]
            if " 200 " not in status:
                errors.append(f"{tag}: {status}")
        found[tag] = digests(side.sent, side.sent_bytes, side.received, side.received_bytes)
        side.close()
    except Exception as error:
        errors.append(f"{tag}: {type(error).__name__}: {error}")


def run(context):
    calls = 10_000 if context.options.long else 2_000
    upstream, found, errors = Upstream(), {}, []
    with server(upstream.talk) as port:
        with record_proxy(context, port, "--no-redact", "--exchanges") as proxy:
            clients = [
                threading.Thread(
                    target=drive,
                    args=(proxy.port, f"c{i}", calls // CONNECTIONS, found, errors),
                )
                for i in range(CONNECTIONS)
            ]
            for client in clients:
                client.start()
            for client in clients:
                client.join(120)
            proxy.finish()
    check_none(errors, "calls failed through the proxy")
    check(len(found) == CONNECTIONS, f"{len(found)} of {CONNECTIONS} clients came to their end")
    for tag, mine in found.items():
        theirs = upstream.seen.get(tag)
        check(mine == theirs, f"connection {tag}: the client's bytes {mine}, the server's {theirs}")
    context.run("trace", "validate", proxy.trace)
    check_trace(context, Trace(proxy.trace), calls, found)


def check_trace(context, trace, calls, found):
    """Every call is recorded, with the hash of its bodies, and every byte explained."""
    check_none(trace.check_closed_balance(), "bytes lost or not explained")
    total = sum(mine[1] + mine[3] for mine in found.values())
    check(
        trace.footer["bytes_in"] == total,
        f"{total} bytes went through, the footer counts {trace.footer['bytes_in']}",
    )
    requests = calls + 2 * CONNECTIONS
    check(
        len(trace.exchange_numbers()) == len(trace.exchanges) == requests,
        f"{requests} requests sent, {len(trace.exchange_numbers())} x, "
        f"{len(trace.exchanges)} exchange lines",
    )
    recorded = [call for s in trace.sessions.values() for call in s.requests("tools/call")]
    answered = [s.response(c) for s in trace.sessions.values() for c in s.requests("tools/call")]
    check(len(recorded) == calls, f"{calls} calls made, {len(recorded)} recorded")
    outcomes = {response.outcome if response else None for response in answered}
    check(outcomes == {"ok"}, f"outcomes {outcomes}")
    hashes = {
        line["request"]["sha256"] for line in trace.exchanges if line["request"].get("sha256")
    }
    first = recorded[0].params["arguments"]
    body = post("tools/call", recorded[0].id, {"name": "t", "arguments": first}, "x")
    want = hashlib.sha256(body.partition(b"\r\n\r\n")[2]).hexdigest()
    check(
        want in hashes, f"no exchange line has the hash {want} of the body of {recorded[0].brief()}"
    )
    context.note(f"{calls} calls, {total} bytes, trace {trace.size()} bytes")
