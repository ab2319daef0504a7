#!/usr/bin/env python3
"""K agents on real SDK clients against `case_server.py`, more and more alike.

--variant own-credential: each has its own bearer token; own-client: one token, a client name each;
equal: one token, one name, one pool of connections for all. Every request says in `x-agent` whose it
is: the truth, which nothing that is recorded is inferred from.
"""

import argparse
import json
import logging
import random
import re
import sys
import warnings
from importlib.metadata import version

import anyio

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    import httpx
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client
    from mcp.types import Implementation
else:
    import httpx2 as httpx
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp_types import Implementation


class Pool(httpx.AsyncBaseTransport):
    """One pool of connections for all clients: none of them closes it."""

    def __init__(self):
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=200)
        self.inner = httpx.AsyncHTTPTransport(limits=limits)

    async def handle_async_request(self, request):
        return await self.inner.handle_async_request(request)

    async def aclose(self):
        pass


class Agent:
    """One agent: a workspace, then case after case in it."""

    def __init__(self, arguments, number, pool):
        self.arguments = arguments
        self.number = number
        self.pool = pool
        self.random = random.Random(f"{arguments.seed}:{number}")
        self.calls = self.broken = 0

    async def think(self):
        low, high = self.arguments.think_min, self.arguments.think_max
        await anyio.sleep(self.random.uniform(low, high) / 1000)

    async def call(self, session, tool, **values):
        await self.think()
        answer = await session.call_tool(tool, values)
        self.calls += 1
        if answer.isError if LEGACY else answer.is_error:
            self.broken += 1
        return "".join(block.text for block in answer.content if block.type == "text")

    async def work(self, session):
        await session.list_tools()
        workspace = json.loads(await self.call(session, "open_workspace"))["workspace"]
        for number in range(self.arguments.cases):
            if number and self.arguments.loose:
                workspace = json.loads(await self.call(session, "open_workspace"))["workspace"]
            told = await self.call(session, "open_case", workspace=workspace, topic="login")
            case = re.search(r"case-[0-9a-f]+", told).group()
            for _ in range(self.random.choice([1, 2, 3])):
                await self.call(session, "add_note", case=case, text="seen", priority=3)
            if self.random.random() < 0.5:
                await self.call(session, "look", case=case, limit=10)
            await self.call(session, "close_case", case=case)

    async def run(self):
        a = self.arguments
        await anyio.sleep(self.random.uniform(0, a.spread) / 1000)
        name = "agent" if a.variant == "equal" else f"agent-{self.number}"
        token = f"token-{self.number if a.variant == 'own-credential' else 'of-all'}-0123456789"
        if a.variant == "own-credential":
            name = "agent"
        headers = {"Authorization": f"Bearer {token}", "x-agent": str(self.number)}
        info = Implementation(name=name, version="1.0")

        def client(headers=None, timeout=None, auth=None):
            return httpx.AsyncClient(
                headers=headers, timeout=timeout or 30, transport=self.pool, follow_redirects=True
            )

        if LEGACY:
            async with streamablehttp_client(
                a.url, headers, httpx_client_factory=client
            ) as (reading, writing, _):
                async with ClientSession(reading, writing, client_info=info) as session:
                    await session.initialize()
                    await self.work(session)
        else:
            async with client(headers) as http:
                transport = streamable_http_client(a.url, http_client=http)
                async with Client(transport, mode="auto", client_info=info) as session:
                    await self.work(session)


async def run(arguments):
    pool = Pool() if arguments.variant == "equal" else None
    agents = [Agent(arguments, i, pool) for i in range(arguments.agents)]
    async with anyio.create_task_group() as group:
        for agent in agents:
            group.start_soon(agent.run)
    calls, broken = sum(a.calls for a in agents), sum(a.broken for a in agents)
    print(json.dumps({"agents": len(agents), "calls": calls, "broken": broken}))
    return 1 if broken else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument(
        "--variant", choices=["own-credential", "own-client", "equal"], required=True
    )
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--cases", type=int, default=3)
    parser.add_argument("--think-min", type=float, default=50, metavar="MS")
    parser.add_argument("--think-max", type=float, default=400, metavar="MS")
    parser.add_argument("--spread", type=float, default=500, metavar="MS", help="of the starts")
    parser.add_argument(
        "--loose", action="store_true", help="a workspace a case: nothing ties the cases of an agent"
    )
    parser.add_argument("--seed", default="1")
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.disable(logging.ERROR)
    sys.exit(anyio.run(run, parser.parse_args()))


if __name__ == "__main__":
    main()
