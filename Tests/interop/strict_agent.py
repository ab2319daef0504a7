#!/usr/bin/env python3
"""One SDK client that does what it is told: a JSON list of steps, each [what, ...].

    list · call TOOL ARGUMENTS · cancel TOOL ARGUMENTS SECONDS · read URI · resources · templates ·
    prompts · prompt NAME ARGUMENTS · ping · sleep SECONDS · listen SECONDS ·
    together STEPS

Its user accepts every question with what `--answer` says; its model says "words"; it has one root.
"""

import argparse
import json
import logging
import sys
import warnings
from datetime import timedelta
from importlib.metadata import version

import anyio

from sdk_client import LEGACY, ElicitResult, connect, ignore

if LEGACY:
    from mcp.types import CreateMessageResult, ListRootsResult, Root, TextContent
    from pydantic import AnyUrl as URL
else:
    from mcp_types import CreateMessageResult, ListRootsResult, Root, TextContent

    URL = str
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider


class Tokens:
    """Keeps what the SDK's OAuth client learns."""

    tokens = information = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.information

    async def set_client_info(self, information):
        self.information = information


async def sample(context, params):
    return CreateMessageResult(
        role="assistant", content=TextContent(type="text", text="words"), model="strict"
    )


async def roots(context):
    return ListRootsResult(roots=[Root(uri="file:///work", name="work")])


class Agent:
    def __init__(self, session):
        self.session = session
        self.heard = {}

    async def perform(self, steps):
        for what, *words in steps:
            await getattr(self, "do_" + what)(*words)

    async def do_list(self):
        await self.session.list_tools()

    async def do_call(self, tool, arguments, progress=True):
        given = {k: self.heard.get(str(v), v) for k, v in arguments.items()}
        answer = await self.session.call_tool(
            tool, given, progress_callback=ignore if progress else None
        )
        text = "".join(block.text for block in answer.content if block.type == "text")
        if answer.isError if LEGACY else answer.is_error:
            raise RuntimeError(f"{tool}: {text}")
        # A step may name an earlier answer by its tool and arguments.
        self.heard["=".join([tool, *map(str, arguments.values())])] = text

    async def do_cancel(self, tool, arguments, seconds):
        limit = timedelta(seconds=seconds) if LEGACY else seconds
        try:
            await self.session.call_tool(tool, arguments, read_timeout_seconds=limit)
        except Exception:
            return
        raise RuntimeError(f"{tool} was to be given up after {seconds} s")

    async def do_read(self, uri):
        await self.session.read_resource(URL(uri))

    async def do_resources(self):
        await self.session.list_resources()

    async def do_templates(self):
        await self.session.list_resource_templates()

    async def do_prompts(self):
        await self.session.list_prompts()

    async def do_prompt(self, name, arguments):
        await self.session.get_prompt(name, arguments)

    async def do_ping(self):
        await self.session.send_ping()

    async def do_sleep(self, seconds):
        await anyio.sleep(seconds)

    async def do_listen(self, seconds):
        async with self.session.listen(tools_list_changed=True):
            await anyio.sleep(seconds)

    async def do_together(self, steps):
        async with anyio.create_task_group() as group:
            for step in steps:
                group.start_soon(self.perform, [step])


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--client", default="legacy", help="mcp 2.x only: legacy or auto")
    parser.add_argument("--steps", required=True)
    parser.add_argument("--answer", help="what the user enters; without it he can't be asked")
    parser.add_argument("--oauth", action="store_true", help="authorize with client credentials")
    arguments = parser.parse_args()
    more = {"list_roots_callback": roots, "sampling_callback": sample}
    if arguments.answer:
        content = json.loads(arguments.answer)

        async def answer(context, params):
            return ElicitResult(action="accept", content=content)

        more["elicitation_callback"] = answer
    auth = None
    if arguments.oauth:
        auth = ClientCredentialsOAuthProvider(
            arguments.url, Tokens(), "strict-client", "strict-secret", "client_secret_post"
        )
    async with connect(arguments.url, "strict", arguments.client, auth=auth, **more) as connection:
        await Agent(connection.session).perform(json.loads(arguments.steps))


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    sys.exit(anyio.run(main))
