#!/usr/bin/env python3
"""A real SDK server over the ticket desk, for whichever official SDK is installed.

mcp 1.x gives FastMCP, mcp 2.x MCPServer; the tools are the same. Prints `listening on HOST:PORT`
once the socket takes connections (so `--port 0` works) and writes what it saw to `--log`.
"""

import argparse
import contextlib
import logging
import socket
import time
from importlib.metadata import version
from typing import Annotated

import anyio
import uvicorn
from pydantic import BaseModel

import desk
from server_log import HTTPLog, ServerLog
from strict_asgi import strict

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp.server.fastmcp import Context, FastMCP as Base
    from mcp.types import ToolAnnotations
else:
    from mcp.server.mcpserver import Context, Elicit, MCPServer as Base, Resolve
    from mcp_types import ToolAnnotations

READS = ToolAnnotations(readOnlyHint=True)
WRITES = ToolAnnotations(readOnlyHint=False)


class Approval(BaseModel):
    """What `confirm` asks of the user."""

    approved: bool


class DeskServer(Base):
    """Logs every execution of a tool, with the request and session it came by."""

    truth: ServerLog
    service: float

    async def call_tool(self, name, arguments, context=None):
        here = context or self.get_context()
        began, kind = time.time_ns(), "error"
        try:
            await anyio.sleep(self.service)
            answer = await (
                super().call_tool(name, arguments)
                if LEGACY
                else super().call_tool(name, arguments, here)
            )
            asked = getattr(answer, "result_type", None) == "input_required"
            kind = "input_required" if asked else "ok"
            return answer
        finally:
            request = here.request_context.request
            self.truth.write(
                event="call",
                tool=name,
                arguments=arguments,
                id=here.request_context.request_id,
                session=request.headers.get("mcp-session-id") if request else None,
                start_ns=began,
                end_ns=time.time_ns(),
                kind=kind,
            )


def add_tools(server, salt, without=None):
    notes = desk.Notes(salt)

    def tool(annotations):
        return server.tool(annotations=annotations, structured_output=False)

    @tool(READS)
    def search(query: str, limit: int = 3) -> str:
        """Find tickets."""
        if without and without in query:
            raise ValueError(f"nothing is known of {query}")
        return desk.search(query, limit)

    @tool(READS)
    async def read(ticket: str) -> str:
        """Read one ticket."""
        await anyio.sleep(desk.digest("time", ticket) % 20 / 1000)
        return desk.read(ticket)

    @tool(WRITES)
    def create_note(ticket: str, text: str) -> str:
        """Write a note on a ticket."""
        return notes.create(ticket, text)

    @tool(READS)
    def read_note(note: str) -> str:
        """Read a note that was written before."""
        return notes.read(note)

    @tool(READS)
    async def slow(steps: int, ctx: Context) -> str:
        """Work in steps of 30 ms and tell the progress of each."""
        for step in range(steps):
            await anyio.sleep(0.03)
            await ctx.report_progress(step + 1, steps)
        return f"{steps} steps"

    @tool(READS)
    def fail(reason: str) -> str:
        """Fail with a reason."""
        raise ValueError(reason)

    @tool(READS)
    def translate(text: str) -> str:
        """Say it in several scripts."""
        return desk.translate(text)

    @tool(READS)
    def report(rows: int = 1000) -> str:
        """A big table."""
        return desk.report(rows)


def add_confirm(server):
    """A tool that asks the user: a request of the server, or an `input_required` result."""
    if LEGACY:

        @server.tool(annotations=WRITES, structured_output=False)
        async def confirm(action: str, ctx: Context) -> str:
            """Ask before acting."""
            answer = await ctx.elicit(f"Really {action}?", Approval)
            return f"{action}: {answer.action}"

    else:

        async def ask(action: str) -> Elicit[Approval]:
            return Elicit(f"Really {action}?", Approval)

        @server.tool(annotations=WRITES, structured_output=False)
        async def confirm(action: str, approval: Annotated[Approval, Resolve(ask)]) -> str:
            """Ask before acting."""
            return f"{action}: {approval.approved}"


def application(arguments, log):
    """The ASGI application of the SDK, with the log and a referee around it."""
    how = {
        "json_response": arguments.mode == "stateful-json",
        "stateless_http": arguments.mode == "stateless",
    }
    server = DeskServer("desk", **({"host": arguments.host, **how} if LEGACY else {}))
    server.truth = log
    server.service = arguments.service / 1000
    if arguments.few_tools:
        keep = {"search", "read", "create_note", "slow"}
    add_tools(server, arguments.salt, arguments.without)
    if arguments.few_tools:
        for name in list(server._tool_manager._tools):
            if name not in keep:
                server.remove_tool(name)
    else:
        add_confirm(server)
    app = server.streamable_http_app(**({} if LEGACY else {"host": arguments.host, **how}))
    return strict(HTTPLog(app, log), arguments.mode != "stateless")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--mode", choices=["stateful-sse", "stateful-json", "stateless"], default="stateful-sse"
    )
    parser.add_argument("--log", required=True, help="truth, one JSON object a line")
    parser.add_argument("--salt", default="desk", help="makes the note ids of this server its own")
    parser.add_argument("--without", metavar="WORD", help="fail searches for what holds it")
    parser.add_argument("--service", type=float, default=0, metavar="MS", help="added to each call")
    parser.add_argument(
        "--few-tools", action="store_true", help="search, read, create_note, slow only"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((arguments.host, arguments.port))
    listener.listen(1024)
    config = uvicorn.Config(
        application(arguments, ServerLog(arguments.log)),
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    print(f"listening on {arguments.host}:{listener.getsockname()[1]}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
