"""An MCP server (2025-06-18, JSON answers) that fails in one way, and logs each of its doings as a line of JSON.

    python3 failing_server.py LOG PORT [none|lost|hang|get]

`lost` knows a session no more after its first call, `hang` never answers a session's second call, `get` ends every GET stream at once.
"""

import asyncio
import json
import secrets
import sys

LOG = open(sys.argv[1], "a", encoding="utf-8", buffering=1)
PORT = int(sys.argv[2])
WAY = sys.argv[3] if len(sys.argv) > 3 else "none"
SESSIONS = {}


def note(event):
    LOG.write(json.dumps({"event": event}) + "\n")


def head(status, length=None, kind="application/json", session=None):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {length}"] if length is not None else ["Transfer-Encoding: chunked"]
    lines += [f"Mcp-Session-Id: {session}"] if session else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read(reader):
    """A request's method, session and body."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.lower().split(": ", 1) for line in text.split("\r\n")[1:] if ": " in line)
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return text.split(" ", 1)[0], fields.get("mcp-session-id"), json.loads(body) if body else None


def reply(message, session):
    """The answer to a message, and `None` to one that gets none."""
    rpc_id, method = message.get("id"), message.get("method")
    if rpc_id is None:
        return head("202 Accepted", 0)
    result, given = {}, None
    if method == "initialize":
        given = secrets.token_hex(8)
        SESSIONS[given] = 0
        info = {"name": "failing", "version": "1"}
        revision = message["params"]["protocolVersion"]
        result = {"protocolVersion": revision, "capabilities": {"tools": {}}, "serverInfo": info}
        note("initialize")
    elif method == "tools/list":
        result = {"tools": []}
    elif method == "tools/call":
        SESSIONS[session] += 1
        if WAY == "hang" and SESSIONS[session] == 2:
            note("hung")
            return None
        result = {"content": [{"type": "text", "text": "done"}], "isError": False}
        note("answered")
    body = json.dumps({"jsonrpc": "2.0", "id": rpc_id, "result": result}).encode()
    return head("200 OK", len(body), session=given) + body


async def serve(reader, writer):
    try:
        while True:
            method, session, message = await read(reader)
            is_opening = bool(message) and message.get("method") == "initialize"
            is_gone = session not in SESSIONS or (WAY == "lost" and SESSIONS[session] >= 1)
            if method == "DELETE":
                SESSIONS.pop(session, None)
                writer.write(head("200 OK", 0))
            elif is_gone and not is_opening:
                note("gone, a call" if message and message.get("method") == "tools/call" else "gone")
                writer.write(head("404 Not Found", 0))
            elif method == "GET":
                note("get")
                writer.write(head("200 OK", kind="text/event-stream"))
                if WAY == "get":
                    writer.write(b"0\r\n\r\n")
                else:
                    await reader.read(1)
            else:
                answer = reply(message, session)
                if answer is None:
                    await reader.read(1)
                else:
                    writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=1024)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
