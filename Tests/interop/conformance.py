"""Conformance of the replay as a client: SDK servers behind a referee that holds it to every rule.

An SDK client is recorded through `record proxy` with the same referee watching, so that a rule that
real clients break would show there first; then the trace is replayed at three times the agents
against a fresh server. The replay breaks no rule, and gives each rule as many chances.
"""

import contextlib
import json
import os
import subprocess

from ports import free_port
from processes import read_line, running
from recorders import record_proxy
from replaying import check_accounts, check_validity, replay, report
from scenario import check, check_none

HERE = os.path.dirname(os.path.abspath(__file__))
MULTIPLY = 3
ANSWER = '{"colour": "red", "count": 2}'
# What depends on the moment: how often a stream is taken up, and what the SDK asks on its own.
LOOSE = {"host", "Last-Event-ID", "session id", "version header", "credential"}

BASICS = [
    ["list"],
    ["together", [["call", "add", {"a": 1, "b": 2}], ["call", "add", {"a": 3, "b": 4}]]],
    ["read", "data://list"], ["read", "data://item/größe"],
    ["resources"], ["templates"], ["prompts"], ["prompt", "greet", {"name": "a"}],
]  # fmt: skip
QUESTIONS = [["call", "order", {"what": "x"}], ["call", "poem", {}], ["call", "roots", {}]]
HEADERS = [
    ["call", "route", {"region": "us-west1", "text": "größe", "size": 3}],
    ["call", "route", {"region": " padded ", "text": "=?base64?literal?=", "size": -7}],
    ["call", "route", {"region": "two\nlines", "text": "a b", "size": 42, "dry": True}],
    ["call", "route", {"region": "", "text": "\ttab", "size": 0, "dry": False}],
    ["call", "place", {"name": "city"}],
    ["call", "enter", {"where": "place=city"}],
    ["call", "place", {"name": "hall"}],
    ["call", "enter", {"where": "place=hall"}],
]
CANCEL = [["cancel", "wait", {"seconds": 2.0}, 0.3]]
PING = [["ping"]]
DROP = [["call", "drop", {}]]


@contextlib.contextmanager
def strict_server(python, *options):
    """Yields the port of an SDK server behind a referee."""
    command = [python, os.path.join(HERE, "strict_sdk_server.py"), *options]
    with running(command, stdout=subprocess.PIPE) as process:
        line = read_line(process.stdout, "listening on", 60, "the strict SDK server")
        yield int(line.rsplit(":", 1)[1])


def run_agent(context, python, url, client, steps, *options):
    """An SDK client takes the steps."""
    command = [python, os.path.join(HERE, "strict_agent.py"), url, "--client", client]
    command += ["--steps", json.dumps(steps), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"the SDK's client failed: {done.stdout}{done.stderr}"[-2500:])


def record(context, server, client, how, steps, options=(), agent=()):
    """Records an SDK client with an SDK server; returns the trace and what the referee saw."""
    pythons, port = context.options.pythons, free_port()
    # Clients name the recorder as their host.
    options = [*options, "--authority", f"127.0.0.1:{port}"]
    with strict_server(pythons[server], *options) as upstream:
        with record_proxy(context, upstream, port=port) as proxy:
            run_agent(context, pythons[client], proxy.url, how, steps, "--answer", ANSWER, *agent)
            proxy.finish()
        found = report(upstream)
    context.run("trace", "validate", proxy.trace)
    check_none(found["violations"], "the SDK's own client breaks rules")
    return proxy.trace, found["seen"]


def check_replayed(context, trace, seen, server, options=(), loose=LOOSE):
    """Replays the trace at three times the agents; nothing is violated and nothing is left out."""
    with strict_server(context.options.pythons[server], *options) as port:
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        summary, recorded, done = replay(context, trace, port, *words, expect=(0, 2))
        found = report(port)
    check_none(found["violations"], "the replay breaks rules")
    check_accounts(summary)
    check_validity(context, summary, done)
    context.run("trace", "validate", recorded)
    check(summary["new_error_ratio"] == 0, f"errors: {summary['outcomes']}")
    check(not found["open"], f"sessions without DELETE: {found['open']}")
    keys = (set(seen) | set(found["seen"])) - loose
    check_none(
        [
            f"{key}: {found['seen'].get(key, 0)} times, not {MULTIPLY * seen.get(key, 0)}"
            for key in sorted(keys)
            if found["seen"].get(key, 0) != MULTIPLY * seen.get(key, 0)
        ],
        "the replay does not do what was recorded",
    )
    context.note(f"{sum(found['seen'].values())} rules held, {summary['sent']} calls")
    return found["seen"]


def legacy(context, version, mode):
    """A revision with sessions, or a stateless server of it."""
    steps, options = list(BASICS), ["--mode", mode]
    if mode == "sse":
        steps += QUESTIONS + DROP + CANCEL + PING
        options += ["--events", "200"]
    if mode == "json":
        steps += PING
    trace, seen = record(context, version, version, "legacy", steps, options)
    # Without sessions nothing tells whose a notification is, and the replay's question has one too.
    loose = LOOSE | {"notifications/initialized"} if mode == "stateless" else LOOSE
    found = check_replayed(context, trace, seen, version, options, loose=loose)
    if mode == "sse":
        check(found["Last-Event-ID"] >= MULTIPLY, f"streams were not taken up: {found}")


def modern(context, mode):
    """Revision 2026-07-28: metadata, mirrored headers, questions in results, a subscription."""
    steps = BASICS + QUESTIONS + HEADERS + CANCEL + [["listen", 0.2]]
    trace, seen = record(context, "2.3.0", "2.3.0", "auto", steps, ["--mode", mode])
    for rule in ("Mcp-Param", "base64", "requestState", "answer to roots/list"):
        check(seen.get(rule), f"nothing to judge {rule} by: {seen}")
    check_replayed(context, trace, seen, "2.3.0", ["--mode", mode])


SCENARIOS = {
    f"strict-{version}-{mode}": lambda context, how=(version, mode): legacy(context, *how)
    for version in ("1.30.0", "2.3.0")
    for mode in ("sse", "json", "stateless")
}
SCENARIOS |= {
    f"strict-modern-{mode}": lambda context, mode=mode: modern(context, mode)
    for mode in ("sse", "json")
}
