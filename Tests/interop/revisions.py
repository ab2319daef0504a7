"""A recording of one revision, replayed against a server that speaks another one alone.

With sessions (2025-11-25, mcp 1.30.0, which knows nothing newer) and stateless (2026-07-28, mcp
2.3.0, which is made to refuse all else): handles, questions to the client, subscriptions, log
levels and given-up calls have their counterparts; what has none is counted by name.
"""

import collections
import contextlib
import os
import subprocess

import handles
from processes import read_line, running
from recorders import record_proxy
from replaying import PROBE, check_accounts, check_validity, read_summary, replay
from scenario import check
from trace_model import Trace
from truth import lines

HERE = os.path.dirname(os.path.abspath(__file__))
AGENTS = 3
MULTIPLY = 4
STATELESS = "2026-07-28"
WITH_SESSIONS = "2025-11-25"
META = "io.modelcontextprotocol/"


@contextlib.contextmanager
def revision_server(python, log, *options):
    """Yields the port of a server of one revision."""
    command = [python, os.path.join(HERE, "revision_server.py"), "--log", log, *options]
    with running(command, stdout=subprocess.PIPE) as process:
        line = read_line(process.stdout, "listening on", 60, "the server of one revision")
        yield int(line.rsplit(":", 1)[1])


def record(context, server, client, mode, log, *options):
    """The trace of three agents that use what differs between revisions."""
    python = context.options.pythons
    with revision_server(python[server], log, *options) as upstream:
        with record_proxy(context, upstream, "--no-redact") as proxy:
            command = [python[client], os.path.join(HERE, "revision_agents.py"), proxy.url]
            command += ["--agents", str(AGENTS), "--client", mode]
            done = subprocess.run(command, capture_output=True, text=True, timeout=90)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}"[-3000:])
            proxy.finish()
    context.run("trace", "validate", proxy.trace)
    return proxy.trace


def stories(log):
    """What happened to each case, in order; parallel decisions are told by name."""
    told = collections.defaultdict(list)
    for line in lines(log, "call"):
        what = {k: v for k, v in line.items() if k not in ("event", "case")}
        told[line["case"]].append(tuple(sorted((k, str(v)) for k, v in what.items())))
    for case, story in told.items():
        both = [part for part in story if ("tool", "decide") in part]
        first = story.index(both[0]) if both else 0
        rest = [part for part in story if part not in both]
        told[case] = tuple(rest[:first] + sorted(both) + rest[first:])
    return collections.Counter(told.values())


def replayed(log):
    """Requests of the log but those by which the target was asked what it speaks."""
    theirs = [line for line in lines(log, "http") if not is_probe(line["rpc"] or {})]
    # Of a session that was only opened and ended again, to ask, there is nothing else.
    asking = ("notifications/initialized", None)
    mine = {
        line["headers"].get("mcp-session-id")
        for line in theirs
        if line["verb"] == "GET" or line["verb"] == "POST" and line["rpc"].get("method") not in asking
    }
    return [line for line in theirs if line["headers"].get("mcp-session-id") in mine]


def is_probe(rpc):
    params = rpc.get("params") or {}
    info = params.get("clientInfo") or (params.get("_meta") or {}).get(META + "clientInfo")
    return (info or {}).get("name") == PROBE


def methods(log):
    """How often each method (or HTTP verb without one) came, with its status."""
    return collections.Counter(
        ((line["rpc"] or {}).get("method") or line["verb"], line["status"])
        for line in replayed(log)
        if (line["rpc"] or {}).get("method") or line["verb"] != "POST"
    )


def check_told(context, trace, target, log, recorded, revision):
    """Replays and checks all that is the same in both directions; returns the summary."""
    options = ["--multiply", MULTIPLY, "--allow-writes"]
    summary, again, done = replay(context, trace, target, *options, expect=(0, 2), timeout=120)
    check_accounts(summary)
    check_validity(context, summary, done)
    outcomes, agents = summary["outcomes"], MULTIPLY * AGENTS
    calls = summary["plan"]["calls"]
    check(summary["sent"] == calls, f"sent {summary['sent']} of {calls}: {summary['skipped_by']}")
    given_up = sum(
        request.tool == "slow"
        for session in Trace(trace).sessions.values()
        for turn in session.turns()
        for request in turn
    )
    check(outcomes["cancelled"] == MULTIPLY * given_up, f"outcomes {outcomes}")
    check(outcomes["ok"] == calls - MULTIPLY * given_up, f"outcomes {outcomes}")
    check(summary["new_error_ratio"] == 0, f"new errors {summary['new_error_ratio']}")
    check(summary["fidelity"]["chains_exact"] == 1, "chains are not exact")
    told = summary["revisions"]
    check(told["told"] == {revision: AGENTS}, f"told {told}")
    check(revision in done.stderr, f"nothing said of the revision: {done.stderr}")
    wanted = collections.Counter({s: MULTIPLY * n for s, n in stories(recorded).items()})
    found = stories(log)
    check(
        wanted == found,
        f"missing {list(wanted - found)[:1]}, too many {list(found - wanted)[:1]}",
    )
    context.run("trace", "validate", again)
    context.note(f"{summary['sent']} calls of {agents} agents; not sent: {told['untold']}")
    return summary


def check_untold(summary, names):
    wanted = {name: MULTIPLY * AGENTS * count for name, count in names.items()}
    found = summary["revisions"]["untold"]
    check(found == wanted, f"without counterpart {found}, not {wanted}")


