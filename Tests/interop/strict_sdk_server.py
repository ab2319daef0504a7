#!/usr/bin/env python3
"""An SDK server with everything that a client can get wrong, behind a referee.

Tools that ask the user, sample and list roots, that lose their stream, that run for long, that
want headers; resources, prompts, pages; a token verifier. `GET /referee` tells what was violated.
Prints `listening on HOST:PORT`.
"""

import argparse
import contextlib
import logging
import secrets
import socket
import warnings
from importlib.metadata import version
from typing import Annotated

import anyio
import uvicorn
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from strict_asgi import strict

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp.server.fastmcp import Context, FastMCP as Base
    from mcp.server.streamable_http import EventMessage, EventStore
    from mcp.types import (
        CreateMessageResult, ListRootsResult, SamplingMessage, TextContent, ToolAnnotations,
    )  # fmt: skip
else:
    from mcp.server.mcpserver import Context, Elicit, ListRoots, MCPServer as Base, Resolve, Sample
    from mcp.server.streamable_http import EventMessage, EventStore
    from mcp_types import (
        CreateMessageResult, ListRootsResult, SamplingMessage, TextContent, ToolAnnotations,
    )  # fmt: skip
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings

READS = ToolAnnotations(readOnlyHint=True) if LEGACY else ToolAnnotations(read_only_hint=True)
QUESTION = "Which colour, and how many?"


class Order(BaseModel):
    """What `order` asks the user."""

    colour: str = Field(json_schema_extra={"enum": ["red", "blue"]})
    count: int = 1


class Events(EventStore):
    """Keeps every event, so that a stream can be taken up anywhere."""

    def __init__(self):
        self.events = []

    async def store_event(self, stream_id, message):
        self.events.append((stream_id, message))
        return f"{stream_id}/{len(self.events)}"

    async def replay_events_after(self, last_event_id, send_callback):
        stream, _, place = last_event_id.rpartition("/")
        for number, (name, message) in enumerate(self.events[int(place) :], int(place) + 1):
            if name == stream and message is not None:
                await send_callback(EventMessage(message, f"{name}/{number}"))
        return stream


class Tokens:
    """An authorization server's tokens; only these open the resource."""

    def __init__(self, limit):
        self.valid = set()
        self.limit = limit
        self.uses = 0

    def issue(self):
        token = f"at_{secrets.token_hex(12)}"
        self.valid.add(token)
        return token

    async def verify_token(self, token):
        self.uses += 1
        if token not in self.valid or (self.limit and self.uses > self.limit):
            return None
        return AccessToken(token=token, client_id="strict", scopes=["use"])


def add_tools(server):
    def tool(function):
        server.tool(annotations=READS, structured_output=False)(function)

    @tool
    async def add(a: int, b: int, ctx: Context) -> str:
        """Add two numbers, with progress."""
        await ctx.report_progress(1, 2)
        await anyio.sleep(0.02)
        return str(a + b)

    @tool
    async def wait(seconds: float) -> str:
        """Take a while."""
        await anyio.sleep(seconds)
        return f"{seconds} s"

    @tool
    def route(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
        text: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Token-Text"})],
        size: Annotated[int, Field(json_schema_extra={"x-mcp-header": "Size"})],
        dry: Annotated[bool, Field(json_schema_extra={"x-mcp-header": "Dry"})] = False,
    ) -> str:
        """Arguments that want headers."""
        return f"{region} {text} {size} {dry}"

    @tool
    def place(name: str) -> str:
        """Mint a handle that no header can hold as it is."""
        return f"zürich-{secrets.token_hex(6)}" if name == "city" else f"hall-{secrets.token_hex(6)}"

    @tool
    def enter(
        where: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Where"})],
    ) -> str:
        """Use a handle in an argument that wants a header."""
        return f"in {where}"

    @server.resource("data://list")
    def listing() -> str:
        return "one, two"

    @server.resource("data://item/{name}")
    def item(name: str) -> str:
        return f"item {name}"

    @server.prompt()
    def greet(name: str) -> str:
        return f"Say hello to {name}"


