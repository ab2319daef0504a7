"""Handles that a server mints: recorded once, they work again because every clone takes its own.

create → use → delete with random ids, in structured content, in a sentence and in JSON inside a
text. Replayed at 50 times the agents all calls succeed; with `--no-correlation` they fail.
"""

import contextlib
import json
import os
import subprocess

from processes import read_line, running
from recorders import record_proxy
from replaying import check_accounts, check_validity, replay
from scenario import check
from trace_model import Trace

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = 6
AGENTS = 3


@contextlib.contextmanager
def handle_server(python, *options):
    """Yields the port of a server with handles of its own."""
    command = [python, os.path.join(HERE, "handle_server.py"), *options]
    with running(command, stdout=subprocess.PIPE) as process:
        line = read_line(process.stdout, "listening on", 60, "the server with handles")
        yield int(line.rsplit(":", 1)[1])


def record(context, python, client, *options, redaction=("--no-redact",)):
    """The trace of three agents that work with handles."""
    with handle_server(python, *options) as upstream:
        with record_proxy(context, upstream, *redaction) as proxy:
            command = [python, os.path.join(HERE, "handle_agents.py"), proxy.url]
            command += ["--agents", str(AGENTS), "--client", client]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}"[-3000:])
            proxy.finish()
    context.run("trace", "validate", proxy.trace)
    return proxy.trace


def check_plan(context, trace):
    """The plan says how many values flow."""
    done = context.run("replay", "plan", trace, "--json", "--allow-writes")
    plan = json.loads(done.stdout)
    check(plan["bound_calls"] == AGENTS * (CALLS - 1), f"bound calls: {plan['bound_calls']}")
    check(plan["bindings"] == AGENTS * 7, f"bindings: {plan['bindings']}")


def check_success(context, trace, target, multiply, name):
    """Every call of every clone succeeds, and the run's own trace names the values it took."""
    options = ["--multiply", multiply, "--time-scale", 4, "--allow-writes"]
    summary, recorded, done = replay(
        context, trace, target, *options, name=name, expect=(0, 2), timeout=200
    )
    check_accounts(summary)
    check_validity(context, summary, done)
    check(summary["sent"] == multiply * AGENTS * CALLS, f"sent {summary['sent']}")
    check(summary["success_ratio"] == 1, f"success {summary['success_ratio']}: {summary}"[:1500])
    check(summary["fidelity"]["chains_exact"] == 1, "chains are not exact")
    context.run("trace", "validate", recorded)
    handles = [
        (request.params or {}).get("arguments", {}).get("case")
        for session in Trace(recorded).sessions.values()
        for turn in session.turns()
        for request in turn
        if request.tool == "close_case"
    ]
    check(len(set(handles)) == multiply * AGENTS, "clones shared a handle")
    context.note(f"{multiply}x: {summary['sent']} calls, all ok")


def run(context, server, client, *options):
    """Records with one server, replays against a fresh one with and without the learned values."""
    python = context.options.pythons[server]
    trace = record(context, python, client, *options)
    check_plan(context, trace)
    with handle_server(python, *options) as target:
        check_success(context, trace, target, 50, "fifty")
        words = ["--multiply", 5, "--allow-writes", "--no-correlation"]
        summary, _, _ = replay(context, trace, target, *words, name="plain", expect=(0, 2))
        check_accounts(summary)
        check(summary["success_ratio"] < 0.5, f"without: success {summary['success_ratio']}")
        check(summary["outcomes"]["tool_error"] > 0, f"without: {summary['outcomes']}")
        context.note(f"without: {summary['success_ratio']:.2f}")


def other_version(context):
    """A trace of one SDK's server takes its values from the other's answers."""
    trace = record(context, context.options.pythons["1.30.0"], "legacy")
    with handle_server(context.options.pythons["2.3.0"]) as target:
        check_success(context, trace, target, 5, "other")


def unresolved(context):
    """A server whose answers lack the value: its users are skipped, and the result says so."""
    python = context.options.pythons["1.30.0"]
    trace = record(context, python, "legacy")
    with handle_server(python, "--nameless") as target:
        words = ["--multiply", 2, "--allow-writes"]
        summary, _, _ = replay(context, trace, target, *words, expect=2)
        check_accounts(summary)
        check(summary["skipped_by"]["unresolved"] == 2 * AGENTS * 5, f"{summary['skipped_by']}")
        check(not summary["valid"], "valid although most calls were not sent")
        reasons = " ".join(summary["reasons"])
        for word in ("/structuredContent/case/id", "open_case", "--on-unresolved"):
            check(word in reasons, f"{word} is not in the reasons: {reasons}")
        words += ["--on-unresolved", "recorded"]
        summary, _, _ = replay(context, trace, target, *words, name="recorded", expect=2)
        check(summary["skipped"] == 0, f"skipped {summary['skipped_by']}")
        check(summary["outcomes"]["tool_error"] > 0, f"recorded: {summary['outcomes']}")


def redacted(context):
    """Surrogates are replaced by live values, and none is sent where there is no such value."""
    python = context.options.pythons["1.30.0"]
    trace = record(context, python, "legacy", redaction=("--redact", "/params/arguments/case"))
    lines = [json.loads(line) for line in open(trace, encoding="utf-8")]
    hidden = [place for line in lines for place in line.get("redacted", [])]
    check(hidden == ["/arguments/case"] * 3 * AGENTS, f"surrogates at {hidden}")
    with handle_server(python) as target:
        check_success(context, trace, target, 5, "redacted")
    trace = record(context, python, "legacy", redaction=("--payloads", "shape"))
    with handle_server(python) as target:
        words = ["--multiply", 2, "--allow-writes"]
        summary, recorded, _ = replay(context, trace, target, *words, name="shape", expect=2)
        check_accounts(summary)
        # Each opens a case by a title that is no longer known, and all else needs the case.
        check(summary["skipped_by"]["unresolved"] == 2 * AGENTS * CALLS, f"{summary['skipped_by']}")
        check("less redaction" in " ".join(summary["reasons"]), f"{summary['reasons']}")
        words += ["--on-unresolved", "recorded"]
        summary, recorded, _ = replay(context, trace, target, *words, name="sent", expect=2)
        check(summary["sent"] == 2 * AGENTS * CALLS, f"sent {summary['sent']}")
        text = open(recorded, encoding="utf-8").read()
        check("it_" not in text and '"payloads":"shape"' in text, "live values in the run's trace")


SCENARIOS = {
    f"handles-{server}-{name}": lambda context, how=how: run(context, *how)
    for server, name, how in [
        ("1.30.0", "stateful", ("1.30.0", "legacy")),
        ("2.3.0", "legacy", ("2.3.0", "legacy")),
        ("2.3.0", "modern", ("2.3.0", "auto", "--stateless")),
    ]
}
SCENARIOS["handles-other-version"] = other_version
SCENARIOS["handles-unresolved"] = unresolved
SCENARIOS["handles-redacted"] = redacted
