"""Rules of revision 2026-07-28: metadata in every request, mirrored in headers, and no sessions."""

import base64
import binascii
import json

from referee_rules import first, result_faults

PREFIX = "io.modelcontextprotocol/"
VERSION = PREFIX + "protocolVersion"
CAPABILITIES = PREFIX + "clientCapabilities"
CLIENT = PREFIX + "clientInfo"
NAMES = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
GONE = {
    "initialize",
    "notifications/initialized",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "notifications/roots/list_changed",
    "tasks/result",
    "tasks/list",
}


def meta(message):
    """The metadata of a message; empty where there is none."""
    params = (message or {}).get("params")
    found = params.get("_meta") if isinstance(params, dict) else None
    return found if isinstance(found, dict) else {}


def decoded(value):
    """What a header says, and whether it says it in base64."""
    if not (value.startswith("=?base64?") and value.endswith("?=") and len(value) >= 11):
        return value, False
    return base64.b64decode(value[9:-2], validate=True).decode("utf-8"), True


def needs_base64(text):
    """Text that no header can hold as it is."""
    plain = all(0x20 <= ord(c) <= 0x7E for c in text)
    looks_coded = text.startswith("=?base64?") and text.endswith("?=")
    return not plain or text != text.strip(" ") or looks_coded


def value_faults(name, header, value):
    """What is wrong with a header that mirrors a value of the body."""
    wanted = (
        value
        if isinstance(value, str)
        else json.dumps(value)
        if isinstance(value, (bool, int))
        else None
    )
    if wanted is None:
        return [f"{name} is {header!r}, and {value!r} is not to be mirrored"]
    if header is None:
        return [f"no {name}, and the body says {value!r}"]
    try:
        said, coded = decoded(header)
    except (ValueError, binascii.Error):
        return [f"{name} is {header!r}, which is no base64 of UTF-8"]
    found = []
    if said != wanted:
        found.append(f"{name} says {said!r}, the body {wanted!r}")
    if needs_base64(wanted) and not coded:
        found.append(f"{name} is {header!r}, and its value wants base64")
    return found


def annotated(schema, path=()):
    """(path of the argument, header name) for every `x-mcp-header` in an input schema."""
    for key, property_schema in (schema.get("properties") or {}).items():
        if isinstance(property_schema, dict):
            if "x-mcp-header" in property_schema:
                yield (*path, key), property_schema["x-mcp-header"]
            yield from annotated(property_schema, (*path, key))


