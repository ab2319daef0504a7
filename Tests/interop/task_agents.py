#!/usr/bin/env python3
"""Agents on mcp 1.30.0 that call tools as tasks, poll them and take their results."""

import argparse
import logging
import sys

import anyio
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.types import CallToolResult, ElicitResult, Implementation


async def accept(context, params):
    return ElicitResult(action="accept", content={"deeper": True})


async def finish(session, tool):
    """Calls a tool as a task and waits for its end by polling."""
    created = await session.experimental.call_tool_as_task(tool, {}, ttl=60000)
    task = created.task.taskId
    if tool == "dig":
        # While it works the agent does something else.
        await anyio.sleep(0.06)
        await session.call_tool("look", {"at": "the sky"})
    async for status in session.experimental.poll_task(task):
        if status.status == "input_required":
            break
    result = await session.experimental.get_task_result(task, CallToolResult)
    if result.isError:
        raise RuntimeError(f"{tool}: {result}")
    await anyio.sleep(0.06)


async def run(arguments):
    async def agent(number):
        info = Implementation(name=f"agent-{number}", version="1.0")
        async with streamablehttp_client(arguments.url) as (reading, writing, _):
            async with ClientSession(
                reading, writing, client_info=info, elicitation_callback=accept
            ) as session:
                await session.initialize()
                await session.list_tools()
                await finish(session, "dig")
                await finish(session, "ask")
                await session.call_tool("look", {"at": "the ground"})

    async with anyio.create_task_group() as group:
        for number in range(arguments.agents):
            group.start_soon(agent, number)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--agents", type=int, default=2)
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    sys.exit(anyio.run(run, parser.parse_args()))


if __name__ == "__main__":
    main()
