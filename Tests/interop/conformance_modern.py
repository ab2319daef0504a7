"""The published list of client behaviour, for revision 2026-07-28: metadata, headers, request state."""

import json
import secrets

from conformance_list import play, same
from scenario import check
from strict_server import Strict

SDK = ("2.3.0", "auto")


def tool(name, **properties):
    schema = {"type": "object", "properties": properties}
    return {"name": name, "inputSchema": schema, "annotations": {"readOnlyHint": True}}


def mirrored(kind, header):
    return {"type": kind, "x-mcp-header": header}


class Modern(Strict):
    """A server of revision 2026-07-28 alone."""

    revision = "2026-07-28"
    stateful = False


class Standard(Modern):
    """Names that headers repeat, some of which no header can hold as they are."""

    def tools(self):
        reference = tool("by-reference", far={"$ref": "http://127.0.0.1:1/schema.json#/far"})
        # Nobody is to fetch what a schema refers to.
        reference["inputSchema"]["properties"]["near"] = {"$ref": self.elsewhere}
        return [tool("my-hyphenated-tool"), tool("größe"), reference]

    elsewhere = "/schema.json"


def standard_headers(context):
    """`Mcp-Method` on all, `Mcp-Name` where there is a name, both as the body says."""
    steps = [
        ["list"],
        ["call", "my-hyphenated-tool", {}], ["call", "größe", {}], ["call", "by-reference", {}],
        ["resources"], ["read", "file:///path/to/file%20name.txt"],
        ["read", "https://example.com/resource?id=123"], ["read", "data://größe"],
        ["prompts"], ["prompt", "greet", {"name": "a"}], ["prompt", "begrüßen", {"name": "b"}],
    ]  # fmt: skip
    one, other = play(context, Standard, steps, *SDK)
    same(one, other, "Mcp-Method", "Mcp-Name", "metadata", "server/discover", "tools/call")


class Custom(Modern):
    """Arguments that want headers, at any depth and of every kind."""

    def tools(self):
        names = ["region", "method", "empty", "script", "padded", "leading", "trailing", "inner"]
        names += ["control", "crlf", "tab", "coded", "token"]
        deep = {"type": "object", "properties": {"city": mirrored("string", "City")}}
        return [
            tool(
                "mirrored",
                **{name: mirrored("string", name.capitalize()) for name in names},
                priority=mirrored("integer", "Priority"),
                below=mirrored("integer", "Below-Zero"),
                verbose=mirrored("boolean", "Verbose"),
                debug=mirrored("boolean", "Debug"),
                absent=mirrored("string", "Absent"),
                place=deep,
                query={"type": "string"},
            )
        ]


VALUES = {
    "region": "us-west1",
    "method": "test-method",
    "empty": "",
    "script": "Hello, 世界",
    "padded": " padded ",
    "leading": " us-west1",
    "trailing": "us-west1 ",
    "inner": "us west 1",
    "control": "line1\nline2",
    "crlf": "line1\r\nline2",
    "tab": "\tindented",
    "coded": "=?base64?literal?=",
    "token": "kx9fA7cQ2mZ8",
    "priority": 42,
    "below": -7,
    "verbose": False,
    "debug": True,
    "place": {"city": "zürich", "street": "no header"},
    "query": "SELECT * FROM users",
}


def custom_headers(context):
    """`Mcp-Param-*` for every annotated argument, in base64 where the value wants it, none for null."""
    steps = [
        ["list"],
        ["call", "mirrored", VALUES],
        ["call", "mirrored", {"region": "us-east1", "verbose": None, "query": "SELECT 1"}],
    ]
    one, other = play(context, Custom, steps, *SDK)
    same(one, other, "Mcp-Param", "base64")
    check(one.seen["Mcp-Param"] == len(VALUES), f"headers to judge: {one.seen}")


def question(number):
    params = {
        "message": f"Confirm {number}?",
        "requestedSchema": {
            "type": "object",
            "properties": {"colour": {"type": "string"}, "count": {"type": "integer"}},
        },
    }
    return {f"confirm-{number}": {"method": "elicitation/create", "params": params}}


class Rounds(Modern):
    """Tools that need several rounds: with state and questions, or with only one of them."""

    def tools(self):
        names = ["echo-state", "no-state", "state-only", "changing", "unrelated"]
        return [tool(name) for name in names]

    def call(self, request):
        name, params = request.params["name"], request.params
        begun = "inputResponses" in params or "requestState" in params
        # The exact text counts, and JSON written anew would be another.
        state = json.dumps({"nonce": secrets.token_hex(8), "text": 'zürich "x" \\ /\u2028'}, indent=1)
        if name == "echo-state" and not begun:
            self.input_required(request, inputRequests=question(1), requestState=state)
        elif name == "no-state" and not begun:
            self.input_required(request, inputRequests=question(1))
        elif name == "state-only" and not begun:
            self.input_required(request, requestState=state)
        elif name == "changing" and "confirm-2" not in (params.get("inputResponses") or {}):
            number = 2 if begun else 1
            self.input_required(request, inputRequests=question(number), requestState=state)
        else:
            self.complete(request)

    def complete(self, request):
        request.text("done")

    def input_required(self, request, **content):
        request.result(**{"resultType": "input_required", **content})


class Untyped(Rounds):
    """Leaves `resultType` out, which then means complete; the SDK's client wants it."""

    def complete(self, request):
        request.json(result={"content": [{"type": "text", "text": "done"}]})


def request_state(context):
    """`requestState` comes back byte for byte, is never invented, and stays with its call."""
    steps = [
        ["list"],
        ["call", "echo-state", {}], ["call", "no-state", {}], ["call", "state-only", {}],
        ["call", "changing", {}],
        ["together", [["call", "echo-state", {}], ["call", "unrelated", {}]]],
    ]  # fmt: skip
    one, other = play(context, Rounds, steps, *SDK, against=Untyped)
    same(one, other, "requestState", "answer to elicitation/create", "tools/call")


class Streaming(Modern):
    """Answers calls with streams: progress, comments, the answer, and more events than that."""

    def call(self, request):
        stream = request.events()
        token = (request.params.get("_meta") or {}).get("progressToken")
        stream.raw(": a comment\r\n\r\n")
        for step in range(2):
            params = {"progressToken": token, "progress": step}
            stream.message({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
        stream.raw("event: unknown\ndata: {}\n\n")
        stream.result(content=[{"type": "text", "text": "done"}], resultType="complete")
        stream.end()


def streams(context):
    """The server chooses between JSON and events, call by call."""
    one, other = play(context, Streaming, [["list"], ["call", "echo", {}]], *SDK)
    same(one, other, "tools/call")


SCENARIOS = {
    "client-standard-headers": standard_headers,
    "client-custom-headers": custom_headers,
    "client-request-state": request_state,
    "client-modern-streams": streams,
}
