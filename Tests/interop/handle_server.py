#!/usr/bin/env python3
"""An SDK server whose handles are random in every run: what it minted must come back, or the call fails.

A case's id is in structured content, an item's in a sentence, an export's token in JSON inside a
text; a document's address is made of two of them. Prints `listening on HOST:PORT`.
"""

import argparse
import json
import logging
import secrets
import socket
from importlib.metadata import version
from typing import Any

import uvicorn

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp.server.fastmcp import FastMCP as Base
else:
    from mcp.server.mcpserver import MCPServer as Base


def add_tools(server, nameless):
    cases, items, tokens = {}, {}, {}

    def known(table, handle):
        if handle not in table:
            raise ValueError(f"no such handle: {handle}")
        return table[handle]

    @server.tool()
    def open_case(title: str) -> dict[str, Any]:
        """Open a case."""
        case = f"case-{secrets.token_hex(8)}"
        cases[case] = title
        return {"title": title} if nameless else {"title": title, "case": {"id": case}}

    @server.tool(structured_output=False)
    def add_item(case: str, text: str) -> str:
        """Add an item to a case."""
        known(cases, case)
        item = f"it_{secrets.token_hex(6)}"
        items[item] = text
        return f"Added 1 item to your list: {item} (now {len(items)} in all)."

    @server.tool(structured_output=False)
    def check_item(item: str, note: str) -> str:
        """Tick an item off; the note names it again."""
        known(items, item)
        if item not in note:
            raise ValueError(f"the note is about something else: {note}")
        return f"{item} is done"

    @server.tool(structured_output=False)
    def export(case: str) -> str:
        """Export a case; the answer is JSON in a text."""
        token = f"tok-{secrets.token_hex(8)}"
        tokens[token] = known(cases, case)
        return json.dumps({"export": {"parts": [{"token": token}], "format": "pdf"}}, indent=2)

    @server.tool(structured_output=False)
    def fetch(uri: str) -> str:
        """Fetch export://CASE/TOKEN."""
        case, token = uri.removeprefix("export://").split("/")
        known(cases, case)
        return f"the document of {known(tokens, token)}"

    @server.tool(structured_output=False)
    def close_case(case: str) -> str:
        """Close a case for ever."""
        title = known(cases, case)
        del cases[case]
        return f"{title} is closed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stateless", action="store_true")
    parser.add_argument("--nameless", action="store_true", help="cases are opened without an id")
    parser.add_argument("--sse", action="store_true", help="over HTTP+SSE of 2024-11-05")
    parser.add_argument("--stdio", action="store_true", help="on standard input and output")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    # The one SDK is told when the server is made, the other when its application is.
    how = {"sse_path": "/mcp"} if arguments.sse else {"stateless_http": arguments.stateless}
    server = Base("handles", **(how if LEGACY else {}))
    add_tools(server, arguments.nameless)
    if arguments.stdio:
        server.run("stdio")
        return
    make = server.sse_app if arguments.sse else server.streamable_http_app
    app = make(**({} if LEGACY else how))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
