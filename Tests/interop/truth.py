#!/usr/bin/env python3
"""Is the trace what happened? A trace against the logs of the SDK's server and clients.

    truth.py T.mcptrace --server server.jsonl --clients agents.jsonl

Checked: the HTTP requests, the sessions with ids, and per agent its tools/call by turn with
arguments and outcomes, the JSON-RPC ids, that each call's times lie inside what the client measured,
that think times are the client's, and that the calls of a turn wait for all answers of the turn
before. An agent is found by the client name of its session.
"""

import argparse
import collections
import json
import sys

from trace_model import Trace

# The client's clock is read before the SDK builds the request and after it parsed the answer.
SLACK_NS = 2_000_000


def lines(path, event=None, skip=0):
    with open(path, encoding="utf-8") as file:
        found = [json.loads(line) for line in file][skip:]
    return [line for line in found if event in (None, line["event"])]


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


class Truth:
    """What the SDK side says of one run."""

    def __init__(self, server, clients, skip=0):
        self.http = lines(server, "http", skip)
        self.executed = lines(server, "call", skip)
        self.called = lines(clients, "call")

    def sessions(self):
        """Ids of the sessions that an accepted initialize made."""
        return {
            line["answer_session"]
            for line in self.http
            if line["rpc"].get("method") == "initialize" and line["status"] == 200
        } - {None}

    def agents(self):
        return sorted({line["agent"] for line in self.called})

    def in_flight_together(self):
        """Whether the server had all calls of each turn before it answered the first of them.

        Only then the turns can be told from outside: a call that leaves late, after an answer to a
        sibling, cannot be told from one that waited for that answer.
        """
        for agent in self.agents():
            for turn in self.turns(agent):
                spans = [span for line in turn for span in self.executions(line)]
                if max(start for start, _ in spans) >= min(end for _, end in spans):
                    return False
        return True

    def executions(self, line):
        """When the server may have executed a call of the client: (start, end), in doubt several."""
        return [
            (done["start_ns"], done["end_ns"])
            for done in self.executed
            if (done["tool"], done["arguments"]) == (line["tool"], line["arguments"])
            and line["send_ns"] <= done["start_ns"] <= done["end_ns"] <= line["recv_ns"]
        ]

    def turns(self, agent):
        """The agent's calls by turn, as lists of log lines."""
        turns = {}
        for line in self.called:
            if line["agent"] == agent:
                turns.setdefault(line["turn"], []).append(line)
        return [turns[turn] for turn in sorted(turns)]


def told(line):
    """A call of the client's log as the trace should have it."""
    return (line["tool"], canonical(line["arguments"]), line["kind"])


def final(session, request):
    """The response that ended a call: that of the last request that resumes it."""
    by_start = {r.line["continues"]: r for r in session.requests() if "continues" in r.line}
    while request.n in by_start:
        request = by_start[request.n]
    return session.response(request)


def seen(session, request):
    response = final(session, request)
    arguments = (request.params or {}).get("arguments") or {}
    return (request.tool, canonical(arguments), response.outcome if response else "no response")


def check(trace, truth):
    """The differences between a trace and the truth; empty when they agree."""
    wrong = []
    numbers = trace.exchange_numbers()
    if len(numbers) != len(truth.http):
        wrong.append(f"HTTP requests: {len(numbers)} in the trace, {len(truth.http)} at the server")
    explicit = [s for s in trace.sessions.values() if s.key.get("by") == "mcp-session-id"]
    if len(explicit) != len(truth.sessions()):
        wrong.append(
            f"sessions with id: {len(explicit)} in the trace, {len(truth.sessions())} made"
        )
    if (trace.header.get("redaction") or {}).get("mode") in (None, "none"):
        values = {session.key.get("value") for session in explicit}
        if values != truth.sessions():
            wrong.append(
                f"session ids: {sorted(values)} in the trace, made {sorted(truth.sessions())}"
            )
    wrong += check_ids(trace, truth)
    by_client = collections.defaultdict(list)
    for session in trace.sessions.values():
        if session.requests("tools/call"):
            by_client[session.client].append(session)
    for agent in truth.agents():
        found = by_client.pop(agent, [])
        if len(found) != 1:
            wrong.append(f"{agent}: {len(found)} sessions ({[s.name for s in found]}), not one")
        else:
            wrong += check_agent(agent, found[0], truth.turns(agent), trace)
    for client, found in by_client.items():
        wrong.append(f"sessions of no agent: client {client}: {[s.name for s in found]}")
    return wrong


