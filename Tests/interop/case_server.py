#!/usr/bin/env python3
"""A stateless SDK server that mints handles: what it gives out must be given back.

open_workspace → workspace; open_case(workspace) → case; add_note(case), look(case); close_case(case).
A handle that it does not know, or that is closed, is an error. Ids are random in every run.
"""

import argparse
import contextlib
import json
import logging
import secrets
import socket
from importlib.metadata import version

import anyio
import uvicorn

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp.server.fastmcp import FastMCP as Base
    from mcp.types import ToolAnnotations
else:
    from mcp.server.mcpserver import MCPServer as Base
    from mcp_types import ToolAnnotations

STATES = ["open", "waiting", "closed"]


class Desk:
    """Workspaces and cases, by their handles."""

    def __init__(self):
        self.workspaces = set()
        self.cases = {}

    def workspace(self):
        handle = secrets.token_hex(8)
        self.workspaces.add(handle)
        return {"workspace": handle, "state": "open", "limit": 10, "day": "2026-11-22"}

    def open(self, workspace):
        if workspace not in self.workspaces:
            raise ValueError(f"no workspace {workspace}")
        case = f"case-{secrets.token_hex(5)}"
        self.cases[case] = 0
        return case

    def note(self, case):
        self.cases[case] += 1
        return {"case": case, "notes": self.cases[case], "state": STATES[self.cases[case] % 2]}

    def close(self, case):
        notes = self.cases.pop(case)
        return {"closed": True, "notes": notes, "state": "closed"}


def add_tools(server, service):
    desk = Desk()

    def tool(function, structured=False):
        server.tool(
            annotations=ToolAnnotations(readOnlyHint=False), structured_output=structured
        )(function)

    async def open_workspace() -> str:
        """Begin: everything else needs a workspace."""
        await anyio.sleep(service)
        return json.dumps(desk.workspace())

    async def open_case(workspace: str, topic: str) -> str:
        """Open a case; its id is in a sentence."""
        await anyio.sleep(service)
        return f"Opened {desk.open(workspace)}, about {topic}, state open."

    async def add_note(case: str, text: str, priority: int = 3) -> dict:
        """Write a note on a case."""
        await anyio.sleep(service)
        return desk.note(case)

    async def look(case: str, limit: int = 10) -> dict:
        """Look at a case."""
        await anyio.sleep(service)
        return {"case": case, "notes": desk.cases[case], "limit": limit, "state": "open"}

    async def close_case(case: str) -> dict:
        """Close a case."""
        await anyio.sleep(service)
        return desk.close(case)

    for function in (open_workspace, open_case):
        tool(function)
    for function in (add_note, look, close_case):
        tool(function, structured=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--service", type=float, default=2, metavar="MS")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    how = {"stateless_http": True}
    server = Base("handles", **(how if LEGACY else {}))
    add_tools(server, arguments.service / 1000)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", arguments.port))
    listener.listen(1024)
    app = server.streamable_http_app(**({} if LEGACY else how))
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, timeout_graceful_shutdown=1
    )
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
