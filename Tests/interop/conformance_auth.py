"""Authorization: SDK servers with a token verifier, which only tokens of their own run open."""

import json
import re
import urllib.parse
import urllib.request

from conformance import MULTIPLY, PING, QUESTIONS, record, strict_server
from replaying import check_accounts, replay, report
from scenario import check, check_none

STEPS = [["list"], ["call", "add", {"a": 1, "b": 2}], *QUESTIONS[:1]]


def token(port):
    """A token of the server's authorization server."""
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/token", form, timeout=10) as answer:
        return json.load(answer)["access_token"]


def recorded(context, version, how):
    """The trace of an SDK client that meets a 401, finds the authorization server and comes back."""
    steps = STEPS + (PING if how == "legacy" else [])
    trace, seen = record(context, version, version, how, steps, ["--oauth"], ["--oauth"])
    with open(trace, encoding="utf-8") as file:
        text = file.read()
    check(not re.search("at_[0-9a-f]{24}", text), "the recorded token is in the trace")
    check('"retry_of"' in text, "the repeated request is not tied to the one that met the 401")
    return trace, seen


def authorized(context, version, how):
    """With a token of its own each request of the replay has it; what led to it is not repeated."""
    trace, seen = recorded(context, version, how)
    with strict_server(context.options.pythons[version], "--oauth") as port:
        live = token(port)
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        words += ["--header", f"Authorization: Bearer {live}"]
        summary, again, _ = replay(context, trace, port, *words, expect=(0, 2))
        found = report(port)
    check_none(found["violations"], "the replay breaks rules")
    check_accounts(summary)
    check(summary["success_ratio"] == 1, f"calls failed: {summary['outcomes']}")
    requests = found["seen"]["host"]
    check(found["seen"]["credential"] == requests, "requests without the token")
    paths = [key for key in found["seen"] if key.startswith("GET /")]
    check(not paths, f"the replay looks for an authorization server: {paths}")
    for key in ("tools/call", "tools/list", "Mcp-Name", "requestState", "DELETE", "ping"):
        more, wanted = found["seen"].get(key, 0), MULTIPLY * seen.get(key, 0)
        check(more == wanted, f"{key}: {more} times, not {wanted}")
    with open(again, encoding="utf-8") as file:
        check(live not in file.read(), "the token is in the replay's own trace")
    context.note(f"{requests} requests with the token")


def unauthorized(context):
    """Without a token the recorded one is not tried: a 401 each, and nothing more."""
    trace, _ = recorded(context, "1.30.0", "legacy")
    with strict_server(context.options.pythons["1.30.0"], "--oauth") as port:
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        summary, _, _ = replay(context, trace, port, *words, expect=(0, 1, 2))
        found = report(port)
    check_none(found["violations"], "the replay breaks rules")
    check_accounts(summary)
    check(summary["sent"] == 0, f"calls were sent: {summary['outcomes']}")
    check(found["seen"] == {"host": MULTIPLY}, f"more than an initialize each: {found['seen']}")


def expired(context):
    """A token that ends in mid-run: errors by name, no storm of repetitions."""
    trace, seen = recorded(context, "1.30.0", "legacy")
    with strict_server(
        context.options.pythons["1.30.0"], "--oauth", "--token-uses", str(3 * MULTIPLY)
    ) as port:
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        words += ["--header", f"Authorization: Bearer {token(port)}"]
        summary, _, _ = replay(context, trace, port, *words, expect=(0, 1, 2))
        found = report(port)
    check_accounts(summary)
    failed = summary["outcomes"]["http_error"]
    check(failed > 0, f"nobody noticed that the token had ended: {summary['outcomes']}")
    most = MULTIPLY * seen["host"]
    check(found["seen"]["host"] <= most, f"{found['seen']['host']} requests, not {most} at most")


SCENARIOS = {
    "auth-1.30.0": lambda context: authorized(context, "1.30.0", "legacy"),
    "auth-2.3.0": lambda context: authorized(context, "2.3.0", "legacy"),
    "auth-modern": lambda context: authorized(context, "2.3.0", "auto"),
    "auth-missing": unauthorized,
    "auth-expired": expired,
}
