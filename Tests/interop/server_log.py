"""What a server saw: an ASGI layer and a call log that write one JSON object a line.

`http` lines: every HTTP request that reached the application. `call` lines: every execution of a
tool. Lines are flushed as they are written, so a killed server leaves all it did.
"""

import json
import threading
import time


class ServerLog:
    """Appends JSON lines to a file."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def write(self, **line):
        text = json.dumps(line, ensure_ascii=False) + "\n"
        with self.lock:
            self.file.write(text)


def envelope(body):
    """Method, id, tool and client name of a JSON-RPC body; empty for anything else."""
    try:
        message = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(message, dict):
        return {}
    params = message.get("params") if isinstance(message.get("params"), dict) else {}
    meta = params.get("_meta") if isinstance(params.get("_meta"), dict) else {}
    info = params.get("clientInfo") or meta.get("io.modelcontextprotocol/clientInfo") or {}
    return {
        "method": message.get("method"),
        "id": message.get("id"),
        "tool": params.get("name") if message.get("method") == "tools/call" else None,
        "client": info.get("name"),
    }


class HTTPLog:
    """Logs each request when its answer begins, or when it ends without one."""

    def __init__(self, app, log):
        self.app = app
        self.log = log
        self.count = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.count += 1
        number, body, written = self.count, bytearray(), False
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        began = time.time_ns()

        def write(status, answer_session):
            self.log.write(
                event="http",
                n=number,
                t_ns=began,
                verb=scope["method"],
                path=scope["path"],
                port=scope["client"][1],
                session=headers.get("mcp-session-id"),
                answer_session=answer_session,
                status=status,
                rpc=envelope(bytes(body)),
            )

        async def listen():
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
            return message

        async def answer(message):
            nonlocal written
            if message["type"] == "http.response.start" and not written:
                written = True
                fields = {
                    k.decode("latin-1").lower(): v.decode("latin-1") for k, v in message["headers"]
                }
                write(message["status"], fields.get("mcp-session-id"))
            await send(message)

        try:
            await self.app(scope, listen, answer)
        finally:
            if not written:
                write(None, None)