def to_stateless(context, client):
    """Recorded with sessions, replayed against a server that has none."""
    recorded, log = context.path("recorded.jsonl"), context.path("fresh.jsonl")
    trace = record(context, "1.30.0", client, "legacy", recorded)
    python = context.options.pythons["2.3.0"]
    with revision_server(python, log, "--only-stateless") as target:
        summary = check_told(context, trace, target, log, recorded, STATELESS)
    check_untold(summary, {"ping": 1, "DELETE": 1})
    levels = collections.Counter()
    for line in replayed(log):
        rpc, headers = line["rpc"], line["headers"]
        meta = rpc["params"]["_meta"]
        check(line["verb"] == "POST", f"{line['verb']} reached a server without sessions")
        check("mcp-session-id" not in headers, f"a session id in {rpc['method']}")
        check(headers["mcp-method"] == rpc["method"], f"{headers} of {rpc['method']}")
        check(meta[META + "clientInfo"]["name"].startswith("agent-"), f"client {meta}")
        check("elicitation" in meta[META + "clientCapabilities"], f"capabilities {meta}")
        if rpc["method"] == "tools/call":
            check(headers["mcp-name"] == rpc["params"]["name"], f"name {headers}")
            levels[meta.get(META + "logLevel")] += 1
            if rpc["params"]["name"] == "ship":
                region = headers.get("mcp-param-region")
                check(region == "=?base64?esO8cmljaA==?=", f"region in the header: {region}")
    check(set(levels) == {"warning"}, f"log levels {levels}")
    seen, agents = methods(log), MULTIPLY * AGENTS
    check(seen[("server/discover", 200)] == agents, f"methods {seen}")
    # The stream of the session, and the resource.
    check(seen[("subscriptions/listen", 200)] == 2 * agents, f"methods {seen}")
    check(all(status in (200, None) for _, status in seen), f"refused: {seen}")


def to_sessions(context):
    """Recorded without sessions, replayed against a server that knows nothing else."""
    recorded, log = context.path("recorded.jsonl"), context.path("fresh.jsonl")
    trace = record(context, "2.3.0", "2.3.0", "auto", recorded, "--only-stateless")
    with revision_server(context.options.pythons["1.30.0"], log) as target:
        summary = check_told(context, trace, target, log, recorded, WITH_SESSIONS)
    check_untold(summary, {})
    seen, agents = methods(log), MULTIPLY * AGENTS
    for wanted in [
        ("initialize", 200), ("notifications/initialized", 202), ("GET", 200), ("DELETE", 200),
        ("logging/setLevel", 200), ("resources/subscribe", 200), ("notifications/cancelled", 202),
    ]:  # fmt: skip
        check(seen[wanted] == agents, f"{wanted}: {seen[wanted]} times, not {agents}: {seen}")
    for line in replayed(log):
        params = (line["rpc"] or {}).get("params") or {}
        stray = [k for k in params.get("_meta") or {} if k.startswith(META)]
        check(not stray, f"{stray} in a request of a session")
        names = [name for name in line["headers"] if name.startswith(("mcp-method", "mcp-param"))]
        check(not names, f"{names} in a request of a session")
    check([line["level"] for line in lines(log, "level")] == ["warning"] * agents, "log levels")


def to_processes(context):
    """Recorded without sessions, replayed with a process for each agent that knows nothing else."""
    python = context.options.pythons
    trace = handles.record(context, python["2.3.0"], "auto", "--stateless")
    script, result = os.path.join(HERE, "handle_server.py"), context.path("stdio.json")
    again = context.path("stdio.mcptrace")
    context.run(
        "replay", "run", trace, "--stdio", f"{python['1.30.0']} {script} --stdio", "--multiply", 2,
        "--allow-writes", "--summary", result, "--record", again, expect=(0, 2), timeout=120,
    )  # fmt: skip
    summary = read_summary(result)
    check_accounts(summary)
    check(summary["revisions"]["told"] == {WITH_SESSIONS: handles.AGENTS}, f"{summary}"[:900])
    check(summary["success_ratio"] == 1, f"success {summary['success_ratio']}: {summary}"[:900])
    check(summary["sent"] == 2 * handles.AGENTS * handles.CALLS, f"sent {summary['sent']}")
    check(summary["requests"].get("initialize") == 2 * handles.AGENTS, f"{summary['requests']}")
    context.run("trace", "validate", again)


def as_recorded(context):
    """A target that speaks both is spoken to as in the recording."""
    recorded = context.path("recorded.jsonl")
    trace = record(context, "2.3.0", "2.3.0", "auto", recorded)
    log = context.path("fresh.jsonl")
    with revision_server(context.options.pythons["2.3.0"], log) as target:
        summary, _, _ = replay(context, trace, target, "--allow-writes", expect=(0, 2))
    check(summary["revisions"]["told"] == {}, f"told {summary['revisions']}")
    check(summary["revisions"]["recorded"] == {STATELESS: AGENTS}, f"{summary['revisions']}")
    check(stories(recorded) == stories(log), "the stories differ")


SCENARIOS = {
    "revision-1.30.0-to-stateless": lambda context: to_stateless(context, "1.30.0"),
    "revision-2.3.0-to-stateless": lambda context: to_stateless(context, "2.3.0"),
    "revision-to-sessions": to_sessions,
    "revision-to-processes": to_processes,
    "revision-as-recorded": as_recorded,
}
