"""The published list of client behaviour (modelcontextprotocol/conformance), as servers that watch for it.

Each server is strict and has one trick. An SDK client meets it first, through `record proxy`; then
the replay does, at three times the agents, and must behave as well.
"""

import json
import secrets
import threading
import time

from conformance import ANSWER, MULTIPLY, run_agent
from recorders import record_proxy
from replaying import check_accounts, replay
from scenario import check, check_none
from strict_server import TOOL, Strict, serving

RETRY = 700
QUESTION = {
    "message": "Confirm?",
    "requestedSchema": {
        "type": "object",
        "properties": {"colour": {"type": "string"}, "count": {"type": "integer", "default": 1}},
    },
}


def play(context, kind, steps, sdk="1.30.0", how="legacy", against=None):
    """Records an SDK client with a server of that kind and replays it against another."""
    recorded_by, replayed_to = kind(), (against or kind)()
    with serving(recorded_by) as port, record_proxy(context, port) as proxy:
        python = context.options.pythons[sdk]
        run_agent(context, python, proxy.url, how, steps, "--answer", ANSWER)
        proxy.finish()
    check_none(recorded_by.finish(), "the SDK's own client breaks rules")
    with serving(replayed_to) as port:
        replayed_to.referee.authority = f"127.0.0.1:{port}"
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        summary, recorded, _ = replay(context, proxy.trace, port, *words, expect=(0, 2))
    check_none(replayed_to.finish(), "the replay breaks rules")
    check_accounts(summary)
    check(summary["success_ratio"] == 1, f"calls failed: {summary['outcomes']}")
    context.run("trace", "validate", recorded)
    return recorded_by, replayed_to


def same(one, other, *rules):
    """The replay gave these rules as many chances as the SDK's client did."""
    check_none(
        [
            f"{rule}: {other.seen[rule]} times, not {MULTIPLY} × {one.seen[rule]}"
            for rule in rules
            if not one.seen[rule] or other.seen[rule] != MULTIPLY * one.seen[rule]
        ],
        "the replay does not do what was recorded",
    )


class Older(Strict):
    """Chooses a revision that was not asked for."""

    revision = "2025-06-18"


class Oldest(Strict):
    """Chooses the revision before there was a header for it."""

    revision = "2025-03-26"


def initialize(context):
    """The handshake in order, and the revision that this server chose from there on."""
    steps = [["list"], ["call", "echo", {}], ["ping"]]
    for kind in (Older, Oldest):
        one, other = play(context, kind, steps)
        same(one, other, "initialize", "notifications/initialized", "tools/call", "ping", "DELETE")
    context.note("2025-06-18, 2025-03-26")


def probe(context):
    """A client that asks for 2026-07-28 first and is turned away starts a session; so does its clone."""
    one, other = play(context, Strict, [["list"], ["call", "echo", {}]], "2.3.0", "auto")
    check(one.seen["server/discover"] == 1, f"the SDK did not ask: {one.seen}")
    same(one, other, "initialize", "notifications/initialized", "tools/call", "DELETE")


class Dropping(Strict):
    """Ends its streams after an event that says when to come back: the session's own, and a call's."""

    def __init__(self):
        super().__init__()
        self.times = {}
        self.left = {}
        self.lock = threading.Lock()

    def note(self, request):
        with self.lock:
            self.times.setdefault(request.session, []).append((time.monotonic(), request))

    def get(self, request):
        last = dict(request.exchange.headers).get("last-event-id")
        asked = self.left.pop((request.session, last), None)
        if asked is not None:
            dropped, rpc_id = asked
            self.check_time(dropped)
            stream = request.events()
            stream.result(f"{last}-b", rpc_id, content=[{"type": "text", "text": "after"}])
            return stream.end()
        self.own_stream(request, last)

    def own_stream(self, request, last):
        with self.lock:
            before = self.times.setdefault(request.session, [])
            number = len(before)
        if number and last != f"{request.session}-{number}":
            self.faults.append(f"stream {number + 1} goes on from {last!r}")
        if number:
            self.check_time(before[-1])
        stream = request.events()
        if number == 2:
            return stream.hold()
        stream.prime(f"{request.session}-{number + 1}", RETRY)
        stream.end()
        before.append(time.monotonic())

    def call(self, request):
        stream, mark = request.events(), f"c{secrets.token_hex(4)}"
        self.left[request.session, mark] = (time.monotonic(), request.id)
        stream.prime(mark, RETRY)
        self.left[request.session, mark] = (time.monotonic(), request.id)
        stream.end()

    def check_time(self, dropped):
        """Not earlier than told; a machine may be busy, so later is bounded loosely."""
        waited = (time.monotonic() - dropped) * 1000
        self.referee.seen["retry"] += 1
        if not RETRY - 50 <= waited <= RETRY + 5000:
            self.faults.append(f"came back after {waited:.0f} ms, not {RETRY} ms")


def sse_retry(context):
    """Streams are taken up after the server's `retry` with `Last-Event-ID`."""
    one, other = play(context, Dropping, [["sleep", 2.0], ["call", "echo", {}], ["sleep", 0.5]])
    # Think times are halved, so the last of the session's own streams may have had no time.
    check(one.seen["retry"] == 3, f"the SDK came back {one.seen['retry']} times")
    least = 2 * MULTIPLY
    check(other.seen["retry"] >= least, f"came back {other.seen['retry']} times, not {least}")
    check(other.seen["Last-Event-ID"] == other.seen["retry"], f"{other.seen}")


