"""Calls through a proxy by plain sockets: one at a time, or many in a closed loop."""

import threading
import time

from raw import dial, open_session, post
from scenario import check


def until_closed(side):
    """Reads to the end; returns what came, whether the peer ended with FIN or RST."""
    data = b""
    try:
        while piece := side.receive():
            data += piece
    except ConnectionError:
        pass
    return data


def call(session, number, tool="t", arguments=None):
    return post("tools/call", number, {"name": tool, "arguments": arguments or {}}, session)


class Load:
    """Closed-loop calls over some connections, until they fail or are told to stop."""

    def __init__(self, port, connections=4):
        self.port = port
        self.done_at, self.failures = [], []
        self.stopping = False
        self.threads = [threading.Thread(target=self.talk, daemon=True) for _ in range(connections)]
        for thread in self.threads:
            thread.start()

    def talk(self):
        try:
            side = dial(self.port)
            session, number = open_session(side), 0
            while not self.stopping:
                number += 1
                side.send(call(session, number))
                if side.message() is None:
                    self.failures.append("closed")
                    return
                self.done_at.append(time.time_ns())
                time.sleep(0.005)
            side.close()
        except Exception as error:
            self.failures.append(type(error).__name__)

    def wait_calls(self, count, seconds=30):
        end = time.monotonic() + seconds
        while len(self.done_at) < count:
            check(time.monotonic() < end, f"only {len(self.done_at)} calls in {seconds} s")
            time.sleep(0.01)

    def stop(self):
        self.stopping = True
        self.wait_end()

    def wait_end(self):
        for thread in self.threads:
            thread.join(10)


def recorded_calls(trace):
    return [c for s in trace.sessions.values() for c in s.requests("tools/call")]
