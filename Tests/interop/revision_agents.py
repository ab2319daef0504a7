#!/usr/bin/env python3
"""Agents on SDK clients that use what differs between revisions: questions, subscriptions, log levels, pings."""

import argparse
import contextlib
import json
import logging
import sys
from importlib.metadata import version

import anyio

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client
    from mcp.types import CreateMessageResult, ElicitResult, Implementation, ListRootsResult
    from mcp.types import Root, TextContent
else:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp_types import CreateMessageResult, ElicitResult, Implementation, ListRootsResult
    from mcp_types import Root, TextContent

RESOURCE = "case://all"


async def elicit(context, params):
    """The user takes a moment, and does not want everything."""
    await anyio.sleep(0.25)
    approved = "delete" not in params.message
    return ElicitResult(action="accept", content={"approved": approved})


async def sample(context, params):
    text = TextContent(type="text", text="It was all about größe")
    return CreateMessageResult(role="assistant", content=text, model="m")


async def roots(context):
    return ListRootsResult(roots=[Root(uri="file:///srv/project", name="project")])


async def log(params):
    pass


CALLBACKS = {
    "elicitation_callback": elicit,
    "sampling_callback": sample,
    "list_roots_callback": roots,
    "logging_callback": log,
}


class Agent:
    """One connection; a session or not."""

    def __init__(self, client, modern):
        self.client = client
        self.modern = modern

    async def call(self, tool, **arguments):
        answer = await self.client.call_tool(tool, arguments)
        text = "".join(block.text for block in answer.content if block.type == "text")
        # Longer than what would make the next call one of the same turn.
        await anyio.sleep(0.06)
        if answer.isError if LEGACY else answer.is_error:
            raise RuntimeError(f"{tool}: {text}")
        return text

    @contextlib.asynccontextmanager
    async def watching(self):
        """Hears of a resource for as long as the block lasts."""
        if self.modern:
            async with self.client.listen(resource_subscriptions=[RESOURCE]):
                yield
            return
        await self.client.subscribe_resource(RESOURCE)
        yield
        await self.client.unsubscribe_resource(RESOURCE)

    async def give_up(self, case):
        """A call that is not waited for; mcp 1.x would not tell the server."""
        if LEGACY:
            return
        with contextlib.suppress(Exception):
            await self.client.call_tool("slow", {"case": case}, read_timeout_seconds=0.4)
        await anyio.sleep(0.06)

    async def work(self, name):
        await self.client.list_tools()
        if not self.modern:
            await self.client.set_logging_level("warning")
            await self.client.send_ping()
        case = json.loads(await self.call("open_case", title=f"Case of {name}"))["case"]["id"]
        await anyio.sleep(0.1)
        async with self.watching():
            async with anyio.create_task_group() as group:
                for action in ("publish", "delete"):
                    group.start_soon(lambda act: self.call("decide", case=case, action=act), action)
            await self.call("summarise", case=case)
        await self.call("look_around", case=case)
        await self.call("ship", case=case, region="zürich")
        await self.give_up(case)
        await self.call("close_case", case=case)


@contextlib.asynccontextmanager
async def connect(url, name, mode):
    info = Implementation(name=name, version="1.0")
    if LEGACY:
        async with streamablehttp_client(url) as (reading, writing, _):
            async with ClientSession(reading, writing, client_info=info, **CALLBACKS) as session:
                await session.initialize()
                yield Agent(session, False)
        return
    level = {"log_level": "warning"} if mode == "auto" else {}
    transport = streamable_http_client(url)
    async with Client(transport, mode=mode, client_info=info, **CALLBACKS, **level) as client:
        yield Agent(client, client.protocol_version >= "2026")


async def run(arguments):
    async def agent(number):
        await anyio.sleep(number * 0.2)
        async with connect(arguments.url, f"agent-{number}", arguments.client) as agent:
            await agent.work(f"agent-{number}")

    async with anyio.create_task_group() as group:
        for number in range(arguments.agents):
            group.start_soon(agent, number)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--client", choices=["legacy", "auto"], default="legacy")
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    sys.exit(anyio.run(run, parser.parse_args()))


if __name__ == "__main__":
    main()
