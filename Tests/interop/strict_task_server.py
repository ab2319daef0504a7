#!/usr/bin/env python3
"""mcp 1.30.0 with its experimental tasks (revision 2025-11-25), behind a referee.

`work` takes its time, `ask` asks the user while it works; both are called as tasks. Prints
`listening on HOST:PORT`.
"""

import argparse
import contextlib
import logging
import socket
import warnings

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import (
    TASK_REQUIRED, CallToolResult, TextContent, Tool, ToolAnnotations, ToolExecution,
)  # fmt: skip
from starlette.applications import Starlette
from starlette.routing import Route

from strict_asgi import strict

SCHEMA = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
SCHEMA["properties"]["count"] = {"type": "integer"}


def said(text):
    return CallToolResult(content=[TextContent(type="text", text=text)])


def tasks(seconds):
    server = Server("tasks")
    server.experimental.enable_tasks()

    @server.list_tools()
    async def list_tools():
        return [
            Tool(
                name=name, inputSchema={"type": "object"},
                annotations=ToolAnnotations(readOnlyHint=True),
                execution=ToolExecution(taskSupport=TASK_REQUIRED),
            )
            for name in ("work", "ask")
        ]  # fmt: skip

    @server.call_tool(validate_input=False)
    async def call_tool(name, arguments):
        async def work(task):
            if name == "ask":
                answer = await task.elicit("Which colour?", SCHEMA)
                return said(f"{answer.action}: {(answer.content or {}).get('colour')}")
            await anyio.sleep(seconds)
            return said("done")

        return await server.request_context.experimental.run_task(work)

    return server


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.7, help="what `work` takes")
    parser.add_argument("--authority", help="the Host that clients must name")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    manager = StreamableHTTPSessionManager(tasks(arguments.seconds))

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with manager.run():
            yield

    class Endpoint:
        async def __call__(self, scope, receive, send):
            await manager.handle_request(scope, receive, send)

    app = Starlette(routes=[Route("/mcp", endpoint=Endpoint())], lifespan=lifespan)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    here = f"127.0.0.1:{listener.getsockname()[1]}"
    print(f"listening on {here}", flush=True)
    config = uvicorn.Config(
        strict(app, True, arguments.authority or here), log_level="critical", access_log=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
