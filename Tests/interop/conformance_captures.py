"""The repository's captures, replayed against a strict server: no rule is broken by old recordings either."""

import glob
import json
import os
import unittest

import referee_test
from conformance import MULTIPLY
from conformance_modern import Modern
from replaying import check_accounts, replay
from scenario import check, check_none
from strict_server import Strict, serving
from venvs import ROOT


def referee(context):
    """The referee finds what it must."""
    with open(context.path("referee.txt"), "w", encoding="utf-8") as out:
        suite = unittest.defaultTestLoader.loadTestsFromModule(referee_test)
        result = unittest.TextTestRunner(stream=out).run(suite)
    check(result.wasSuccessful(), str([text for _, text in result.failures + result.errors])[:2000])


def lines(trace):
    with open(trace, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def server_for(trace):
    """A server of the recorded revision that lists the recorded tools and has an answer to each."""
    tools, revisions = {}, set()
    for line in lines(trace):
        if line["type"] == "session" and line.get("revision"):
            revisions.add(line["revision"])
        result = line.get("result") if line["type"] == "response" else None
        for tool in (result or {}).get("tools") or []:
            tools[tool["name"]] = tool

    class Recorded(Modern if max(revisions, default="") >= "2026-07-28" else Strict):
        def tools(self):
            return list(tools.values())

    return Recorded


def deletes_all(trace):
    """Whether every session that the recording has a beginning of also has its DELETE."""
    begun = {
        line["session"]
        for line in lines(trace)
        if line["type"] == "request" and line["method"] == "initialize"
    }
    ended = {
        line["session"]
        for line in lines(trace)
        if line["type"] == "http" and line["role"] == "delete"
    }
    return begun <= ended


def replayed(context, trace):
    """Replays a trace against such a server, at once and at three times the agents."""
    strict = server_for(trace)()
    with serving(strict) as port:
        strict.referee.authority = f"127.0.0.1:{port}"
        words = ["--multiply", MULTIPLY, "--time-scale", 0.1, "--allow-writes", "--no-correlation"]
        name = os.path.basename(trace).removesuffix(".mcptrace")
        summary, _, _ = replay(context, trace, port, *words, name=name, expect=(0, 2))
    check_none(strict.finish(deletes_all(trace)), f"{name}: the replay breaks rules")
    check_accounts(summary)
    check(summary["success_ratio"] == 1, f"{name}: calls failed: {summary['outcomes']}")
    context.note(f"{name} {sum(strict.seen.values())}")


def captures(context):
    """Every capture of the repository; the notes count what there was to judge."""
    found = sorted(glob.glob(os.path.join(ROOT, "captures", "*.mcptrace")))
    check(len(found) >= 4, f"captures: {found}")
    for trace in found:
        replayed(context, trace)


SCENARIOS = {"referee": referee, "strict-captures": captures}
