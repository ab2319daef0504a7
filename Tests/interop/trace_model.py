"""A trace (`*.mcptrace`, version 1) as sessions of messages, for the checks of the suite.

Reads every line as it stands. Messages of a session are its request, response, notification and
http lines, each wrapped in a `Message` that knows its absolute time and its exchange on the wire.
"""

import datetime
import json
import os

KINDS = ("request", "response", "notification", "http")


class Unreadable(Exception):
    """The file is not a trace of version 1."""


def epoch_ns(text):
    """Nanoseconds since 1970 of an ISO time with up to nine digits and `Z`."""
    whole, _, part = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1_000_000_000 + int((part + "000000000")[:9])


class Message:
    """One line of a session."""

    def __init__(self, line, t0):
        self.line = line
        self.kind = line["type"]
        self.n = line.get("n")
        self.x = line.get("x")
        self.at = t0 + line["t"]
        self.ended = t0 + line["done"] if "done" in line else None
        self.place = None  # (connection key, ordinal of the exchange), set by Trace

    def __getattr__(self, key):
        return self.line.get(key)

    @property
    def direction(self):
        return self.line.get("dir", "c2s")

    def brief(self):
        """The line, short enough for a report."""
        text = json.dumps(self.line, ensure_ascii=False)
        return text if len(text) <= 600 else text[:590] + "…"


class Session:
    """One session: the last value of every key, its messages by `n`, how it ended."""

    def __init__(self, name):
        self.name = name
        self.info = {}
        self.messages = []
        self.end = None

    @property
    def client(self):
        return (self.info.get("client") or {}).get("name")

    @property
    def key(self):
        return self.info.get("key") or {}

    def by_n(self):
        return {message.n: message for message in self.messages if message.n is not None}

    def first(self):
        return min(self.messages, key=lambda m: (m.at, m.n or 0), default=None)

    def requests(self, method=None):
        found = [m for m in self.messages if m.kind == "request" and method in (None, m.method)]
        return sorted(found, key=lambda m: (m.at, m.n))

    def response(self, request):
        found = [m for m in self.messages if m.kind == "response" and m.re == request.n]
        return found[0] if found else None

    def turns(self):
        """The agent's tools/call by turn: a list of lists, parallel ones together.

        Calls that resume, repeat or poll another belong to that one and are left out.
        """
        turns = {}
        for request in self.requests("tools/call"):
            follows = any(key in request.line for key in ("continues", "retry_of", "poll_of"))
            if request.origin == "agent" and not follows:
                turns.setdefault(request.turn, []).append(request)
        return [turns[turn] for turn in sorted(turns)]


class Trace:
    """A whole trace."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    self.lines.append(json.loads(raw))
                except ValueError as error:
                    raise Unreadable(f"{path}: line {number}: {error}") from None
        if not self.lines or self.lines[0].get("format") != "mcptrace":
            raise Unreadable(f"{path}: the first line is no mcptrace header")
        self.header = self.lines[0]
        self.t0 = epoch_ns(self.header["t0"])
        self.sessions, self.loose, self.connections = {}, [], {}
        self.losses, self.exchanges, self.footer = [], [], None
        for line in self.lines[1:]:
            self.take(line)
        self.settle_places()

    def take(self, line):
        kind = line["type"]
        name = line.get("session")
        if kind in KINDS:
            message = Message(line, self.t0)
            (self.session(name).messages if name else self.loose).append(message)
        elif kind == "session":
            self.session(name).info.update(line)
        elif kind == "end":
            session = self.session(name)
            session.end = line
            session.info["key"] = {**session.key, **(line.get("key") or {})}
        elif kind == "connection":
            self.connections.setdefault(line["conn"], {}).update(line)
        elif kind == "loss":
            self.losses.append(line)
        elif kind == "exchange":
            self.exchanges.append(line)
        elif kind == "footer":
            self.footer = line

    def session(self, name):
        return self.sessions.setdefault(name, Session(name))

    def messages(self):
        """Every message, of sessions and of none."""
        for session in self.sessions.values():
            yield from session.messages
        yield from self.loose

    def exchange_numbers(self):
        """The distinct `x`: the HTTP requests of the trace."""
        return {line["x"] for line in self.lines if "x" in line}

    def settle_places(self):
        """Gives each message the name of its exchange that two traces of the same bytes share.

        A connection is (client, server, how many-eth of that pair); an exchange is a connection
        and how many-eth it is there.
        """
        keys, seen = {}, {}
        for number, line in sorted(self.connections.items(), key=lambda item: item[1]["t"]):
            pair = (line.get("client"), line.get("server"))
            seen[pair] = seen.get(pair, 0) + 1
            keys[number] = (*pair, seen[pair])
        began = {}
        for line in self.lines:
            if "x" in line and "conn" in line and "t" in line:
                at = (line["conn"], line["x"])
                # The request tells when an exchange began; an answer can only be later.
                began[at] = min(began.get(at, line["t"]), line["t"])
        ordinal, places = {}, {}
        for (conn, x), _ in sorted(began.items(), key=lambda item: (item[1], item[0][1])):
            ordinal[conn] = ordinal.get(conn, 0) + 1
            places[(conn, x)] = (keys.get(conn, (None, None, conn)), ordinal[conn])
        for message in self.messages():
            message.place = places.get((message.conn, message.x))
        self.connection_keys = keys

    def check_closed_balance(self):
        """What a trace of clean traffic may not show: a loss, or bytes without explanation."""
        wrong = [f"{self.path}: {json.dumps(line)}" for line in self.losses]
        if self.footer is None:
            return [*wrong, f"{self.path}: no footer"]
        if self.footer.get("bytes_in") != self.footer.get("bytes_explained") or any(
            (self.footer.get("loss") or {}).values()
        ):
            wrong.append(f"{self.path}: {json.dumps(self.footer)}")
        return wrong

    def size(self):
        return os.path.getsize(self.path)
