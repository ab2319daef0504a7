#!/usr/bin/env python3
"""An SDK server that asks its clients: elicitation, sampling and roots, with handles of its own.

mcp 1.x speaks revisions with sessions alone; `--only-stateless` makes mcp 2.x refuse them, as a
server without that past does. The log holds each HTTP request and what each tool was given.
"""

import argparse
import json
import logging
import secrets
import socket
from importlib.metadata import version
from typing import Annotated, Any

import anyio
import uvicorn
from pydantic import BaseModel, Field

from server_log import ServerLog

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp.server.fastmcp import Context, FastMCP as Base
    from mcp.types import SamplingMessage, TextContent
else:
    from mcp.server.mcpserver import Context, Elicit, ListRoots, MCPServer as Base, Resolve, Sample
    from mcp_types import CreateMessageResult, ListRootsResult, SamplingMessage, TextContent

STATELESS = "2026-07-28"
Region = Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]


class Approval(BaseModel):
    """What `decide` asks of the user."""

    approved: bool


def prompt(case):
    return [SamplingMessage(role="user", content=TextContent(type="text", text="Sum it up"))]


class Cases:
    """Handles that are random in every run, and what happened to each."""

    def __init__(self, log):
        self.log = log
        self.open = set()

    def note(self, tool, case, **what):
        if tool != "open_case" and case not in self.open:
            raise ValueError(f"no such case: {case}")
        self.log.write(event="call", tool=tool, case=case, **what)


def add_tools(server, cases):
    @server.tool()
    def open_case(title: str) -> dict[str, Any]:
        """Open a case."""
        case = f"case-{secrets.token_hex(8)}"
        cases.open.add(case)
        cases.note("open_case", case, title=title)
        return {"title": title, "case": {"id": case}}

    @server.tool(structured_output=False)
    def ship(case: str, region: Region) -> str:
        """Ship to a region, which the client also names in a header."""
        cases.note("ship", case, region=region)
        return f"shipped to {region}"

    @server.tool(structured_output=False)
    async def slow(case: str) -> str:
        """Take longer than any client waits."""
        cases.note("slow", case)
        await anyio.sleep(30)
        return "at last"

    @server.tool(structured_output=False)
    def close_case(case: str) -> str:
        """Close a case for ever."""
        cases.note("close_case", case)
        cases.open.remove(case)
        return "closed"


def add_questions(server, cases):
    """Tools that ask the client by requests of the server."""

    @server.tool(structured_output=False)
    async def decide(case: str, action: str, ctx: Context) -> str:
        """Ask before acting."""
        answer = await ctx.elicit(f"Really {action}?", Approval)
        approved = answer.data.approved if answer.action == "accept" else answer.action
        cases.note("decide", case, action=action, approved=approved)
        return f"{action}: {approved}"

    @server.tool(structured_output=False)
    async def summarise(case: str, ctx: Context) -> str:
        """Ask the client's model."""
        said = await ctx.session.create_message(
            messages=prompt(case), max_tokens=50, related_request_id=ctx.request_id
        )
        cases.note("summarise", case, text=said.content.text)
        return said.content.text

    @server.tool(structured_output=False)
    async def look_around(case: str, ctx: Context) -> str:
        """Ask for the client's roots."""
        roots = [str(root.uri) for root in (await ctx.session.list_roots()).roots]
        cases.note("look_around", case, roots=roots)
        return ", ".join(roots)

    low = server._mcp_server

    @low.set_logging_level()
    async def set_level(level):
        cases.log.write(event="level", level=level)

    @low.subscribe_resource()
    async def subscribe(uri):
        cases.log.write(event="subscribe", uri=str(uri))

    @low.unsubscribe_resource()
    async def unsubscribe(uri):
        cases.log.write(event="unsubscribe", uri=str(uri))


def add_rounds(server, cases):
    """Tools that ask the client by results that want input."""

    async def approval(action: str) -> Elicit[Approval]:
        return Elicit(f"Really {action}?", Approval)

    async def summary(case: str) -> Sample:
        return Sample(prompt(case), max_tokens=50)

    async def roots() -> ListRoots:
        return ListRoots()

    @server.tool(structured_output=False)
    async def decide(
        case: str, action: str, approval: Annotated[Approval, Resolve(approval)]
    ) -> str:
        """Ask before acting."""
        cases.note("decide", case, action=action, approved=approval.approved)
        return f"{action}: {approval.approved}"

    @server.tool(structured_output=False)
    async def summarise(case: str, said: Annotated[CreateMessageResult, Resolve(summary)]) -> str:
        """Ask the client's model."""
        cases.note("summarise", case, text=said.content.text)
        return said.content.text

    @server.tool(structured_output=False)
    async def look_around(case: str, found: Annotated[ListRootsResult, Resolve(roots)]) -> str:
        """Ask for the client's roots."""
        uris = [str(root.uri) for root in found.roots]
        cases.note("look_around", case, roots=uris)
        return ", ".join(uris)


class Gate:
    """Logs every request, and refuses revisions with sessions where only stateless ones are spoken."""

    def __init__(self, app, log, only_stateless):
        self.app = app
        self.log = log
        self.only_stateless = only_stateless

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        named = {k: v for k, v in headers.items() if k.startswith("mcp-")}
        body, more = bytearray(), True
        while more:
            message = await receive()
            body.extend(message.get("body", b""))
            more = message.get("more_body", False)
        rpc = json.loads(body) if body else None
        told = False

        async def again():
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        async def answer(message):
            if message["type"] == "http.response.start":
                self.log.write(
                    event="http", verb=scope["method"], headers=named, rpc=rpc,
                    status=message["status"],
                )  # fmt: skip
            await send(message)

        if self.only_stateless and headers.get("mcp-protocol-version") != STATELESS:
            await self.refuse(scope["method"], rpc, answer)
        else:
            await self.app(scope, again, answer)

    async def refuse(self, verb, rpc, send):
        status, body = 405, b""
        if verb == "POST":
            error = {"code": -32022, "message": "Unsupported protocol version"}
            error["data"] = {"supported": [STATELESS], "requested": "2025-11-25"}
            status = 400
            body = json.dumps({"jsonrpc": "2.0", "id": rpc.get("id"), "error": error}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--only-stateless", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    log = ServerLog(arguments.log)
    server, cases = Base("revisions"), Cases(log)
    add_tools(server, cases)
    (add_questions if LEGACY else add_rounds)(server, cases)
    app = Gate(server.streamable_http_app(), log, arguments.only_stateless)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
