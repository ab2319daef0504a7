"""Agents that name no session: each call is given to its agent, and each handle to its answer.

The agents say in `x-agent` who they are; the recorder infers nothing from that header.
"""

import collections
import json
import os
import subprocess

from processes import Failure, read_line, running
from recorders import record_proxy
from scenario import check

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = {"own-credential": 0.99, "own-client": 0.99, "equal": 0.95}
HANDLES = ("workspace", "case")


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def agents(python, url, variant, count, *options):
    """Runs the agents; none of their calls may fail."""
    script = os.path.join(HERE, "case_agents.py")
    command = [python, script, url, "--variant", variant, "--agents", str(count), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if done.returncode:
        raise Failure(f"the agents failed: {done.stdout[-500:]} {done.stderr[-1500:]}")


def case_server(python):
    command = [python, os.path.join(HERE, "case_server.py")]
    return running(command, stdout=subprocess.PIPE)


def port_of(server):
    return int(read_line(server.stdout, "listening on", 60, "the server").rsplit(":", 1)[1])


class Attribution:
    """Which agent's calls each session of a trace holds."""

    def __init__(self, lines):
        self.keys = {line["session"]: line["key"] for line in lines if line["type"] == "end"}
        self.agents = collections.defaultdict(collections.Counter)
        for line in calls(lines):
            headers = {name.lower(): value for name, value in line["headers"]}
            self.agents[line["session"]][headers["x-agent"]] += 1

    def right(self):
        """Share of calls that are in the session which holds most of their agent's."""
        best = collections.Counter()
        for counts in self.agents.values():
            agent, count = counts.most_common(1)[0]
            best[agent] = max(best[agent], count)
        return sum(best.values()) / sum(sum(c.values()) for c in self.agents.values())

    def claimed(self):
        """Sessions claimed at 0.9 or more, and how many of them are one agent's."""
        sure = [c for s, c in self.agents.items() if self.keys[s]["confidence"] >= 0.9]
        return len(sure), sum(len(c) == 1 for c in sure)


def calls(lines):
    for line in lines:
        if line["type"] == "request" and line["dir"] == "c2s" and line["method"] == "tools/call":
            yield line


def flow(lines):
    """Uses that were found, those that are right, and those there are: by where handles came from."""
    answers = {(a["session"], a["n"]): a for a in lines if a["type"] == "response"}
    found = right = there = 0
    for call in calls(lines):
        arguments = call["params"].get("arguments") or {}
        wanted = {f"/arguments/{name}": arguments[name] for name in HANDLES if name in arguments}
        there += len(wanted)
        for use in call.get("uses", []):
            if not use["at"].startswith("/arguments/"):
                continue
            found += 1
            value = wanted.get(use["at"])
            answer = answers.get((call["session"], use["from"]), {})
            right += value is not None and value in json.dumps(answer.get("result"))
    return found, right, there


def record(context, version, variant, *options):
    python = context.options.pythons[version]
    with case_server(python) as server:
        with record_proxy(context, port_of(server), "--no-redact") as proxy:
            agents(python, proxy.url, variant, 50, *options)
            proxy.finish()
            return lines_of(proxy.trace)


def judge(context, variant, lines):
    """What a trace of fifty agents must get right."""
    attribution = Attribution(lines)
    right, (claimed, pure) = attribution.right(), attribution.claimed()
    found, hits, there = flow(lines)
    context.note(
        f"{right:.2%} of calls right, {pure} of {claimed} sure sessions pure,"
        f" uses {hits} of {found} right of {there}"
    )
    check(right >= VARIANTS[variant], f"only {right:.2%} of calls have the right agent")
    check(pure >= 0.98 * claimed, f"{claimed} sessions claimed at 0.9 or more, {pure} pure")
    check(hits >= 0.98 * found, f"{found} uses, {hits} right")
    check(hits >= 0.98 * there, f"{there} handles passed back, {hits} found")


def told_apart(context, version, variant):
    """Fifty agents at once, told apart by what they have of their own."""
    judge(context, variant, record(context, version, variant))


def honest(context, version):
    """Where nothing tells agents apart the sessions say so."""
    attribution = Attribution(record(context, version, "equal", "--loose"))
    claimed, pure = attribution.claimed()
    context.note(f"{attribution.right():.2%} of calls right, {pure} of {claimed} sure sessions pure")
    check(pure >= 0.98 * claimed, f"{claimed} sessions claimed at 0.9 or more, {pure} pure")


SCENARIOS = {}
for _version in ("1.30.0", "2.3.0"):
    for _variant in VARIANTS:
        SCENARIOS[f"agents-{_version}-{_variant}"] = (
            lambda context, version=_version, variant=_variant: told_apart(
                context, version, variant
            )
        )
    SCENARIOS[f"agents-{_version}-in-doubt"] = lambda context, version=_version: honest(
        context, version
    )
