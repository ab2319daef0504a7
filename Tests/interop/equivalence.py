#!/usr/bin/env python3
"""Same traffic, same trace: do two recordings of the same bytes say the same?

    equivalence.py A.mcptrace B.mcptrace [--tolerance-ms 50]

The same sessions, messages, order per direction, pairing, chains and uses; times agree within the
tolerance. Session names, `n`, `x` and `conn` may be numbered otherwise: sessions are matched by the
place of their first message on the wire (connection and exchange), else by key; messages by what
they are. Where one trace saw two messages in the other order than the other, what follows from that
order alone (`after`, `turn`) may differ too: such differences are listed as excused.
Surrogates of two recordings have different keys: a credential must map to the same one throughout.
"""

import argparse
import json
import sys

from pairing import match_messages, match_sessions
from trace_model import Trace

SIBLING_GAP_NS = 20_000_000
# Compared after mapping, by time, or not at all because they only number things.
SPECIAL = {"type", "session", "n", "t", "sent", "done", "think", "re", "after", "uses", "conn", "x"}
SPECIAL |= {"continues", "retry_of", "poll_of", "headers", "turn", "after_by", "batch"}
APART = "ms apart"
LINKS = ("re", "continues", "retry_of", "poll_of")
CREDENTIALS = {"authorization", "mcp-session-id", "cookie", "set-cookie", "x-api-key"}


class Report:
    """Differences that count, differences excused, and the greatest distance in time."""

    def __init__(self):
        self.differences = []
        self.excused = []
        self.distances = []

    def differ(self, where, what, left, right):
        self.differences.append(f"{where}: {what}: {short(left)} | {short(right)}")

    def text(self, limit=12):
        lines = self.differences[:limit]
        if len(self.differences) > limit:
            lines.append(f"… and {len(self.differences) - limit} more")
        return "\n".join(lines)

    def only_late(self):
        """Whether the traces differ in nothing but times: one recorder was held up."""
        return bool(self.differences) and all(APART in line for line in self.differences)

    def furthest_ms(self):
        return max(self.distances, default=0) / 1e6


def short(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:290] + "…"


