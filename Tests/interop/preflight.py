"""`replay preflight`: each distinct read-only call of a recording once against an SDK server."""

import collections
import contextlib
import json
import os
import signal
import subprocess

from processes import running, sdk_server
from scenario import check
from truth import canonical, lines
from venvs import ROOT
from weather_replay import wait_for_calls

TRACE = os.path.join(ROOT, "captures", "parallel-three-agents.mcptrace")
# Of its 17 calls two write, and one read is made twice.
DISTINCT = 14
UNKNOWN = "agent 2"


def preflight(context, port, *options, expect=0):
    """Runs `replay preflight --json` and returns what it found."""
    target = f"http://127.0.0.1:{port}/mcp"
    words = ["replay", "preflight", TRACE, "--target", target, "--json", *options]
    return json.loads(context.run(*words, expect=expect).stdout)


def executed(log):
    """What the server was called for, with counts."""
    return collections.Counter(
        (line["tool"], canonical(line["arguments"])) for line in lines(log, "call")
    )


def same_data(context):
    """A server with the recorded data passes, and sees each distinct read-only call once."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["2.3.0"], log) as (_, target):
        found = preflight(context, target)
    check(found["passed"] and found["counts"]["ok_ok"] == DISTINCT, f"found {found}")
    check(found["writes"] == {"create_note": 2}, f"writes: {found['writes']}")
    calls = executed(log)
    check(len(calls) == DISTINCT and set(calls.values()) == {1}, f"the server saw {calls}")
    check(not any(tool == "create_note" for tool, _ in calls), "a note was written")


def other_data(context):
    """What the server does not know is named, and what needs it is not sent; a map cures it."""
    log = context.path("server.jsonl")
    python = context.options.pythons["1.30.0"]
    with sdk_server(python, log, "--without", UNKNOWN) as (_, target):
        found = preflight(context, target, expect=1)
        [failure] = found["failures"]
        arguments = {"query": UNKNOWN, "limit": 3}
        check(failure["tool"] == "search" and failure["arguments"] == arguments, f"{failure}")
        check("nothing is known of agent 2" in failure["message"], f"it says {failure['message']}")
        # Three reads and a search take ids from what it would have found.
        reasons = [call["reason"] for call in found["unsent"]]
        check(reasons == ["unresolved"] * 4, f"not sent: {found['unsent']}")
        check(found["complete"], "an answer without a value is an answer")
        found = preflight(context, target, "--skip", "search")
        check(len(found["blocked"]) == DISTINCT - 5, f"without searches: {found}")
        values = context.path("values.csv")
        with open(values, "w", encoding="utf-8") as file:
            file.write(f"search,/arguments/query,{UNKNOWN},agent 7\n")
        found = preflight(context, target, "--map", values)
    check(found["passed"] and found["counts"]["ok_ok"] == DISTINCT, f"with a map: {found}")


@contextlib.contextmanager
def asking_slowly(context, port, log):
    """A preflight of one session at a time, three calls of which were made."""
    words = [context.binary("replay"), "preflight", TRACE, "--json", "--agents", "1"]
    words += ["--target", f"http://127.0.0.1:{port}/mcp"]
    with running(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        wait_for_calls(log, 3)
        yield asking


def target_dies(context):
    """A server that dies on the way is told from one with other data."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["1.30.0"], log, "--service", 200) as (process, target):
        with asking_slowly(context, target, log) as asking:
            process.kill()
            out, told = asking.communicate(timeout=30)
    check(asking.returncode == 2, f"ended with {asking.returncode}: {told.decode()[-800:]}")
    found = json.loads(out)
    check(not found["complete"] and not found["failures"], f"found {found}")
    check(found["counts"]["ok_ok"] >= 2, f"what went well before is lost: {found}")
    total = found["counts"]["sent"] + found["counts"]["unsent"]
    check(total == DISTINCT, f"{total} of {DISTINCT} calls have an end")


def interrupted(context):
    """Ctrl-C drains: exit 130, and what is known so far is printed."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["1.30.0"], log, "--service", 200) as (_, target):
        with asking_slowly(context, target, log) as asking:
            asking.send_signal(signal.SIGINT)
            out, told = asking.communicate(timeout=30)
    check(asking.returncode == 130, f"ended with {asking.returncode}: {told.decode()[-800:]}")
    found = json.loads(out)
    check(found["interrupted"] and not found["passed"], f"found {found}")
    sent = found["counts"]["sent"]
    check(3 <= sent < DISTINCT and len(found["unsent"]) == DISTINCT - sent, f"found {found}")
    check(sum(executed(log).values()) == sent, "the server saw another number of calls")


SCENARIOS = {
    "preflight-same-data": same_data,
    "preflight-other-data": other_data,
    "preflight-target-dies": target_dies,
    "preflight-interrupted": interrupted,
}
