"""Rules about single messages and headers, without memory."""

KNOWN_REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
FIRST_MODERN = "2026-07-28"
ONCE = {"host", "accept", "content-type", "content-length", "authorization", "last-event-id"}
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def first(headers, name, default=None):
    """The value of a header, by its lower-case name."""
    return next((value for key, value in headers if key == name), default)


def duplicates(headers):
    """Headers that may be there once and are there more often."""
    names = [name for name, _ in headers]
    return sorted(
        {n for n in names if names.count(n) > 1 and (n in ONCE or n.startswith("mcp-"))}
    )


def media_types(text):
    return {part.split(";")[0].strip() for part in (text or "").split(",")}


def envelope_faults(message):
    """What is wrong with a JSON-RPC message of a client, whatever it says."""
    found = []
    if message.get("jsonrpc") != "2.0":
        found.append(f"jsonrpc {message.get('jsonrpc')!r}")
    if "id" in message and (
        isinstance(message["id"], bool) or not isinstance(message["id"], (str, int))
    ):
        found.append(f"id {message['id']!r} is neither a string nor an integer")
    if "method" in message:
        known = {"jsonrpc", "id", "method", "params"}
        if not isinstance(message["method"], str):
            found.append(f"method {message['method']!r}")
        if "params" in message and not isinstance(message["params"], dict):
            found.append(f"params {str(message['params'])[:60]!r}")
    else:
        known = {"jsonrpc", "id", "result", "error"}
        if ("result" in message) == ("error" in message):
            found.append("neither request nor answer, or both result and error")
        if "error" in message:
            error = message["error"]
            if not isinstance(error, dict) or not isinstance(error.get("code"), int):
                found.append(f"error {error!r}")
    extra = set(message) - known
    if extra:
        found.append(f"members {sorted(extra)}")
    return found


def answer_faults(question, message):
    """What is wrong with a client's answer to a request of the server."""
    if "error" in message:
        return []
    return result_faults(question["method"], question.get("params") or {}, message["result"])


def result_faults(method, params, result):
    """What is wrong with the result that a client gives to a question of a server."""
    if not isinstance(result, dict):
        return [f"result {result!r} to {method}"]
    if method == "elicitation/create":
        return elicitation_faults(params, result)
    if method == "sampling/createMessage":
        content = result.get("content")
        good = (
            result.get("role") in ("user", "assistant")
            and isinstance(result.get("model"), str)
            and isinstance(content, (dict, list))
        )
        return [] if good else [f"sampling result {result!r}"]
    if method == "roots/list":
        roots = result.get("roots")
        good = isinstance(roots, list) and all(
            str(root.get("uri", "")).startswith("file://") for root in roots
        )
        return [] if good else [f"roots {roots!r}"]
    return []


def elicitation_faults(params, result):
    action, content = result.get("action"), result.get("content")
    if action not in ("accept", "decline", "cancel"):
        return [f"action {action!r}"]
    if action != "accept":
        return [] if not content else [f"content with {action}"]
    if params.get("mode", "form") != "form":
        return []
    if not isinstance(content, dict):
        return [f"accept with content {content!r}"]
    schema = params.get("requestedSchema") or {}
    properties = schema.get("properties") or {}
    found = [f"{n} is missing" for n in schema.get("required") or [] if n not in content]
    for name, value in content.items():
        if name not in properties:
            found.append(f"{name} was not asked for")
        elif not fits(value, properties[name]):
            found.append(f"{name}: {value!r} does not fit {properties[name]}")
    return found


def fits(value, schema):
    """Whether a value is of the schema's type and among its choices."""
    wanted = TYPES.get(schema.get("type"), object)
    if isinstance(value, bool) and wanted is not bool and wanted is not object:
        return False
    return isinstance(value, wanted) and value in schema.get("enum", [value])
