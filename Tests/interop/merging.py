"""Replicas behind a load balancer: each recorder saw a part of every agent, and their traces are one again.

The same fifty agents as in `inference.py`, through a round-robin to two recording proxies that share a
key. Clients of 1.30 open a connection for each call and are balanced by connection; those of 2.3 keep
theirs and are balanced by request.
"""

import contextlib
import datetime
import json
import os
import secrets
import subprocess
import sys

from inference import VARIANTS, agents, case_server, judge, lines_of, port_of
from processes import read_line, running
from recorders import record_proxy
from scenario import check

HERE = os.path.dirname(os.path.abspath(__file__))
PER = {"1.30.0": "connection", "2.3.0": "request"}


@contextlib.contextmanager
def balancer(ports, per):
    command = [sys.executable, os.path.join(HERE, "balancer.py"), *map(str, ports), "--per", per]
    with running(command, stdout=subprocess.PIPE) as process:
        yield int(read_line(process.stdout, "listening on", 60, "the balancer").rsplit(":", 1)[1])


def trace(context, *words):
    done = subprocess.run([context.binary("trace"), *words], capture_output=True, text=True)
    check(done.returncode == 0, f"trace {words[0]}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stderr


def record(context, version, variant):
    """The traces of both recorders."""
    python, key = context.options.pythons[version], context.path("key")
    with open(key, "wb") as file:
        file.write(secrets.token_bytes(32))
    with case_server(python) as server:
        upstream, options = port_of(server), ("--redaction-key", key)
        with record_proxy(context, upstream, *options, trace="a.mcptrace") as one:
            with record_proxy(context, upstream, *options, trace="b.mcptrace") as two:
                with balancer([one.port, two.port], PER[version]) as port:
                    agents(python, f"http://127.0.0.1:{port}/mcp", variant, 50)
                two.finish()
            one.finish()
    return one.trace, two.trace


def moved(path, by, seconds):
    """A copy of a trace by a clock that is off."""
    with open(path, encoding="utf-8") as file:
        first, rest = file.readline(), file.read()
    header = json.loads(first)
    at = datetime.datetime.fromisoformat(header["t0"][:19]) + datetime.timedelta(seconds=seconds)
    header["t0"] = at.isoformat() + header["t0"][19:]
    with open(by, "w", encoding="utf-8") as file:
        file.write(json.dumps(header, separators=(",", ":")) + "\n" + rest)
    return by


def judge_parts(context, variant, path, parts):
    trace(context, "validate", path)
    lines = lines_of(path)
    calls = [sum(is_call(line) for line in lines_of(part)) for part in parts]
    check(min(calls) > 0.3 * sum(calls), f"the recorders saw {calls} calls: no round-robin")
    told = sum(is_call(line) for line in lines)
    check(told == sum(calls), f"{told} calls of {calls}")
    judge(context, variant, lines)


def is_call(line):
    return line["type"] == "request" and line["method"] == "tools/call"


def merged(context, version, variant):
    """Two recorders' views of fifty agents are one."""
    parts = record(context, version, variant)
    whole = context.path("all.mcptrace")
    trace(context, "merge", *parts, "--reinfer", "--output", whole)
    check(all(c["offset"] == 0 for c in lines_of(whole)[0]["clocks"]), "a clock was right, and moved")
    judge_parts(context, variant, whole, parts)


def by_wrong_clocks(context, version, variant):
    """The same where one recorder's clock is three seconds late."""
    one, two = record(context, version, variant)
    late = moved(two, context.path("late.mcptrace"), 3)
    whole = context.path("all.mcptrace")
    context.note(trace(context, "merge", one, late, "--reinfer", "--output", whole).strip())
    offset = lines_of(whole)[0]["clocks"][1]["offset"]
    check(abs(offset + 3_000_000_000) < 100_000_000, f"the clock was put right by {offset} ns")
    judge_parts(context, variant, whole, (one, two))


SCENARIOS = {}
for _version in PER:
    for _variant in VARIANTS:
        SCENARIOS[f"merge-{_version}-{_variant}"] = (
            lambda context, version=_version, variant=_variant: merged(context, version, variant)
        )
    SCENARIOS[f"merge-{_version}-clocks"] = lambda context, version=_version: by_wrong_clocks(
        context, version, "own-client"
    )