def add_questions(server):
    """Tools that ask the client: by requests of the server, or by `input_required` results."""
    say = SamplingMessage(role="user", content=TextContent(type="text", text="Say something."))
    if LEGACY:

        @server.tool(annotations=READS, structured_output=False)
        async def order(what: str, ctx: Context) -> str:
            answer = await ctx.elicit(QUESTION, Order)
            return f"{what}: {answer.action}"

        @server.tool(annotations=READS, structured_output=False)
        async def poem(ctx: Context) -> str:
            answer = await ctx.session.create_message(
                [say], max_tokens=20, related_request_id=ctx.request_id
            )
            return f"{answer.role}: {answer.model}"

        @server.tool(annotations=READS, structured_output=False)
        async def roots(ctx: Context) -> str:
            return str(len((await ctx.session.list_roots()).roots))

    else:

        async def ask() -> Elicit[Order]:
            return Elicit(QUESTION, Order)

        async def sample() -> Sample:
            return Sample([say], max_tokens=20)

        async def ask_roots() -> ListRoots:
            return ListRoots()

        @server.tool(annotations=READS, structured_output=False)
        async def order(what: str, choice: Annotated[Order, Resolve(ask)]) -> str:
            return f"{what}: {choice.colour}"

        @server.tool(annotations=READS, structured_output=False)
        async def poem(said: Annotated[CreateMessageResult, Resolve(sample)]) -> str:
            return f"{said.role}: {said.model}"

        @server.tool(annotations=READS, structured_output=False)
        async def roots(found: Annotated[ListRootsResult, Resolve(ask_roots)]) -> str:
            return str(len(found.roots))


def add_dropping(server):
    @server.tool(annotations=READS, structured_output=False)
    async def drop(ctx: Context) -> str:
        """End the stream before the answer, which is then taken up."""
        # mcp 2.3.0 can close it before the event that makes it resumable is out.
        await anyio.sleep(0.1)
        close = ctx.request_context.close_sse_stream
        if close is not None:
            await close()
        await anyio.sleep(0.15)
        return "after the drop"


def add_authorization(server, base, tokens):
    @server.custom_route("/.well-known/oauth-authorization-server", methods=["GET"])
    async def metadata(request):
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    @server.custom_route("/token", methods=["POST"])
    async def token(request):
        return JSONResponse(
            {"access_token": tokens.issue(), "token_type": "Bearer", "expires_in": 3600}
        )


def application(arguments, base, authority):
    stateless, how, more = arguments.mode == "stateless", {}, {}
    tokens = Tokens(arguments.token_uses) if arguments.oauth else None
    if tokens:
        more["token_verifier"] = tokens
        more["auth"] = AuthSettings(
            issuer_url=base, resource_server_url=f"{base}/mcp", required_scopes=["use"],
            validate_token_resource=False,
        )  # fmt: skip
    how["json_response"] = arguments.mode == "json"
    how["stateless_http"] = stateless
    if arguments.events:
        how["event_store"], how["retry_interval"] = Events(), arguments.events
    server = Base("strict", **more, **(how if LEGACY else {}))
    add_tools(server)
    add_questions(server)
    add_dropping(server)
    if tokens:
        add_authorization(server, base, tokens)
    app = server.streamable_http_app(**({} if LEGACY else how))
    return strict(app, not stateless, authority, tokens.valid if tokens else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=["sse", "json", "stateless"], default="sse")
    parser.add_argument("--events", type=int, metavar="MS", help="resumable, with this `retry`")
    parser.add_argument("--oauth", action="store_true")
    parser.add_argument("--token-uses", type=int, default=0, help="requests until tokens expire")
    parser.add_argument("--authority", help="the Host that clients must name; default this socket")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    here = f"127.0.0.1:{listener.getsockname()[1]}"
    authority = arguments.authority or here
    app = application(arguments, f"http://{authority}", authority)
    print(f"listening on {here}", flush=True)
    config = uvicorn.Config(app, log_level="critical", access_log=False)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
