"""Small TCP servers and HTTP clients that know every byte they send and get."""

import contextlib
import hashlib
import json
import socket
import threading
import time

from processes import Failure


class Side:
    """A connected socket that hashes what it sends and what it receives."""

    def __init__(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(30)
        self.connection = connection
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.sent_bytes = self.received_bytes = 0
        self.ahead = b""
        self.fields = []

    def send(self, data):
        self.connection.sendall(data)
        self.sent.update(data)
        self.sent_bytes += len(data)

    def receive(self, size=65536):
        data = self.connection.recv(size)
        self.received.update(data)
        self.received_bytes += len(data)
        return data

    def until(self, mark):
        """Everything up to and with the mark; None when the peer has closed."""
        while mark not in self.ahead:
            data = self.receive()
            if not data:
                return None
            self.ahead += data
        found, self.ahead = self.ahead.split(mark, 1)
        return found + mark

    def exactly(self, size):
        while len(self.ahead) < size:
            data = self.receive()
            if not data:
                raise ConnectionError("closed in a body")
            self.ahead += data
        found, self.ahead = self.ahead[:size], self.ahead[size:]
        return found

    def message(self):
        """The next HTTP message as (first line, headers, body); None at the end.

        A body without length and not chunked is empty: requests and answers here have one of them.
        """
        head = self.until(b"\r\n\r\n")
        if head is None:
            return None
        first, *rest = head.decode("latin-1").strip().split("\r\n")
        parts = [line.partition(":") for line in rest]
        # In order and with what is there twice.
        self.fields = [(name.lower(), value.strip()) for name, _, value in parts]
        headers = dict(self.fields)
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.until(b"\r\n"), 16):
                body += self.exactly(size)
                self.exactly(2)
            self.exactly(2)
        else:
            body = self.exactly(int(headers.get("content-length", 0)))
        return first, headers, body

    def close(self):
        self.connection.close()


def dial(port, seconds=10):
    return Side(socket.create_connection(("127.0.0.1", port), timeout=seconds))


@contextlib.contextmanager
def server(talk, port=0, host="127.0.0.1"):
    """A server that runs `talk(Side)` in a thread for each connection; yields its port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(256)
    open_sides, talks = [], []

    def serve(side):
        with contextlib.suppress(OSError):
            talk(side)
        side.close()

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            side = Side(connection)
            open_sides.append(side)
            talks.append(threading.Thread(target=serve, args=(side,), daemon=True))
            talks[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        # Talks whose peer has gone end by themselves and have then seen everything.
        end = time.monotonic() + 2
        for talking in talks:
            talking.join(max(0, end - time.monotonic()))
        for side in open_sides:
            with contextlib.suppress(OSError):
                side.connection.shutdown(socket.SHUT_RDWR)


def post(method, rpc_id=None, params=None, session=None, path="/mcp"):
    """The bytes of a POST with a JSON-RPC message."""
    message = {"jsonrpc": "2.0", "method": method}
    if rpc_id is not None:
        message["id"] = rpc_id
    if params is not None:
        message["params"] = params
    body = json.dumps(message, ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/json\r\n"
    head += "Accept: application/json, text/event-stream\r\n"
    if session:
        head += f"Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def answer(body, status="200 OK", kind="application/json", session=None):
    """The bytes of an answer with a length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
    if session:
        head += f"Mcp-Session-Id: {session}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def result(rpc_id, value):
    return json.dumps({"jsonrpc": "2.0", "id": rpc_id, "result": value}).encode()


HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1"},
}
WELCOME = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "raw", "version": "1"},
}


def open_session(side):
    """Initializes on this connection; returns the session id."""
    side.send(post("initialize", 0, HELLO))
    status, headers, body = need(side.message())
    if "mcp-session-id" not in headers or " 200 " not in status:
        raise Failure(f"initialize was answered {status} {body[:300]!r}")
    session = headers["mcp-session-id"]
    side.send(post("notifications/initialized", session=session))
    need(side.message())
    return session


def need(message):
    if message is None:
        raise Failure("the connection closed where an answer was due")
    return message


def simple_mcp(side, on_call=None):
    """Serves MCP in JSON on one connection: sessions, and tools/call by `on_call(id, params)`."""
    while (message := side.message()) is not None:
        first, headers, body = message
        if not first.startswith("POST"):
            side.send(answer(b"", "200 OK"))
            continue
        call = json.loads(body)
        if call.get("id") is None:
            side.send(answer(b"", "202 Accepted"))
        elif call["method"] == "initialize":
            made = hashlib.md5(repr(side.connection.getpeername()).encode()).hexdigest()
            side.send(answer(result(call["id"], WELCOME), session=made))
        elif call["method"] == "tools/list":
            side.send(answer(result(call["id"], {"tools": []})))
        elif on_call:
            side.send(on_call(call["id"], call.get("params") or {}))
        else:
            side.send(answer(result(call["id"], {"content": [{"type": "text", "text": "done"}]})))
