"""What a strict MCP server over HTTP holds its clients to, request by request.

Pure: requests and the server's own answers go in, violations come out. It stands in front of SDK
servers (`strict_asgi.py`) and inside servers without an SDK (`strict_server.py`). Rules are those
of the specification for the revision that a request is in; `seen` counts what was there to judge,
so that a scenario can demand that a rule had its chance.
"""

import collections
import json
import threading

import referee_modern
from referee_rules import (
    FIRST_MODERN,
    KNOWN_REVISIONS,
    answer_faults,
    duplicates,
    envelope_faults,
    first,
    media_types,
)

BEFORE_INITIALIZED = {"initialize", "ping"}


class Session:
    """A session of a revision with `initialize`; also what a stateless server sees of nobody in particular."""

    def __init__(self, name, revision, shared=False):
        self.name = name
        self.revision = revision
        # Requests of several clients come without a session id: what is one client's can't be told.
        self.shared = shared
        self.initialized = shared
        self.deleted = False
        self.ids = set()
        self.tokens = {}
        self.cursors = {}
        self.asked = {}
        self.event_ids = set()
        self.open_stream = None


class Exchange:
    """One HTTP request and what came of it."""

    def __init__(self, number, verb, headers):
        self.number = number
        self.verb = verb
        self.headers = headers
        self.message = None
        self.session = None
        self.is_modern = False
        self.is_stream = False
        self.status = None


