"""Calls that are answered with a task: polled until the task is over, however long it takes this time."""

import collections
import contextlib
import os
import subprocess

from processes import read_line, running
from recorders import record_proxy
from replaying import check_accounts, check_validity, replay, report
from scenario import check, check_none
from trace_model import Trace
from truth import lines

HERE = os.path.dirname(os.path.abspath(__file__))
AGENTS = 2
MULTIPLY = 3
RECORDED = 1.6


@contextlib.contextmanager
def task_server(context, log, work):
    """Yields the port of a server whose tasks take `work` seconds."""
    script = os.path.join(HERE, "task_server.py")
    command = [context.options.pythons["1.30.0"], script, "--log", log, "--work", work]
    with running(command, stdout=subprocess.PIPE) as process:
        line = read_line(process.stdout, "listening on", 60, "the server with tasks")
        yield int(line.rsplit(":", 1)[1])


def record(context):
    with task_server(context, context.path("recorded.jsonl"), RECORDED) as upstream:
        with record_proxy(context, upstream, "--no-redact") as proxy:
            command = [context.options.pythons["1.30.0"], os.path.join(HERE, "task_agents.py")]
            command += [proxy.url, "--agents", str(AGENTS)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}"[-3000:])
            proxy.finish()
        check_none(report(upstream)["violations"], "the SDK's own client breaks rules")
    context.run("trace", "validate", proxy.trace)
    return proxy.trace


def calls(log):
    return collections.Counter(line["tool"] for line in lines(log, "call"))


def polls(log):
    """Polls of each session."""
    return collections.Counter(
        line["session"] for line in lines(log, "http") if line["rpc"].get("method") == "tasks/get"
    )


def run(context, work, more):
    """Tasks that take another time than in the recording take another number of polls."""
    trace, log = record(context), context.path("fresh.jsonl")
    recorded = polls(context.path("recorded.jsonl")).values()
    with task_server(context, log, work) as target:
        options = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        summary, again, done = replay(context, trace, target, *options, expect=(0, 2))
        check_none(report(target)["violations"], "the replay breaks rules")
    check_accounts(summary)
    check_validity(context, summary, done)
    agents = MULTIPLY * AGENTS
    check(summary["sent"] == 4 * agents, f"sent {summary['sent']}")
    check(summary["success_ratio"] == 1, f"success {summary['success_ratio']}: {summary}"[:1500])
    check(summary["fidelity"]["chains_exact"] == 1, "chains are not exact")
    wanted = {"dig": agents, "ask": agents, "look": 2 * agents}
    check(calls(log) == wanted, f"the server saw {calls(log)}")
    for line in lines(log, "call"):
        check(line.get("content", {"deeper": True}) == {"deeper": True}, f"answered {line}")
    found = polls(log)
    check(len(found) == agents, f"polled by {len(found)} of {agents} agents")
    least, most = min(found.values()), max(found.values())
    fits = least > max(recorded) if more else most < min(recorded)
    check(fits, f"{least} to {most} polls, recorded {sorted(recorded)}")
    total = sum(found.values())
    check(summary["requests"]["tasks/get"] == total, f"{summary['requests']}, {total} polls")
    longest = summary["tools"]["dig"]["latency_ms"]["max"]
    check(longest >= work * 1000, f"a call of {longest} ms whose task takes {work} s")
    context.run("trace", "validate", again)
    kinds = [
        request.method
        for session in Trace(again).sessions.values()
        for request in session.requests("tasks/get")
    ]
    check(len(kinds) == total, f"{len(kinds)} polls in the run's own trace, not {total}")
    context.note(f"{least} to {most} polls, recorded {sorted(recorded)}")


def endless(context):
    """A task that does not end is waited for as long as it took then and --call-timeout more."""
    trace, log = record(context), context.path("fresh.jsonl")
    with task_server(context, log, 3600) as target:
        options = ["--allow-writes", "--call-timeout", "2s"]
        summary, _, _ = replay(context, trace, target, *options, expect=(0, 2))
    check_accounts(summary)
    check(summary["outcomes"]["timeout"] == AGENTS, f"outcomes {summary['outcomes']}")
    check(summary["tools"]["dig"]["outcomes"]["timeout"] == AGENTS, f"{summary['tools']}")
    longest = summary["tools"]["dig"]["latency_ms"]["max"]
    check(2000 < longest < 8000, f"given up after {longest} ms")


SCENARIOS = {
    "tasks-slower": lambda context: run(context, 3.2, True),
    "tasks-at-once": lambda context: run(context, 0.05, False),
    "tasks-endless": endless,
}
