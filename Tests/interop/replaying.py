"""Replays of a trace: the result's own arithmetic, and what the server under load saw."""

import collections
import json
import os
import urllib.request

from scenario import check, check_none
from trace_model import Trace
from truth import canonical, lines

OUTCOMES = ["ok", "tool_error", "jsonrpc_error", "http_error", "transport_error", "timeout"]
# The client by which a replay asks a target what it speaks.
PROBE = "replay"
OUTCOMES += ["cancelled", "session_lost", "unanswered"]


def replay(context, trace, target, *options, expect=0, name="replay", timeout=60):
    """Runs `replay run` and returns its summary and its own trace's path."""
    summary, recorded = context.path(f"{name}.json"), context.path(f"{name}.mcptrace")
    done = context.run(
        "replay", "run", trace, "--target", f"http://127.0.0.1:{target}/mcp", "--seed", 7,
        "--summary", summary, "--record", recorded, *options, expect=expect, timeout=timeout,
    )  # fmt: skip
    return read_summary(summary), recorded, done


def read_summary(path):
    """Results are always written, whatever happened in the run."""
    check(os.path.exists(path), "no summary was written")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def report(port):
    """What the referee in front of an SDK server found."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/referee", timeout=10) as answer:
        return json.load(answer)


def check_accounts(summary):
    """plan.calls = sent + skipped + aborted, and the outcomes add up to what was sent."""
    sent, skipped, aborted = (summary.get(key) for key in ("sent", "skipped", "aborted"))
    check(
        None not in (sent, skipped, aborted), f"sent, skipped, aborted are {sent, skipped, aborted}"
    )
    planned = summary["plan"]["calls"]
    check(
        planned == sent + skipped + aborted,
        f"{planned} calls planned, but {sent} sent, {skipped} skipped, {aborted} aborted",
    )
    outcomes = summary["outcomes"]
    unknown = set(outcomes) - set(OUTCOMES)
    check(not unknown, f"unknown outcomes {unknown}")
    check(sum(outcomes.values()) == sent, f"{sent} calls sent, outcomes {outcomes}")


def check_replay(context, trace, target, log, multiply):
    """A replay against a fresh server with the same data makes the recorded calls `multiply` times."""
    options = ["--multiply", multiply, "--time-scale", 0.5, "--allow-writes"]
    summary, recorded, done = replay(context, trace.path, target, *options, expect=(0, 2))
    check_none(report(target)["violations"], "the replay breaks rules")
    check_accounts(summary)
    check_validity(context, summary, done)
    calls = [
        call for session in trace.sessions.values() for turn in session.turns() for call in turn
    ]
    for key, value in {
        "plan.calls": multiply * len(calls),
        "sent": multiply * len(calls),
        "new_error_ratio": 0,
        "success_ratio": 1,
        "fidelity.chains_exact": 1,
    }.items():
        found = summary
        for part in key.split("."):
            found = found[part]
        check(found == value, f"summary {key} is {found}, not {value}: {summary['outcomes']}")
    check_server(trace, log, multiply)
    context.run("trace", "validate", recorded)
    check_chains(trace, Trace(recorded), multiply)
    context.note(f"replay {summary['sent']} calls, lag max {summary['lag_ms']['max']:.1f} ms")


def check_validity(context, summary, done):
    """A run may be invalid for lag alone, on a machine too busy to keep the schedule."""
    check(
        summary["valid"] == (done.returncode == 0),
        f"valid {summary['valid']}, exit {done.returncode}",
    )
    if summary["valid"]:
        return
    reasons = summary["reasons"]
    late = reasons and all("lag" in reason.lower() for reason in reasons)
    check(late, f"the replay is not valid: {reasons}")
    check(not context.options.strict_timing, f"the replay lagged: {reasons}")
    context.note("INVALID FOR LAG")


def check_server(trace, log, multiply):
    """The server's own log has the recorded calls and sessions, each `multiply` times."""
    wanted, found = collections.Counter(), collections.Counter()
    for session in trace.sessions.values():
        for turn in session.turns():
            for request in turn:
                arguments = (request.params or {}).get("arguments") or {}
                wanted[(request.tool, canonical(arguments))] += multiply
    for line in lines(log, "call"):
        if line["kind"] != "input_required":
            found[(line["tool"], canonical(line["arguments"]))] += 1
    check(
        wanted == found, f"missing {list(wanted - found)[:5]}, too many {list(found - wanted)[:5]}"
    )
    wanted, found = collections.Counter(), collections.Counter()
    for message in trace.messages():
        if message.kind == "request" and message.method == "initialize":
            wanted["initialize"] += multiply
        elif message.kind == "http" and message.role in ("stream-open", "delete"):
            wanted[message.method] += multiply
    asked = {
        line["answer_session"] for line in lines(log, "http") if line["rpc"].get("client") == PROBE
    }
    for line in lines(log, "http"):
        if line["rpc"].get("client") == PROBE or line["session"] and line["session"] in asked:
            continue
        if line["rpc"].get("method") == "initialize":
            found["initialize"] += 1
        elif line["verb"] in ("GET", "DELETE"):
            found[line["verb"]] += 1
    check(wanted == found, f"session traffic: wanted {dict(wanted)}, the server saw {dict(found)}")


def chain(session):
    """A session's calls: turns in order, the calls of one turn as a set."""
    return tuple(
        tuple(sorted((r.tool, canonical((r.params or {}).get("arguments") or {})) for r in turn))
        for turn in session.turns()
    )


def check_chains(trace, again, multiply):
    """Every session of the replay's own trace has the chain of a recorded one."""
    wanted = collections.Counter()
    for session in trace.sessions.values():
        if session.turns():
            wanted[chain(session)] += multiply
    found = collections.Counter(chain(s) for s in again.sessions.values() if s.turns())
    missing, extra = wanted - found, found - wanted
    check(
        not missing and not extra, f"chains missing {list(missing)[:2]}, too many {list(extra)[:2]}"
    )
