#!/usr/bin/env python3
"""A server of mcp 1.30.0 whose tools run as tasks (2025-11-25, experimental); how long is an option."""

import argparse
import contextlib
import logging
import socket
import warnings

import anyio
import uvicorn
from mcp import types
from mcp.server.fastmcp.server import StreamableHTTPASGIApp
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route

from server_log import HTTPLog, ServerLog
from strict_asgi import strict


def tool(name, mode):
    return types.Tool(
        name=name, inputSchema={"type": "object"}, execution=types.ToolExecution(taskSupport=mode)
    )


def text(said):
    return types.CallToolResult(content=[types.TextContent(type="text", text=said)])


def build(arguments, log):
    server = Server("tasks")
    support = server.experimental.enable_tasks()

    @server.list_tools()
    async def listed():
        modes = {"dig": types.TASK_REQUIRED, "ask": types.TASK_REQUIRED}
        return [tool(name, modes.get(name, types.TASK_FORBIDDEN)) for name in ("dig", "ask", "look")]

    async def dig(task):
        await anyio.sleep(arguments.work)
        log.write(event="call", tool="dig", task=task.task_id)
        return text("found")

    async def ask(task):
        wanted = {"type": "object", "properties": {"deeper": {"type": "boolean"}}}
        answer = await task.elicit("Dig deeper?", wanted)
        log.write(event="call", tool="ask", task=task.task_id, content=answer.content)
        return text(f"deeper: {answer.content}")

    @server.call_tool()
    async def call(name, given):
        if name == "look":
            log.write(event="call", tool="look", **given)
            return [types.TextContent(type="text", text="seen")]
        return await server.request_context.experimental.run_task({"dig": dig, "ask": ask}[name])

    return server, support


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--work", type=float, default=1, metavar="S", help="how long `dig` takes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore", DeprecationWarning)
    log = ServerLog(arguments.log)
    server, support = build(arguments, log)
    manager = StreamableHTTPSessionManager(server)

    @contextlib.asynccontextmanager
    async def life(app):
        async with support.run():
            # As it is, the first session to end takes the tasks of all others with it.
            support.run = contextlib.nullcontext
            async with manager.run():
                yield

    app = Starlette(routes=[Route("/mcp", StreamableHTTPASGIApp(manager))], lifespan=life)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = strict(HTTPLog(app, log), stateful=True)
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
