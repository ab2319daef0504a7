"""Which session and which message of one trace is which of the other."""

import json


class Pairs:
    """Messages of two sessions, matched."""

    def __init__(self):
        self.matched = []
        self.only_a = []
        self.only_b = []
        # `n` in A to `n` in B; None stays None.
        self.b_of = {None: None}


def session_marks(session):
    """Names of a session that another recording of it has too, best first."""
    first = session.first()
    if first is not None and first.place is not None:
        yield ("place", first.place, json.dumps(first.id))
    if session.key.get("value") is not None:
        yield ("key", session.key.get("by"), session.key["value"])
    if first is not None:
        yield ("first", first.kind, first.method, canonical(first.line.get("params")))


def match_sessions(a, b):
    """Pairs of sessions, then those left over in each trace."""
    left, right = list(a.sessions.values()), list(b.sessions.values())
    pairs = []
    for rank in ("place", "key", "first"):
        for one in list(left):
            marks = [mark for mark in session_marks(one) if mark[0] == rank]
            twins = [other for other in right if any(m in marks for m in session_marks(other))]
            if twins:
                pairs.append((one, twins[0]))
                left.remove(one)
                right.remove(twins[0])
    return pairs, left, right


def match_messages(a, b):
    """Matches messages by what they are; equal ones in the order of their times.

    Requests, notifications and http lines first; a response is the one of its request.
    """
    pairs = Pairs()
    for kinds in (("request", "notification", "http"), ("response",)):
        waiting = {}
        for message in ordered(b, kinds):
            waiting.setdefault(identity(message, None), []).append(message)
        for message in ordered(a, kinds):
            same = waiting.get(identity(message, pairs.b_of))
            if not same:
                pairs.only_a.append(message)
                continue
            # The one on the same exchange, where there is one: equal calls may run at once.
            twin = next((other for other in same if other.place == message.place), same[0])
            same.remove(twin)
            pairs.matched.append((message, twin))
            if message.n is not None:
                pairs.b_of[message.n] = twin.n
        pairs.only_b += [message for same in waiting.values() for message in same]
    return pairs


def ordered(messages, kinds):
    return sorted((m for m in messages if m.kind in kinds), key=lambda m: (m.at, m.n or 0))


def identity(message, b_of):
    """What a message is, in the numbers of trace B."""
    line = message.line
    if message.kind == "response":
        re = line.get("re")
        return ("response", message.direction, re if b_of is None else b_of.get(re, ("none", re)))
    if message.kind == "http":
        return ("http", line.get("method"), line.get("target"), line.get("role"))
    # The token of the id as it was on the wire: 1 and "1" are two ids.
    wire_id = json.dumps(line.get("id"))
    return (
        message.kind,
        message.direction,
        wire_id,
        line.get("method"),
        canonical(line.get("params")),
    )


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
