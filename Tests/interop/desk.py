"""The ticket desk: a tiny deterministic world that the SDK server's tools work on.

Everything is a pure function of its arguments, but for the notes: a note can only be read in the
server that wrote it, so a replay that sends a stale note id gets an error it did not record.
"""

import hashlib
import json

TOPICS = ["login", "invoice", "export", "search", "upload", "billing", "mobile", "report"]
STATES = ["open", "waiting", "closed"]


def digest(*parts):
    """A stable number from the parts."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6], "big")


def search(query, limit):
    """Ids of tickets for a query, as JSON text."""
    ids = [f"T-{100 + digest('search', query, i) % 900}" for i in range(limit)]
    return json.dumps({"query": query, "ids": ids})


def read(ticket):
    """One ticket as JSON text."""
    n = digest("read", ticket)
    return json.dumps(
        {
            "id": ticket,
            "title": f"{TOPICS[n % len(TOPICS)]} does not work",
            "state": STATES[n % len(STATES)],
            "owner": f"user-{n % 97}",
        }
    )


def translate(text):
    """Text of several scripts around the given one: raw UTF-8 in most answers."""
    return f'zürich «{text}» 東京 — naïve 🙂 "quoted" \\ tab\t end'


def report(rows):
    """A table of about 60 bytes a row."""
    return "\n".join(
        f"{i:05d};T-{100 + i % 900};{digest('row', i):015d};{'x' * 30}" for i in range(rows)
    )


class Notes:
    """Notes written in this server's life; `salt` makes their ids its own."""

    def __init__(self, salt):
        self.salt = salt
        self.text = {}

    def create(self, ticket, text):
        note = f"N-{digest('note', self.salt, ticket, text):012x}"
        self.text[note] = text
        return json.dumps({"note": {"id": note, "ticket": ticket}})

    def read(self, note):
        return self.text[note]