class Asking(Strict):
    """Asks the client on the stream of a call and on the session's own, in ids of its own."""

    def __init__(self):
        super().__init__()
        self.streams = {}

    def get(self, request):
        stream = request.events()
        self.streams[request.session] = stream
        stream.hold()

    def call(self, request):
        stream = request.events()
        said = stream.ask("elicitation/create", QUESTION, 1)
        if said["result"] != {"action": "accept", "content": json.loads(ANSWER)}:
            self.faults.append(f"the user said {said}")
        if "result" not in stream.ask("ping", {}, "1"):
            self.faults.append("ping was not answered")
        if stream.ask("strict/unknown", {}, 2).get("error", {}).get("code") is None:
            self.faults.append("an unknown method was answered without an error")
        own = self.streams[request.session]
        if "roots" not in own.ask("roots/list", {}, "own")["result"]:
            self.faults.append("roots/list on the session's own stream was not answered")
        stream.result(content=[{"type": "text", "text": "thanks"}])
        stream.end()


def server_requests(context):
    """Requests of the server are answered by POST, each once and by its own id."""
    one, other = play(context, Asking, [["sleep", 0.3], ["call", "echo", {}]])
    same(one, other, *[f"answer to {m}" for m in ("elicitation/create", "ping", "roots/list")])


class Entering(Strict):
    """Asks the user on the stream of a call."""

    question = QUESTION

    def call(self, request):
        stream = request.events()
        said = stream.ask("elicitation/create", self.question, 1)["result"]
        if said["action"] != self.expected:
            self.faults.append(f"the user said {said}")
        stream.result(content=[{"type": "text", "text": said["action"]}])
        stream.end()

    expected = "accept"


class More(Entering):
    """Asks for more, all of which has a default."""

    fields = {"colour": {"type": "string"}, "count": {"type": "integer"}}
    fields |= {"name": {"type": "string", "default": "John Doe"}}
    question = {"message": "Again?", "requestedSchema": {"type": "object", "properties": fields}}


class Elsewhere(Entering):
    """Asks for something that was never entered."""

    fields = {"age": {"type": "integer"}}
    schema = {"type": "object", "properties": fields, "required": ["age"]}
    question = {"message": "How old?", "requestedSchema": schema}
    expected = "decline"


def elicitation(context):
    """What the recorded user entered is entered again where it fits the question, else he declines."""
    for against in (Entering, More, Elsewhere):
        one, other = play(context, Entering, [["call", "echo", {}]], against=against)
        same(one, other, "answer to elicitation/create")


class Gone(Strict):
    """Forgets every session at its second call."""

    def __init__(self):
        super().__init__()
        self.calls = {}
        self.dead = {}

    def serve(self, request, exchange):
        # What was under way when the client learnt of it is no fault.
        if time.monotonic() - self.dead.get(request.session, time.monotonic()) > 0.2:
            what = request.message.get("method", exchange.verb)
            self.faults.append(f"{what} {request.id} in a session that is known to be gone")
        super().serve(request, exchange)

    def call(self, request):
        self.calls[request.session] = self.calls.get(request.session, 0) + 1
        if self.calls[request.session] < 2 or request.params["arguments"].get("last") is None:
            return request.text("done")
        if self.forgets:
            self.dead[request.session] = time.monotonic()
            return request.json("404 Not Found", error={"code": -32600, "message": "gone"})
        return request.text("done")

    forgets = False


class Forgetting(Gone):
    forgets = True


def session_lost(context):
    """After a 404 nothing is sent in the session, not even its DELETE."""
    recorded_by, replayed_to = Gone(), Forgetting()
    steps = [["call", "echo", {"n": 1}], ["call", "echo", {"last": 1}]]
    steps += [["sleep", 1.0], ["call", "echo", {"n": 2}]]
    with serving(recorded_by) as port, record_proxy(context, port) as proxy:
        run_agent(context, context.options.pythons["1.30.0"], proxy.url, "legacy", steps)
        proxy.finish()
    with serving(replayed_to) as port:
        words = ["--multiply", MULTIPLY, "--time-scale", 0.5, "--allow-writes"]
        summary, _, _ = replay(context, proxy.trace, port, *words, expect=(0, 1, 2))
    check_accounts(summary)
    check_none(replayed_to.finish(deletes=False), "the replay breaks rules")
    check(summary["outcomes"]["session_lost"] == MULTIPLY, f"{summary['outcomes']}")
    check(replayed_to.seen["DELETE"] == 0, "a session that is gone was deleted")


class Deaf(Strict):
    """Never answers `initialize` once it is told to."""

    def initialize(self, request):
        if self.deaf:
            while request.side.receive():
                self.faults.append("more on the connection of an initialize")
            return
        super().initialize(request)

    deaf = False


class Silent(Deaf):
    deaf = True


def initialize_given_up(context):
    """An initialize that gets no answer is given up without a message: it must not be cancelled."""
    recorded_by, replayed_to = Deaf(), Silent()
    with serving(recorded_by) as port, record_proxy(context, port) as proxy:
        steps = [["call", "echo", {}]]
        run_agent(context, context.options.pythons["1.30.0"], proxy.url, "legacy", steps)
        proxy.finish()
    with serving(replayed_to) as port:
        words = ["--multiply", MULTIPLY, "--allow-writes", "--call-timeout", "0.5s"]
        summary, _, _ = replay(context, proxy.trace, port, *words, expect=(0, 1, 2))
    check_accounts(summary)
    check_none(replayed_to.finish(), "the replay breaks rules")
    check(replayed_to.seen["initialize"] == MULTIPLY, f"{replayed_to.seen}")
    check(replayed_to.seen["notifications/cancelled"] == 0, f"{replayed_to.seen}")


SCENARIOS = {
    "client-initialize": initialize,
    "client-probe": probe,
    "client-sse-retry": sse_retry,
    "client-server-requests": server_requests,
    "client-elicitation": elicitation,
    "client-session-lost": session_lost,
    "client-initialize-given-up": initialize_given_up,
}
