"""Messages that answer each other on different connections keep their order in the recording.

The server asks on the stream of a call (`elicitation/create`), the client answers at once by a POST
on another connection, the server then ends the call. In the order of their times the answer always
follows the question; a recorder that looks at connections one by one may see it first.
"""

import json
import threading

from raw import HELLO, WELCOME, answer, dial, need, post, result, server
from recorders import record_proxy
from scenario import check, check_none
from trace_model import Trace

PAIRS = 6
CALLS = 60


def chunk(message):
    event = b"event: message\r\ndata: " + json.dumps(message).encode() + b"\r\n\r\n"
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


class Asking:
    """A server whose every call asks the client something before it is answered."""

    def __init__(self):
        self.heard = {}

    def talk(self, side):
        while (message := side.message()) is not None:
            _, headers, body = message
            call, session = json.loads(body), headers.get("mcp-session-id")
            if call.get("method") == "initialize":
                name = call["params"]["clientInfo"]["name"]
                side.send(answer(result(0, WELCOME), session=name))
            elif "method" not in call:
                # Let the call go on first, so that its answer races with the 202 as well.
                self.heard[(session, call["id"])].set()
                side.send(answer(b"", "202 Accepted"))
            elif "id" not in call:
                side.send(answer(b"", "202 Accepted"))
            else:
                self.ask(side, session, call["id"])

    def ask(self, side, session, number):
        heard = self.heard[(session, number)] = threading.Event()
        question = {"jsonrpc": "2.0", "id": number, "method": "elicitation/create", "params": {}}
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        side.send(head + chunk(question))
        heard.wait(20)
        side.send(chunk(json.loads(result(number, {"content": []}))) + b"0\r\n\r\n")


def drive(port, name, errors):
    """One session: calls on one connection, answers on another."""
    try:
        calls, answers = dial(port), dial(port)
        calls.send(post("initialize", 0, {**HELLO, "clientInfo": {"name": name, "version": "1"}}))
        need(calls.message())
        for number in range(1, CALLS + 1):
            calls.send(post("tools/call", number, {"name": "t", "arguments": {}}, name))
            check(calls.until(b"elicitation/create"), "no question came")
            calls.until(b"\r\n\r\n\r\n")
            body = result(number, {"action": "accept"})
            head, _, _ = post("x", session=name).partition(b"Content-Length")
            answers.send(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            need(answers.message())
            check(calls.until(b"0\r\n\r\n"), "the call was not answered")
        calls.close()
        answers.close()
    except Exception as error:
        errors.append(f"{name}: {type(error).__name__}: {error}")


def run(context):
    asking, errors = Asking(), []
    with server(asking.talk) as port, record_proxy(context, port, "--no-redact") as proxy:
        threads = [
            threading.Thread(target=drive, args=(proxy.port, f"pair-{i}", errors))
            for i in range(PAIRS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        proxy.finish()
    check_none(errors, "the calls themselves failed")
    context.run("trace", "validate", proxy.trace)
    trace = Trace(proxy.trace)
    check_none(trace.check_closed_balance(), "lost or not understood")
    wrong = []
    for session in trace.sessions.values():
        asked = session.requests("elicitation/create")
        if len(asked) != CALLS:
            wrong.append(f"{session.name}: {len(asked)} questions, {CALLS} asked")
        for question in asked:
            reply = session.response(question)
            if reply is None or reply.outcome != "ok":
                wrong.append(f"{question.brief()} has {reply.brief() if reply else 'no answer'}")
    check_none(wrong, "questions of the server without the client's answer", limit=3)