class Referee:
    """Judges the requests to one server."""

    def __init__(self, stateful=True, authority=None, tokens=None, judges_refusals=True):
        self.stateful = stateful
        self.judges_refusals = judges_refusals
        self.authority = authority
        self.tokens = tokens
        self.lock = threading.RLock()
        self.violations = []
        self.seen = collections.Counter()
        self.sessions = {}
        self.nobody = Session(None, None, shared=True)
        self.count = 0
        self.modern = referee_modern.Memory()

    def fault(self, exchange, text):
        what = f"#{exchange.number} {exchange.verb}"
        if exchange.message:
            what += f" {exchange.message.get('method', 'answer')} id {exchange.message.get('id')}"
        self.violations.append(f"{what}: {text}")

    # What the client sends.

    def request(self, verb, headers, body):
        """Takes a request: header pairs with lower-case names, and its body (None when not read)."""
        with self.lock:
            self.count += 1
            exchange = Exchange(self.count, verb, headers)
            if verb == "POST" and body is not None:
                self.read(exchange, body)
            self.headers(exchange, body)
            version = first(headers, "mcp-protocol-version") or ""
            meta = referee_modern.meta(exchange.message)
            named = meta.get(referee_modern.VERSION)
            exchange.is_modern = version >= FIRST_MODERN or (
                isinstance(named, str) and named >= FIRST_MODERN
            )
            if exchange.is_modern:
                for text in self.modern.request(exchange, self.seen):
                    self.fault(exchange, text)
            elif body is not None or verb != "POST":
                self.legacy(exchange)
            return exchange

    def read(self, exchange, body):
        try:
            message = json.loads(body)
        except ValueError:
            return self.fault(exchange, f"the body is no JSON: {body[:80]!r}")
        if not isinstance(message, dict):
            return self.fault(exchange, "the body is no single JSON-RPC message")
        exchange.message = message
        for text in envelope_faults(message):
            self.fault(exchange, text)

    def headers(self, exchange, body):
        """What holds in every revision."""
        headers, verb = exchange.headers, exchange.verb
        if verb not in ("POST", "GET", "DELETE"):
            self.fault(exchange, "no method of the transport")
        for name in duplicates(headers):
            self.fault(exchange, f"header {name} is there twice")
        accept = media_types(first(headers, "accept"))
        if verb == "POST":
            if first(headers, "content-type", "").split(";")[0].strip() != "application/json":
                self.fault(exchange, f"Content-Type {first(headers, 'content-type')!r}")
            if not {"application/json", "text/event-stream"} <= accept:
                self.fault(exchange, f"Accept {first(headers, 'accept')!r}")
        elif verb == "GET" and "text/event-stream" not in accept:
            self.fault(exchange, f"Accept {first(headers, 'accept')!r} of a stream")
        elif verb == "DELETE" and body:
            self.fault(exchange, "DELETE with a body")
        host, origin = first(headers, "host"), first(headers, "origin")
        if self.authority and host != self.authority:
            self.fault(exchange, f"Host {host!r}, not {self.authority!r}")
        if origin is not None and origin != f"http://{self.authority}":
            self.fault(exchange, f"Origin {origin!r}")
        self.seen["host"] += 1
        given = first(headers, "authorization")
        if given is not None and given.removeprefix("Bearer ") not in (self.tokens or ()):
            self.fault(exchange, f"a credential that is not this server's: {given[:40]!r}")
        elif given is not None:
            self.seen["credential"] += 1

    # Revisions with sessions.

    def legacy(self, exchange):
        message = exchange.message or {}
        method = message.get("method")
        sid = first(exchange.headers, "mcp-session-id")
        if method == "initialize":
            return self.initialize(exchange, message, sid)
        if not self.stateful:
            if sid is not None:
                self.fault(exchange, f"session id {sid!r}, and the server gave none")
            if exchange.verb == "DELETE":
                self.fault(exchange, "DELETE where there is no session")
            session = self.nobody
        elif sid is None:
            return self.fault(exchange, "no session id")
        elif sid not in self.sessions:
            return self.fault(exchange, f"session id {sid!r} was never given")
        else:
            session = self.sessions[sid]
            self.seen["session id"] += 1
        exchange.session = session
        self.version(exchange, session)
        if session.deleted:
            self.fault(exchange, "the session was deleted")
        if exchange.verb == "GET":
            self.stream(exchange, session)
        elif exchange.verb == "DELETE":
            session.deleted = True
            self.seen["DELETE"] += 1
        elif method is None:
            self.client_answer(exchange, session, message)
        elif "id" in message:
            self.legacy_request(exchange, session, message)
        else:
            self.legacy_notification(exchange, session, message)

    def initialize(self, exchange, message, sid):
        self.seen["initialize"] += 1
        if sid is not None:
            self.fault(exchange, "initialize with a session id")
        if (given := first(exchange.headers, "mcp-protocol-version")) is not None:
            self.fault(exchange, f"initialize with MCP-Protocol-Version {given!r}")
        params = message.get("params") or {}
        if params.get("protocolVersion") not in KNOWN_REVISIONS:
            self.fault(exchange, f"protocolVersion {params.get('protocolVersion')!r}")
        info = params.get("clientInfo")
        if not isinstance(info, dict) or not all(
            isinstance(info.get(key), str) and info.get(key) for key in ("name", "version")
        ):
            self.fault(exchange, f"clientInfo {info!r}")
        if not isinstance(params.get("capabilities"), dict):
            self.fault(exchange, f"capabilities {params.get('capabilities')!r}")

    def version(self, exchange, session):
        given = first(exchange.headers, "mcp-protocol-version")
        revision = session.revision
        if revision is None or (given is None and revision < "2025-06-18"):
            return
        self.seen["version header"] += 1
        if given != revision:
            self.fault(exchange, f"MCP-Protocol-Version {given!r}, negotiated {revision!r}")

    def stream(self, exchange, session):
        exchange.is_stream = True
        last = first(exchange.headers, "last-event-id")
        if last is None:
            self.seen["GET"] += 1
            if session.open_stream is not None and not session.shared:
                self.fault(exchange, "a second stream in one session")
            session.open_stream = exchange
        else:
            self.seen["Last-Event-ID"] += 1
            if last not in session.event_ids:
                self.fault(exchange, f"Last-Event-ID {last!r} was never sent")

    def legacy_request(self, exchange, session, message):
        key = (type(message["id"]).__name__, message["id"])
        method, params = message["method"], message.get("params") or {}
        self.seen[method] += 1
        if not session.initialized and method not in BEFORE_INITIALIZED:
            self.fault(exchange, "before notifications/initialized")
        if not session.shared:
            if key in session.ids:
                self.fault(exchange, "the id was used before in this session")
            session.ids.add(key)
            self.progress_token(exchange, session, params)
        if "cursor" in params:
            self.seen["cursor"] += 1
            if params["cursor"] not in session.cursors.get(method, ()):
                self.fault(exchange, f"cursor {params['cursor']!r} was never given for {method}")
        for name in ("requestState", "inputResponses"):
            if name in params:
                self.fault(exchange, f"{name} in revision {session.revision}")

    def progress_token(self, exchange, session, params):
        meta = params.get("_meta") or {}
        if "progressToken" not in meta:
            return
        token = meta["progressToken"]
        self.seen["progressToken"] += 1
        if isinstance(token, bool) or not isinstance(token, (str, int)):
            self.fault(exchange, f"progressToken {token!r}")
        elif token in session.tokens.values():
            self.fault(exchange, f"progressToken {token!r} is in use")
        session.tokens[exchange.message["id"]] = token

    def legacy_notification(self, exchange, session, message):
        method, params = message["method"], message.get("params") or {}
        self.seen[method] += 1
        if method == "notifications/initialized":
            if session.initialized and not session.shared:
                self.fault(exchange, "a second time")
            session.initialized = True
        elif method == "notifications/cancelled" and not session.shared:
            key = (type(params.get("requestId")).__name__, params.get("requestId"))
            if key not in session.ids:
                self.fault(exchange, f"cancels {params.get('requestId')!r}, which was never sent")

    def client_answer(self, exchange, session, message):
        question = session.asked.pop(message.get("id"), None)
        if question is None:
            return self.fault(exchange, "answers what was not asked, or twice")
        self.seen[f"answer to {question['method']}"] += 1
        for text in answer_faults(question, message):
            self.fault(exchange, text)

    # What the server answers.

    def head(self, exchange, status, headers):
        """Takes the head of the server's answer."""
        with self.lock:
            exchange.status = status
            if self.judges_refusals and status in (400, 404, 405, 406, 409, 415, 421):
                self.violations.append(
                    f"#{exchange.number} {exchange.verb}: the server answered {status}"
                )
            sid = first(headers, "mcp-session-id")
            method = (exchange.message or {}).get("method")
            if method == "initialize" and status == 200 and not exchange.is_modern:
                session = Session(sid, None) if sid else self.nobody
                if sid:
                    self.sessions[sid] = session
                exchange.session = session

    def said(self, exchange, message):
        """Takes a message of the server on an exchange."""
        with self.lock:
            session = exchange.session
            if exchange.is_modern:
                return self.modern.said(exchange, message)
            if session is None or not isinstance(message, dict):
                return
            if "method" in message:
                if "id" in message:
                    session.asked[message["id"]] = message
                return
            session.tokens.pop(message.get("id"), None)
            asked = exchange.message or {}
            if not isinstance(result := message.get("result"), dict):
                return
            if asked.get("method") == "initialize":
                session.revision = result.get("protocolVersion")
                session.ids.add((type(asked.get("id")).__name__, asked.get("id")))
            if "nextCursor" in result:
                session.cursors.setdefault(asked.get("method"), set()).add(result["nextCursor"])

    def event_id(self, exchange, text):
        """Takes the id of an event that the server sends."""
        with self.lock:
            if exchange.session is not None:
                exchange.session.event_ids.add(text)

    def closed(self, exchange):
        """Takes that an answer is over, by either side."""
        with self.lock:
            session = exchange.session
            if session is not None and session.open_stream is exchange:
                session.open_stream = None

    def finish(self, deletes=True):
        """All violations, with what only the end shows."""
        with self.lock:
            found = list(self.violations)
            for session in self.sessions.values():
                if not session.initialized:
                    found.append(f"session {session.name}: no notifications/initialized")
                if deletes and not session.deleted:
                    found.append(f"session {session.name}: no DELETE")
                found += [
                    f"session {session.name}: {question['method']} was not answered"
                    for question in session.asked.values()
                ]
            return found + self.modern.finish()