def check_ids(trace, truth):
    """Every execution at the server is one tools/call with that id, tool and arguments."""
    executed = collections.Counter(
        (str(line["id"]), line["tool"], canonical(line["arguments"])) for line in truth.executed
    )
    recorded = collections.Counter(
        (str(r.id), r.tool, canonical((r.params or {}).get("arguments") or {}))
        for session in trace.sessions.values()
        for r in session.requests("tools/call")
    )
    return [f"executed but not recorded: {key}" for key in (executed - recorded)] + [
        f"recorded but not executed: {key}" for key in (recorded - executed)
    ]


def check_agent(agent, session, turns, trace):
    """One agent's turns against one session."""
    where = f"{agent} = {session.name}"
    recorded = session.turns()
    want = [sorted(told(line) for line in turn) for turn in turns]
    have = [sorted(seen(session, request) for request in turn) for turn in recorded]
    if want != have:
        for number, (one, other) in enumerate(zip(want, have)):
            if one != other:
                return [f"{where}: turn {number}: the agent {one}, the trace {other}"]
        return [f"{where}: {len(want)} turns of the agent, {len(have)} in the trace"]
    wrong = []
    for number, (turn, requests) in enumerate(zip(turns, recorded)):
        wrong += check_times(f"{where} turn {number}", session, turn, requests)
        if number:
            wrong += check_waits(f"{where} turn {number}", session, requests, recorded[number - 1])
            wrong += check_think(
                f"{where} turn {number}", session, requests, turns[number - 1], turn
            )
    return wrong


def check_times(where, session, turn, requests):
    wrong, waiting = [], list(turn)
    for request in requests:
        same = [line for line in waiting if told(line) == seen(session, request)]
        response = final(session, request)
        fits = [
            line
            for line in same
            if line["send_ns"] - SLACK_NS <= request.at
            and response.at <= line["recv_ns"] + SLACK_NS
            and request.at <= response.at <= (response.ended or response.at)
        ]
        if fits:
            waiting.remove(fits[0])
        else:
            measured = [(line["send_ns"], line["recv_ns"]) for line in same]
            wrong.append(
                f"{where}: {request.brief()} answered {response.brief()}: "
                f"{request.at} to {response.at} lies outside {measured}"
            )
    return wrong


def check_waits(where, session, requests, before):
    """`after` holds the answers to all calls of the turn before, and to no other calls."""
    by_n = session.by_n()
    want = sorted(final(session, request).n for request in before)
    wrong = []
    for request in requests:
        answers = [by_n.get(n) for n in request.after or []]
        if None in answers:
            wrong.append(f"{where}: after names no message: {request.brief()}")
            continue
        calls = [a.n for a in answers if a.kind == "response" and by_n[a.re].method == "tools/call"]
        if sorted(calls) != want:
            wrong.append(f"{where}: after should hold {want}: {request.brief()}")
    return wrong


def check_think(where, session, requests, before, turn):
    """Think time runs from the last answer awaited to the request, and holds the agent's own.

    Between the two the SDK works too, for as long as a busy machine makes it.
    """
    by_n, wrong = session.by_n(), []
    for request in requests:
        answers = [by_n[n].ended for n in request.after or [] if n in by_n and by_n[n].ended]
        if not answers or request.think != request.at - max(answers):
            wrong.append(f"{where}: think is not t minus the last done of after: {request.brief()}")
    first = min(requests, key=lambda request: request.at)
    thought = min(line["send_ns"] for line in turn) - max(line["recv_ns"] for line in before)
    if (first.think or 0) < thought - SLACK_NS:
        wrong.append(f"{where}: the agent thought {thought} ns: {first.brief()}")
    return wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trace")
    parser.add_argument("--server", required=True)
    parser.add_argument("--clients", required=True)
    arguments = parser.parse_args()
    truth = Truth(arguments.server, arguments.clients)
    wrong = check(Trace(arguments.trace), truth)
    print("\n".join(wrong) or "as it happened")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