def at(value, path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def likeness(params):
    """What stays the same over the rounds of one call."""
    kept = {k: v for k, v in params.items() if k not in ("inputResponses", "requestState", "_meta")}
    return json.dumps(kept, sort_keys=True)


class Memory:
    """What the server has said that a later request must agree with."""

    def __init__(self):
        self.schemas = {}
        self.states = {}
        self.stateless = {}
        self.cursors = {}

    def request(self, exchange, seen):
        """Returns what is wrong with a request."""
        found = []
        if exchange.verb != "POST":
            return [f"{exchange.verb} in a revision without sessions"]
        for name in ("mcp-session-id", "last-event-id"):
            if first(exchange.headers, name) is not None:
                found.append(f"header {name} in a revision without sessions")
        message = exchange.message
        if message is None:
            return found
        method, params = message.get("method"), message.get("params") or {}
        if method is None:
            return found + ["a client posts no answers in this revision"]
        seen[method] += 1
        if method in GONE:
            found.append("a method that this revision does not have")
        found += self.metadata(exchange, method, message, seen)
        found += self.mirrored(exchange, method, params, seen)
        if "id" in message:
            found += self.rounds(method, params, message, seen)
        if "cursor" in params:
            seen["cursor"] += 1
            if params["cursor"] not in self.cursors.get(method, ()):
                found.append(f"cursor {params['cursor']!r} was never given for {method}")
        return found

    def metadata(self, exchange, method, message, seen):
        found, given = [], meta(message)
        header = first(exchange.headers, "mcp-protocol-version")
        said = first(exchange.headers, "mcp-method")
        if said != method:
            found.append(f"Mcp-Method {said!r}, the body {method!r}")
        seen["Mcp-Method"] += 1
        if header is None:
            found.append("no MCP-Protocol-Version")
        if "id" not in message:
            # Notifications have metadata where their sender wants it.
            return found
        seen["metadata"] += 1
        if given.get(VERSION) != header:
            found.append(f"MCP-Protocol-Version {header!r}, _meta {given.get(VERSION)!r}")
        if not isinstance(given.get(CAPABILITIES), dict) or not all(
            isinstance(value, dict) for value in given[CAPABILITIES].values()
        ):
            found.append(f"client capabilities {given.get(CAPABILITIES)!r}")
        info = given.get(CLIENT)
        if not isinstance(info, dict) or not info.get("name") or "version" not in info:
            found.append(f"client info {info!r}")
        return found

    def mirrored(self, exchange, method, params, seen):
        found = []
        name = first(exchange.headers, "mcp-name")
        if method in NAMES:
            seen["Mcp-Name"] += 1
            found += value_faults("Mcp-Name", name, params.get(NAMES[method]))
        elif name is not None:
            found.append(f"Mcp-Name {name!r} with {method}")
        given = {k: v for k, v in exchange.headers if k.startswith("mcp-param-")}
        if method == "tools/call":
            schema = self.schemas.get(params.get("name"), {})
            for path, header in annotated(schema):
                value = at(params.get("arguments"), path)
                text = given.pop("mcp-param-" + header.lower(), None)
                if value is None:
                    if text is not None:
                        found.append(f"Mcp-Param-{header} for an argument that is not there")
                    continue
                seen["Mcp-Param"] += 1
                seen["base64"] += text is not None and text.startswith("=?base64?")
                found += value_faults(f"Mcp-Param-{header}", text, value)
        return found + [f"header {name}, which no schema asks for" for name in given]

    def rounds(self, method, params, message, seen):
        """The rounds of a call that was answered `input_required`."""
        state, answers = params.get("requestState"), params.get("inputResponses")
        if "requestState" not in params and "inputResponses" not in params:
            return []
        if "requestState" in params:
            seen["requestState"] += 1
            question = self.states.pop(state, None) if isinstance(state, str) else None
            if question is None:
                return [f"requestState {str(state)[:60]!r} was never given, or is used twice"]
        else:
            waiting = self.stateless.get((method, likeness(params))) or []
            if not waiting:
                return ["inputResponses without a question, or without its requestState"]
            question = waiting.pop(0)
        found = []
        if question["method"] != method or question["likeness"] != likeness(params):
            found.append(f"requestState of {question['method']} {question['likeness'][:80]}")
        if question["id"] == message["id"]:
            found.append("another round has the id of the one before")
        wanted = question["requests"]
        if set(answers or {}) != set(wanted):
            found.append(f"answers {sorted(answers or {})}, the questions {sorted(wanted)}")
        for key in set(answers or {}) & set(wanted):
            asked = wanted[key]
            seen[f"answer to {asked['method']}"] += 1
            found += result_faults(asked["method"], asked.get("params") or {}, answers[key])
        return found

    def said(self, exchange, message):
        """Takes a message of the server."""
        asked = exchange.message or {}
        result = message.get("result") if isinstance(message, dict) else None
        if not isinstance(result, dict):
            return
        method, params = asked.get("method"), asked.get("params") or {}
        if method == "tools/list":
            for tool in result.get("tools") or []:
                self.schemas[tool["name"]] = tool.get("inputSchema") or {}
        if "nextCursor" in result:
            self.cursors.setdefault(method, set()).add(result["nextCursor"])
        if result.get("resultType") == "input_required":
            question = {
                "method": method,
                "likeness": likeness(params),
                "id": asked.get("id"),
                "requests": result.get("inputRequests") or {},
            }
            if "requestState" in result:
                self.states[result["requestState"]] = question
            else:
                self.stateless.setdefault((method, likeness(params)), []).append(question)

    def finish(self):
        """Questions that nobody came back to."""
        left = list(self.states.values()) + [q for w in self.stateless.values() for q in w]
        return [f"{q['method']} {q['likeness'][:80]}: the question was not answered" for q in left]
