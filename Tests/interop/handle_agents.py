#!/usr/bin/env python3
"""Agents that pass a server's handles back to it: open → add, export → check, fetch → close."""

import argparse
import json
import logging
import re
import sys

import anyio

from sdk_client import connect, connect_sse, connect_stdio


async def must(connection, tool, **arguments):
    failed, text = await connection.call(tool, arguments)
    if failed:
        raise RuntimeError(f"{tool}: {text}")
    return text


async def work(connection, name):
    """One agent's life."""
    await connection.list_tools()
    opened = await must(connection, "open_case", title=f"Case of {name}")
    case = json.loads(opened)["case"]["id"]
    await anyio.sleep(0.15)
    told = {}

    async def step(tool):
        told[tool] = await must(connection, tool, **texts[tool])

    texts = {"add_item": {"case": case, "text": "write it down"}, "export": {"case": case}}
    async with anyio.create_task_group() as group:
        for tool in texts:
            group.start_soon(step, tool)
    await anyio.sleep(0.2)
    item = re.search(r"it_\w+", told["add_item"]).group()
    token = json.loads(told["export"])["export"]["parts"][0]["token"]
    await must(connection, "check_item", item=item, note=f"I did {item}, at last")
    await anyio.sleep(0.1)
    await must(connection, "fetch", uri=f"export://{case}/{token}")
    await anyio.sleep(0.1)
    await must(connection, "close_case", case=case)


async def run(arguments):
    async def agent(number):
        await anyio.sleep(number * 0.3)
        name = f"agent-{number}"
        if arguments.server:
            command = [word.replace("%n", str(number)) for word in arguments.server]
            opened = connect_stdio(command, name, arguments.client)
        else:
            over = connect_sse if arguments.sse else connect
            opened = over(arguments.url, name, arguments.client)
        async with opened as connection:
            await work(connection, name)

    async with anyio.create_task_group() as group:
        for number in range(arguments.agents):
            group.start_soon(agent, number)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--server", type=json.loads, help="a JSON list to start, %%n is the agent")
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--sse", action="store_true", help="over HTTP+SSE")
    parser.add_argument("--client", choices=["legacy", "auto"], default="legacy")
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    sys.exit(anyio.run(run, parser.parse_args()))


if __name__ == "__main__":
    main()
