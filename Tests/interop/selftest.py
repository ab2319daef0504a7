#!/usr/bin/env python3
"""Tests of the comparators themselves: what must be equal is, and every planted difference is found.

The trace is `selftest.mcptrace`, one agent with a search, two parallel reads and a DELETE.
"""

import copy
import json
import os
import sys
import tempfile
import unittest

from equivalence import compare
from trace_model import Trace, epoch_ns
from truth import Truth, check

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "selftest.mcptrace")


def sample():
    with open(SAMPLE, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def pick(lines, **keys):
    """The first line with those values."""
    return next(line for line in lines if all(line.get(k) == v for k, v in keys.items()))


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, lines):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return path

    def report(self, lines):
        return compare(SAMPLE, self.file("b.mcptrace", lines), tolerance_ms=5)


def renumbered(lines):
    """The same traffic as another recorder would number it."""
    for line in lines:
        for key in ("n", "re"):
            if isinstance(line.get(key), int):
                line[key] += 100
        for key in ("x", "conn"):
            if key in line:
                line[key] = 50 - line[key]
        if "after" in line:
            line["after"] = [n + 100 for n in reversed(line["after"])]
        for use in line.get("uses", []):
            use["from"] += 100
        if "session" in line:
            line["session"] = "s9"
    return lines


class Equivalence(Case):
    def test_a_trace_equals_itself(self):
        self.assertEqual(self.report(sample()).differences, [])

    def test_numbers_of_sessions_messages_exchanges_and_connections_do_not_count(self):
        self.assertEqual(self.report(renumbered(sample())).differences, [])

    def test_the_order_of_lines_does_not_count(self):
        lines = sample()
        self.assertEqual(self.report([lines[0], *reversed(lines[1:])]).differences, [])

    def test_another_zero_and_small_distances_in_time_do_not_count(self):
        lines = sample()
        lines[0]["t0"] = "2026-11-22T08:59:59.000000000Z"
        for i, line in enumerate(lines[1:]):
            for key in ("t", "sent", "done", "closed"):
                if key in line:
                    line[key] += 1_000_000_000 + i % 3 * 100_000
        self.assertEqual(self.report(lines).differences, [])

    def test_other_surrogates_do_not_count_when_they_are_used_alike(self):
        text = "\n".join(map(json.dumps, sample()))
        other = text.replace("8f2c", "aaaa").replace("kx9-Qm2v", "zzz-zzzz")
        self.assertEqual(self.report([json.loads(x) for x in other.split("\n")]).differences, [])

    def test_a_flip_that_the_times_explain_is_excused(self):
        """B saw the answer to the first read 1 ms later, after a call that A saw after it."""
        one = sample()
        call = copy.deepcopy(pick(one, n=6))
        call.update(n=12, id=9, t=7_091_000_000, turn=3, after=[9, 10], x=9, conn=3)
        del call["uses"], call["after_by"]
        answer = {**pick(one, n=5), "n": 13, "re": 12, "t": 8_000_000_000, "done": 8_000_000_000}
        one += [call, {**answer, "x": 9, "conn": 3}]
        two = copy.deepcopy(one)
        pick(two, n=10).update(t=7_090_900_000, done=7_091_500_000)
        pick(two, n=12).update(after=[9])
        a, b = self.file("a.mcptrace", one), self.file("b.mcptrace", two)
        report = compare(a, b, tolerance_ms=5)
        think = [line for line in report.differences if "think" not in line]
        self.assertEqual(think, [])
        self.assertEqual(len(report.excused), 1)


def drop(lines, **keys):
    lines.remove(pick(lines, **keys))


PLANTED = {
    "a request is missing": ("only in A", lambda t: drop(t, n=7)),
    "a response is missing": ("only in A", lambda t: drop(t, n=9)),
    "a notification is missing": ("only in A", lambda t: drop(t, n=8)),
    "the DELETE is missing": ("only in A", lambda t: drop(t, type="http")),
    "a message is there twice": ("only in B", lambda t: t.append({**pick(t, n=8), "n": 30})),
    "answers are swapped": (
        "result",
        lambda t: (pick(t, n=9).update(re=7), pick(t, n=10).update(re=6)),
    ),
    "an id is text": ("only in", lambda t: pick(t, n=4).update(id="1")),
    "an argument differs": ("only in", lambda t: pick(t, n=4)["params"]["arguments"].update(q="x")),
    "an outcome differs": ("outcome", lambda t: pick(t, n=10).update(outcome="ok")),
    "a status differs": ("status", lambda t: pick(t, n=10).update(status=500)),
    "a turn differs": ("turn", lambda t: pick(t, n=7).update(turn=3)),
    "a wait differs": ("after", lambda t: pick(t, n=7).update(after=[2])),
    "a wait is not known": ("after", lambda t: pick(t, n=7).pop("after")),
    "the reason of a wait differs": ("after", lambda t: pick(t, n=7).update(after_by="order")),
    "a use differs": (
        "uses",
        lambda t: pick(t, n=7)["uses"][0].update(path="/content/0/text#/ids/0"),
    ),
    "a use comes from elsewhere": ("uses", lambda t: pick(t, n=7)["uses"][0].update({"from": 2})),
    "the origin differs": ("origin", lambda t: pick(t, n=7).update(origin="sdk")),
    "a message is late": ("apart", lambda t: pick(t, n=5).update(t=2_440_000_000)),
    "a think time differs": ("think", lambda t: pick(t, n=6).update(think=4_500_000_000)),
    "the session ended otherwise": ("end.how", lambda t: pick(t, type="end").update(how="idle")),
    "the key is of another kind": (
        "key.by",
        lambda t: pick(t, type="end")["key"].update(by="credential"),
    ),
    "the revision differs": (
        "revision",
        lambda t: pick(t, type="session").update(revision="2025-06-18"),
    ),
    "an exchange is split": ("HTTP requests", lambda t: pick(t, n=8).update(x=77)),
    "a header value differs": (
        "Host",
        lambda t: pick(t, n=1)["headers"][0].__setitem__(1, "other"),
    ),
    "a header is missing": ("header names", lambda t: pick(t, n=1)["headers"].pop()),
    "a progress is of no call": ("re", lambda t: pick(t, n=8).update(re=6)),
    "a connection is unknown": ("connection", lambda t: drop(t, type="connection", conn=1)),
    "client bytes are missing": ("connection", lambda t: t[-2]["bytes"].update(c2s=2209)),
    "a second session": (
        "session: only in B",
        lambda t: t.append(
            {**pick(t, type="session"), "session": "s2", "key": {"by": "connection"}}
        ),
    ),
    "a session is cut in two": (
        "only in",
        lambda t: [line.update(session="s2") for line in t if line.get("n") in (6, 7, 8, 9, 10)],
    ),
}


