"""A referee in front of an ASGI application: it hears both sides and changes nothing."""

import json

from referee import Referee


class Heard:
    """Turns the bytes of an answer into messages and event ids for the referee."""

    def __init__(self, referee, exchange):
        self.referee = referee
        self.exchange = exchange
        self.is_events = False
        self.rest = b""

    def head(self, status, headers):
        kind = next((value for name, value in headers if name == "content-type"), "")
        self.is_events = kind.startswith("text/event-stream")
        self.referee.head(self.exchange, status, headers)

    def body(self, data, more):
        self.rest += data
        if self.is_events:
            text = self.rest.replace(b"\r\n", b"\n")
            *events, self.rest = text.split(b"\n\n")
            for event in events:
                self.event(event.decode("utf-8", "replace"))
        elif not more and self.rest:
            self.message(self.rest)

    def event(self, text):
        fields = {}
        for line in text.split("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        if "id" in fields:
            self.referee.event_id(self.exchange, fields["id"])
        if fields.get("data"):
            self.message(fields["data"])

    def message(self, text):
        try:
            found = json.loads(text)
        except ValueError:
            return
        self.referee.said(self.exchange, found)


class Strict:
    """The application with a referee; `GET /referee` tells what it found."""

    def __init__(self, app, referee, path="/mcp"):
        self.app = app
        self.referee = referee
        self.path = path

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/referee":
            return await self.report(send)
        if scope["path"] != self.path:
            self.referee.seen[f"{scope['method']} {scope['path']}"] += 1
            return await self.app(scope, receive, send)
        await self.judged(scope, receive, send)

    async def judged(self, scope, receive, send):
        verb = scope["method"]
        headers = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in scope["headers"]]
        body, heard = b"", None

        def judge(text):
            nonlocal heard
            if heard is None:
                heard = Heard(self.referee, self.referee.request(verb, headers, text))

        async def listen():
            nonlocal body
            message = await receive()
            if message["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    judge(body)
            return message

        async def answer(message):
            # An answer that comes before the body was read, as to a request without credential.
            judge(None)
            if message["type"] == "http.response.start":
                fields = [
                    (k.decode("latin-1").lower(), v.decode("latin-1"))
                    for k, v in message["headers"]
                ]
                heard.head(message["status"], fields)
            elif message["type"] == "http.response.body":
                heard.body(message.get("body", b""), message.get("more_body", False))
            await send(message)

        if verb != "POST":
            judge(b"")
        try:
            await self.app(scope, listen, answer)
        finally:
            if heard is not None:
                self.referee.closed(heard.exchange)

    async def report(self, send):
        found = {
            "violations": self.referee.finish(deletes=False),
            "seen": dict(self.referee.seen),
            "open": [s.name for s in self.referee.sessions.values() if not s.deleted],
        }
        body = json.dumps(found).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", str(len(body)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": body})


def strict(app, stateful, authority=None, tokens=None):
    return Strict(app, Referee(stateful, authority, tokens))