class Comparison:
    """Compares trace `a` with trace `b`."""

    def __init__(self, a, b, tolerance_ns):
        self.a, self.b = a, b
        self.tolerance = tolerance_ns
        self.report = Report()
        self.surrogates = {}
        # Two recordings without a common key write different surrogates for one credential.
        redactions = [trace.header.get("redaction") or {} for trace in (a, b)]
        self.keyed = any(one.get("mode") not in (None, "none") for one in redactions)

    def run(self):
        same = self.report.differ
        if len(self.a.exchange_numbers()) != len(self.b.exchange_numbers()):
            same(
                "trace",
                "HTTP requests",
                len(self.a.exchange_numbers()),
                len(self.b.exchange_numbers()),
            )
        self.connections()
        pairs, left, right = match_sessions(self.a, self.b)
        for one in left:
            same("session", "only in A", describe(one), "")
        for one in right:
            same("session", "only in B", "", describe(one))
        for one, other in pairs:
            self.sessions(one, other)
        self.messages("no session", match_messages(self.a.loose, self.b.loose), None, None)
        return self.report

    def connections(self):
        """The same connections, and what the client sent on them; what it was sent may be cut by
        a client that hangs up, and then depends on who looks."""
        both = []
        for trace in (self.a, self.b):
            keys = trace.connection_keys
            both.append({keys[number]: line for number, line in trace.connections.items()})
        for key in sorted(set(both[0]) | set(both[1]), key=str):
            one, other = (lines.get(key) for lines in both)
            if one is None or other is None:
                self.report.differ("connection", "only in one trace", one, other)
                continue
            bytes_a, bytes_b = one.get("bytes") or {}, other.get("bytes") or {}
            if bytes_a.get("c2s") != bytes_b.get("c2s") or one.get("protocol") != other.get(
                "protocol"
            ):
                self.report.differ("connection", str(key), one, other)
            elif bytes_a.get("s2c") != bytes_b.get("s2c"):
                self.report.excused.append(f"connection {key}: {short(one)} | {short(other)}")

    def sessions(self, one, other):
        where = f"{one.name}|{other.name}"
        keys = ("transport", "authority", "path", "revision", "client", "server", "start")
        for key in keys:
            if one.info.get(key) != other.info.get(key):
                self.report.differ(where, key, one.info.get(key), other.info.get(key))
        for key in ("by", "evidence", "confidence"):
            if one.key.get(key) != other.key.get(key):
                self.report.differ(where, f"key.{key}", one.key.get(key), other.key.get(key))
        self.secret(where, "key.value", one.key.get("value"), other.key.get("value"))
        ends = [(session.end or {}).get("how") for session in (one, other)]
        if ends[0] != ends[1]:
            self.report.differ(where, "end.how", *ends)
        self.messages(where, match_messages(one.messages, other.messages), one, other)

    def messages(self, where, pairs, one, other):
        for message in pairs.only_a:
            self.report.differ(where, "message only in A", message.brief(), "")
        for message in pairs.only_b:
            self.report.differ(where, "message only in B", "", message.brief())
        self.order(where, pairs)
        turns = TurnMap()
        for left, right in sorted(pairs.matched, key=lambda pair: pair[0].at):
            self.fields(where, left, right)
            self.times(where, left, right)
            if one is not None:
                self.links(where, left, right, pairs)
                self.waits(where, left, right, pairs, one, other, turns)

    def fields(self, where, left, right):
        for key in sorted((set(left.line) | set(right.line)) - SPECIAL):
            if left.line.get(key) != right.line.get(key):
                what = f"{left.kind} n{left.n}|n{right.n} {left.method or left.outcome} {key}"
                self.report.differ(where, what, left.line.get(key), right.line.get(key))
        what = f"{left.kind} n{left.n}|n{right.n}"
        if left.place != right.place:
            self.report.differ(where, f"{what} place on the wire", left.place, right.place)
        headers = [one.line.get("headers") or [] for one in (left, right)]
        if [h[0].lower() for h in headers[0]] != [h[0].lower() for h in headers[1]]:
            self.report.differ(where, f"{what} header names", *headers)
            return
        for (name, value), (_, other) in zip(*headers):
            if name.lower() in CREDENTIALS:
                self.secret(where, f"{what} {name}", value, other)
            elif value != other:
                self.report.differ(where, f"{what} {name}", value, other)

    def secret(self, where, what, left, right):
        """Equal, or one surrogate for the same credential everywhere."""
        if not self.keyed or left is None or right is None:
            if left != right:
                self.report.differ(where, what, left, right)
        elif self.surrogates.setdefault(("a", left), right) != right:
            self.report.differ(where, f"{what} (another surrogate before)", left, right)
        elif self.surrogates.setdefault(("b", right), left) != left:
            self.report.differ(where, f"{what} (another surrogate before)", left, right)

    def times(self, where, left, right):
        what = f"{left.kind} n{left.n}|n{right.n} {left.method or left.outcome}"
        self.near(where, f"{what} t", left.at, right.at)
        for key in ("sent", "done"):
            values = [one.line.get(key) for one in (left, right)]
            if (values[0] is None) != (values[1] is None):
                self.report.differ(where, f"{what} {key}", *values)
            elif values[0] is not None:
                self.near(where, f"{what} {key}", self.a.t0 + values[0], self.b.t0 + values[1])
        thinks = [one.line.get("think") for one in (left, right)]
        if (thinks[0] is None) != (thinks[1] is None):
            self.report.differ(where, f"{what} think", *thinks)
        elif thinks[0] is not None and left.after and len(left.after) == len(right.after or []):
            self.near(where, f"{what} think", thinks[0], thinks[1], 2 * self.tolerance)

    def near(self, where, what, left, right, tolerance=None):
        distance = abs(left - right)
        if tolerance is None:
            self.report.distances.append(distance)
        if distance > (tolerance or self.tolerance):
            self.report.differ(where, f"{what} is {distance / 1e6:.3f} {APART}", left, right)

    def order(self, where, pairs):
        """Messages of one direction: in another order only as far as the clocks are apart."""
        for direction in ("c2s", "s2c"):
            mine = [pair for pair in pairs.matched if pair[0].direction == direction]
            mine.sort(key=lambda pair: (pair[0].at, pair[0].n or 0))
            latest = None
            for left, right in mine:
                if latest and right.at < latest[1].at - self.tolerance:
                    self.report.differ(
                        where, f"order {direction}", left.brief(), f"after {latest[1].brief()}"
                    )
                if latest is None or right.at > latest[1].at:
                    latest = (left, right)

    def links(self, where, left, right, pairs):
        for key in LINKS:
            values = left.line.get(key), right.line.get(key)
            if pairs.b_of.get(values[0]) != values[1]:
                what = f"{left.kind} n{left.n}|n{right.n} {key}"
                self.report.differ(where, what, left.brief(), right.brief())
        uses = [
            [{**use, "from": pairs.b_of.get(use["from"])} for use in left.uses or []],
            right.uses or [],
        ]
        if sorted(map(json.dumps, sort_keys(uses[0]))) != sorted(
            map(json.dumps, sort_keys(uses[1]))
        ):
            self.report.differ(where, f"request n{left.n}|n{right.n} uses", left.uses, right.uses)

    def waits(self, where, left, right, pairs, one, other, turns):
        mapped = {pairs.b_of.get(n) for n in left.after or []}
        theirs = set(right.after or [])
        what = f"{left.kind} n{left.n}|n{right.n} {left.method}"
        excuse = False
        if mapped != theirs or left.after_by != right.after_by:
            excuse = mapped != theirs and self.flipped(left, right, pairs, one, other)
            into = self.report.excused if excuse else self.report.differences
            into.append(
                f"{where}: {what} after: {left.after} by {left.after_by} "
                f"| {right.after} by {right.after_by}\n    {left.brief()}\n    {right.brief()}"
            )
        if not turns.agree(left.turn, right.turn, excuse):
            self.report.differ(where, f"{what} turn", left.turn, right.turn)

    def flipped(self, left, right, pairs, one, other):
        """Did the two traces see an answer and this request, or the sibling gap, in another order?"""
        for message, twin in pairs.matched:
            if message.kind == "response" and message.ended and twin.ended:
                if (message.ended < left.at) != (twin.ended < right.at):
                    return True
            if message.kind == "request" and message.origin == "agent":
                gaps = left.at - message.at, right.at - twin.at
                if (gaps[0] <= SIBLING_GAP_NS) != (gaps[1] <= SIBLING_GAP_NS):
                    return True
        return False


class TurnMap:
    """Turns are equal, until an excused difference shifts those that follow it."""

    def __init__(self):
        self.loose = False

    def agree(self, left, right, excused):
        self.loose = self.loose or excused
        return self.loose or left == right


def sort_keys(items):
    return [dict(sorted(item.items())) for item in items]


def describe(session):
    first = session.first()
    return f"{session.name} key {session.key} first {first.brief() if first else None}"


def compare(path_a, path_b, tolerance_ms=50.0):
    """Compares two trace files; the report has what differs."""
    return Comparison(Trace(path_a), Trace(path_b), int(tolerance_ms * 1e6)).run()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--tolerance-ms", type=float, default=50)
    arguments = parser.parse_args()
    report = compare(arguments.a, arguments.b, arguments.tolerance_ms)
    for line in report.excused:
        print(f"excused: {line}")
    print(report.text(limit=50) or "equivalent")
    print(f"{len(report.distances)} times compared, furthest {report.furthest_ms():.3f} ms apart")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