class Planted(Case):
    def test_every_planted_difference_is_found(self):
        for name, (word, plant) in PLANTED.items():
            with self.subTest(name):
                lines = sample()
                plant(lines)
                differences = self.report(lines).differences
                self.assertTrue(any(word in line for line in differences), (word, differences))


T0 = epoch_ns("2026-11-22T09:00:00.000000000Z")


def logs():
    """What the SDK side of the sample would have logged."""
    http = [("POST", "initialize"), ("POST", "notifications/initialized")]
    http += [("POST", "tools/call")] * 3 + [("DELETE", None)]
    server = [
        {
            "event": "http",
            "status": 200,
            "rpc": {"method": method},
            "answer_session": "8f2c…surrogate" if method == "initialize" else None,
        }
        for _, method in http
    ]
    calls = [
        (1, 0, "search", {"q": "broken login"}, "ok", 2400, 2432),
        (2, 1, "read", {"id": "T-71"}, "ok", 7030, 7047),
        (3, 1, "read", {"id": "T-88"}, "tool_error", 7032, 7091),
    ]
    clients = []
    for number, turn, tool, arguments, kind, sent, heard in calls:
        call = {"event": "call", "tool": tool, "arguments": arguments}
        server.append({**call, "id": number})
        times = {"send_ns": T0 + sent * 1_000_000, "recv_ns": T0 + heard * 1_000_000}
        clients.append({**call, "agent": "planner", "turn": turn, "kind": kind, **times})
    return server, clients


def think_longer(clients):
    """As late and as early as the clocks allow, which is longer than the trace's think time."""
    clients[0]["recv_ns"] = T0 + 2_430_000_000
    clients[1]["send_ns"] = T0 + 7_032_900_000
    clients[2]["send_ns"] = T0 + 7_034_900_000


MISMATCHED = {
    "a request that the trace lacks": ("HTTP requests", lambda s, c: s.insert(0, {**s[1]})),
    "a session more": (
        "sessions with id",
        lambda s, c: s[1].update(rpc={"method": "initialize"}, answer_session="b"),
    ),
    "an execution more": ("executed", lambda s, c: s.append({**s[-1]})),
    "other arguments": ("turn 0", lambda s, c: c[0].update(arguments={})),
    "another turn": ("turn", lambda s, c: c[2].update(turn=2)),
    "another outcome": ("turn 1", lambda s, c: c[2].update(kind="ok")),
    "another agent": ("sessions", lambda s, c: [line.update(agent="other") for line in c]),
    "earlier times": ("outside", lambda s, c: c[0].update(recv_ns=T0)),
    "more thinking": ("thought", lambda s, c: think_longer(c)),
}


class TruthCheck(Case):
    def wrong(self, server, clients, lines=None):
        paths = self.file("s.jsonl", server), self.file("c.jsonl", clients)
        trace = self.file("t.mcptrace", lines or sample())
        return check(Trace(trace), Truth(*paths))

    def test_the_sample_is_what_happened(self):
        self.assertEqual(self.wrong(*logs()), [])

    def test_every_mismatch_is_found(self):
        for name, (word, plant) in MISMATCHED.items():
            with self.subTest(name):
                server, clients = logs()
                plant(server, clients)
                wrong = self.wrong(server, clients)
                self.assertTrue(any(word in line for line in wrong), (word, wrong))

    def test_a_think_time_that_does_not_add_up_is_found(self):
        lines = sample()
        pick(lines, n=7)["think"] += 1
        wrong = self.wrong(*logs(), lines)
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn("think is not", wrong[0])

    def test_a_wait_for_too_little_is_found(self):
        server, clients = logs()
        last = {"event": "call", "tool": "read", "arguments": {"id": "T-1"}, "agent": "planner"}
        times = {"send_ns": T0 + 8_000_000_000, "recv_ns": T0 + 8_002_000_000}
        clients.append({**last, "turn": 2, "kind": "ok", **times})
        server.append({**last, "id": 4})
        server.insert(0, dict(server[1]))
        lines = sample()
        call = {**pick(lines, n=6), "n": 20, "id": 4, "turn": 3, "t": 8_001_000_000, "x": 8}
        call.update(
            params={"name": "read", "arguments": {"id": "T-1"}}, after=[9], think=954_980_000
        )
        answer = {
            **pick(lines, n=9),
            "n": 21,
            "re": 20,
            "t": 8_001_500_000,
            "done": 8_001_500_000,
            "x": 8,
        }
        wrong = self.wrong(server, clients, [*lines, call, answer])
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn("after should hold [9, 10]", wrong[0])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
