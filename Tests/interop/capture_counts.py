"""The captures of the repository hold what their README says, and the tools count the same."""

import json
import os
import re

from scenario import check
from trace_model import Trace
from venvs import ROOT

CAPTURES = os.path.join(ROOT, "captures")
COUNTS = ["agents", "sessions", "http_requests", "connections", "tools_calls"]


def table():
    """The rows of the README's table: capture name to its counts."""
    with open(os.path.join(CAPTURES, "README.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `([\w.-]+\.pcap)` \|[^|]*\|(.*)\|$", file.read(), re.MULTILINE)
    return {
        name: dict(zip(COUNTS, map(int, cells.split("|")), strict=True)) for name, cells in rows
    }


def counted(trace):
    """The same counts of a trace."""
    explicit = [s for s in trace.sessions.values() if s.key.get("by") == "mcp-session-id"]
    used = {line["conn"] for line in trace.lines if "x" in line and "conn" in line}
    return {
        "agents": len({session.client for session in trace.sessions.values()}),
        "sessions": len(explicit),
        "http_requests": len(trace.exchange_numbers()),
        "connections": len(used),
        "tools_calls": sum(len(s.requests("tools/call")) for s in trace.sessions.values()),
    }


def check_stats(context, path):
    """`trace stats --json` counts what is in the trace."""
    trace, told = Trace(path), json.loads(context.run("trace", "stats", path, "--json").stdout)
    want = counted(trace)
    for key in ("http_requests", "tools_calls"):
        check(told[key] == want[key], f"stats: {key} {told[key]}, the trace has {want[key]}")
    check(
        told["sessions_explicit"] == want["sessions"],
        f"stats: {told['sessions_explicit']} sessions",
    )
    chains = sum(chain["count"] for chain in told["chains"])
    calling = sum(1 for session in trace.sessions.values() if session.turns())
    check(chains == calling, f"stats: {chains} chains, {calling} sessions with calls")


def run(context):
    found = sorted(name for name in os.listdir(CAPTURES) if name.endswith(".pcap"))
    check(found == sorted(table()), f"captures {found}, the README has {sorted(table())}")
    for name, want in table().items():
        output = context.path(f"{name}.mcptrace")
        context.run("record", "pcap", os.path.join(CAPTURES, name), "--output", output)
        context.run("trace", "validate", output)
        have = counted(Trace(output))
        check(have == want, f"{name}: the README says {want}, the trace has {have}")
        check_stats(context, output)
