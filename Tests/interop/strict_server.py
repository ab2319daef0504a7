"""A strict MCP server without an SDK, whose every byte and moment a scenario decides.

It speaks revisions with sessions and 2026-07-28 at one endpoint, judges every request with the
referee, and refuses what is wrong. Scenarios override `call`, `get`, `initialize` and `tools`.
"""

import contextlib
import json
import queue
import secrets
import threading

from processes import Failure
from raw import answer, server
from referee import Referee

TOOL = {"name": "echo", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
CACHED = {"tools/list", "prompts/list", "resources/list", "resources/read", "server/discover"}
META = {"io.modelcontextprotocol/serverInfo": {"name": "strict", "version": "1"}}


class Request:
    """One request of a client, and ways to answer it."""

    def __init__(self, strict, side, exchange):
        self.strict = strict
        self.side = side
        self.exchange = exchange
        self.message = exchange.message or {}
        self.params = self.message.get("params") or {}
        self.id = self.message.get("id")
        self.session = exchange.session.name if exchange.session else None

    def head(self, status, *fields):
        pairs = [(name.lower(), value) for name, value in (f.split(": ", 1) for f in fields)]
        self.strict.referee.head(self.exchange, int(status.split()[0]), pairs)

    def plain(self, status, body=b"", *fields):
        """Answers with a status and no JSON-RPC."""
        self.head(status, *fields)
        head = "".join(f"{field}\r\n" for field in fields)
        self.side.send(
            f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )

    def json(self, status="200 OK", session=None, **content):
        message = {"jsonrpc": "2.0", "id": self.id, **content}
        fields = ["Content-Type: application/json"]
        fields += [f"Mcp-Session-Id: {session}"] if session else []
        self.head(status, *fields)
        self.strict.referee.said(self.exchange, message)
        self.side.send(answer(json.dumps(message).encode(), status, session=session))

    def result(self, **result):
        """Answers with a result, as one JSON text."""
        if self.exchange.is_modern:
            cached = {"ttlMs": 0, "cacheScope": "private"}
            given = cached if self.message.get("method") in CACHED else {}
            result = {"resultType": "complete", "_meta": META, **given, **result}
        self.json(result=result)

    def text(self, text):
        self.result(content=[{"type": "text", "text": text}])

    def events(self):
        """Answers with a stream of events."""
        return Events(self)


class Events:
    """An open stream."""

    def __init__(self, request):
        self.request = request
        self.side = request.side
        request.head("200 OK", "Content-Type: text/event-stream")
        self.side.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )

    def raw(self, text):
        data = text.encode()
        self.side.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def prime(self, event_id, retry=None):
        """An event without data, which makes the stream resumable."""
        self.request.strict.referee.event_id(self.request.exchange, event_id)
        self.raw(f"id: {event_id}\n" + (f"retry: {retry}\n" if retry else "") + "data: \n\n")

    def message(self, message, event_id=None):
        if event_id:
            self.request.strict.referee.event_id(self.request.exchange, event_id)
        self.request.strict.referee.said(self.request.exchange, message)
        self.raw((f"id: {event_id}\n" if event_id else "") + f"data: {json.dumps(message)}\n\n")

    def result(self, event_id=None, rpc_id=None, **result):
        rpc_id = self.request.id if rpc_id is None else rpc_id
        self.message({"jsonrpc": "2.0", "id": rpc_id, "result": result}, event_id)

    def ask(self, method, params, rpc_id):
        """Sends a request to the client and waits for its answer."""
        waiting = self.request.strict.waiting(self.request.session, rpc_id)
        self.message({"jsonrpc": "2.0", "id": rpc_id, "method": method, "params": params})
        return waiting.get(timeout=10)

    def end(self):
        self.side.send(b"0\r\n\r\n")

    def hold(self):
        """Keeps the stream open until the session is deleted or the client goes."""
        session = self.request.exchange.session
        while not (session and session.deleted):
            self.request.strict.tick.wait(0.05)
            self.raw(": still here\n\n")
        self.end()


class Strict:
    """The server; one object serves one recording or one replay."""

    revision = "2025-11-25"
    stateful = True
    has_stream = True

    def __init__(self):
        # What this server refuses, it does on purpose.
        self.referee = Referee(self.stateful, judges_refusals=False)
        self.tick = threading.Event()
        self.answers = {}
        self.faults = []

    # What scenarios decide.

    def tools(self):
        return [TOOL]

    def initialize(self, request):
        session = secrets.token_hex(16) if self.stateful else None
        request.json(session=session, result=self.welcome())

    def welcome(self):
        return {
            "protocolVersion": self.revision,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "strict", "version": "1"},
        }

    def call(self, request):
        request.text("done")

    def get(self, request):
        if not self.has_stream:
            return request.plain("405 Method Not Allowed", b"", "Allow: POST, DELETE")
        request.events().hold()

    # How it serves.

    def waiting(self, session, rpc_id):
        return self.answers.setdefault((session, rpc_id), queue.Queue())

    def talk(self, side):
        while (message := side.message()) is not None:
            first, _, body = message
            verb, path, _ = first.split()
            exchange = self.referee.request(verb, list(side.fields), body)
            if path != "/mcp":
                self.faults.append(f"a request to {path}")
            request = Request(self, side, exchange)
            try:
                self.serve(request, exchange)
            except (Failure, queue.Empty, KeyError, ValueError) as wrong:
                self.faults.append(f"{type(wrong).__name__}: {wrong}")
            finally:
                self.referee.closed(exchange)

    def serve(self, request, exchange):
        method = request.message.get("method")
        if exchange.verb == "GET":
            self.get(request)
        elif exchange.verb == "DELETE":
            request.plain("200 OK")
        elif method is None and "id" in request.message:
            self.waiting(request.session, request.id).put(request.message)
            request.plain("202 Accepted")
        elif "id" not in request.message:
            request.plain("202 Accepted")
        elif method == "initialize":
            self.initialize(request)
        elif method == "server/discover":
            self.discover(request)
        elif method == "tools/list":
            request.result(tools=self.tools())
        elif method == "tools/call":
            self.call(request)
        elif method == "resources/read":
            request.result(contents=[])
        elif method == "prompts/get":
            request.result(messages=[])
        elif method in ("prompts/list", "resources/list"):
            request.result(**{method.split("/")[0]: []})
        else:
            request.result()

    def discover(self, request):
        if self.revision < "2026-07-28":
            # As servers do that know of no such thing.
            return request.plain("400 Bad Request")
        request.result(supportedVersions=[self.revision], capabilities={"tools": {}})

    def finish(self, deletes=True):
        """Everything that was wrong."""
        return self.referee.finish(deletes and self.stateful) + self.faults

    @property
    def seen(self):
        return self.referee.seen


@contextlib.contextmanager
def serving(strict):
    """Serves; yields the port. Clients name it, or the recorder in front of it, as their host."""
    with server(strict.talk) as port:
        yield port
