"""One agent's connection to an MCP server, for whichever official SDK is installed.

`connect` yields an object with `list_tools()` and `call(tool, arguments, progress)`, the same for
mcp 1.x (streamablehttp_client + ClientSession) and mcp 2.x (Client, mode legacy or auto).
"""

import contextlib
import warnings
from importlib.metadata import version

LEGACY = version("mcp").startswith("1.")
if LEGACY:
    from mcp import ClientSession
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamablehttp_client
    from mcp.types import ElicitResult, Implementation
else:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp_types import ElicitResult, Implementation


async def approve(context, params):
    """The user behind the agent says yes to everything."""
    return ElicitResult(action="accept", content={"approved": True})


async def ignore(progress, total, message):
    """Takes progress notifications, so that the SDK asks for them."""


class Connection:
    """What an agent needs of an SDK session."""

    def __init__(self, session):
        self.session = session

    async def list_tools(self):
        return [tool.name for tool in (await self.session.list_tools()).tools]

    async def call(self, tool, arguments, progress=False):
        """Calls a tool; returns (is an error, text)."""
        answer = await self.session.call_tool(
            tool, arguments, progress_callback=ignore if progress else None
        )
        failed = answer.isError if LEGACY else answer.is_error
        text = "".join(block.text for block in answer.content if block.type == "text")
        return bool(failed), text


@contextlib.asynccontextmanager
async def connect(
    url, name, mode, token=None, auth=None, elicitation_callback=approve, **callbacks
):
    """Opens a session as client `name`; `mode` (legacy, auto) is heard by mcp 2.x alone."""
    info = Implementation(name=name, version="1.0")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    if LEGACY:
        async with streamablehttp_client(url, headers, auth=auth) as (reading, writing, _):
            async with ClientSession(
                reading, writing, client_info=info, elicitation_callback=elicitation_callback,
                **callbacks,
            ) as session:  # fmt: skip
                await session.initialize()
                yield Connection(session)
    else:
        async with create_mcp_http_client(headers=headers, auth=auth) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(
                transport, mode=mode, client_info=info,
                elicitation_callback=elicitation_callback, **callbacks,
            ) as client:  # fmt: skip
                yield Connection(client)


@contextlib.asynccontextmanager
async def connect_stdio(command, name, mode):
    """Starts a stdio server and opens a session with it as client `name`."""
    info = Implementation(name=name, version="1.0")
    transport = stdio_client(StdioServerParameters(command=command[0], args=command[1:]))
    if LEGACY:
        async with transport as (reading, writing):
            async with ClientSession(
                reading, writing, client_info=info, elicitation_callback=approve
            ) as session:
                await session.initialize()
                yield Connection(session)
    else:
        async with Client(
            transport, mode=mode, client_info=info, elicitation_callback=approve
        ) as client:
            yield Connection(client)


warnings.simplefilter("ignore", DeprecationWarning)
