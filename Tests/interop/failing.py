"""`replay run` against servers that fail: its figures are those of the server's own log, and it ends when it said."""

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

from ports import free_port
from processes import read_line, running
from scenario import check
from truth import lines
from venvs import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))
CHAINS = os.path.join(ROOT, "captures", "chains-of-two.mcptrace")
STREAMS = os.path.join(ROOT, "captures", "parallel-three-agents.mcptrace")
AGENTS = 20
SECONDS = 4
# Think times are cut to this: in so many seconds no more sessions of two thoughts fit one after another.
THINK = 0.2


@contextlib.contextmanager
def failing_server(log, port, way="none"):
    words = [sys.executable, os.path.join(HERE, "failing_server.py"), log, str(port), way]
    with running(words, stdout=subprocess.PIPE) as process:
        read_line(process.stdout, "listening on", 10, "the failing server")
        yield process


def play(context, port, trace, *options):
    """Runs `replay run` for some seconds; returns its summary."""
    summary = context.path("summary.json")
    words = ["replay", "run", trace, "--target", f"http://127.0.0.1:{port}/mcp", "--quiet"]
    words += ["--agents", AGENTS, "--duration", f"{SECONDS}s", "--max-think", f"{THINK}s"]
    words += ["--no-correlation", "--allow-writes", "--yes", "--summary", summary, *options]
    began = time.monotonic()
    context.run(*words, timeout=40)
    took = time.monotonic() - began
    check(took < SECONDS + 3, f"a run of {SECONDS} s took {took:.1f} s")
    with open(summary, encoding="utf-8") as file:
        found = json.load(file)
    check(sum(found["outcomes"].values()) == found["sent"], f"{found['sent']} {found['outcomes']}")
    most = AGENTS * (SECONDS + 2) / THINK
    check(found["agents"]["started"] <= most, f"{found['agents']} started: agents spin")
    return found


def counts(*logs):
    return collections.Counter(line["event"] for log in logs for line in lines(log))


def about(context, what, found, logged, slack=0):
    """Checks a figure against the server's log; what was under way when something ended may miss."""
    context.note(f"{what} {found}/{logged}")
    check(found and abs(found - logged) <= slack, f"{what}: {found} in the summary, {logged} in the log")


def restart(context):
    """A server that is killed in mid-run, and comes back a second later without its sessions."""
    port, before, after = free_port(), context.path("before.jsonl"), context.path("after.jsonl")
    over = threading.Event()

    def die_and_return(process):
        time.sleep(SECONDS * 0.4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1)
        with failing_server(after, port):
            over.wait(30)

    with failing_server(before, port) as process:
        life = threading.Thread(target=die_and_return, args=[process])
        life.start()
        try:
            found = play(context, port, CHAINS)
        finally:
            over.set()
            life.join()
    seen, outcomes = counts(before, after), found["outcomes"]
    # Answers that were on their way when the server died never came; so did those of the run's end.
    about(context, "answered", outcomes["ok"], seen["answered"], slack=2 * AGENTS)
    check(outcomes["transport_error"] > 0, f"{outcomes}: nobody noticed")
    check(outcomes["session_lost"] <= seen["gone, a call"], f"{outcomes} {seen}")
    check(counts(after)["answered"] > 0, "no agent came back")


def lost(context):
    """A server that answers 404 to sessions it let in."""
    port, log = free_port(), context.path("server.jsonl")
    with failing_server(log, port, "lost"):
        found = play(context, port, CHAINS)
    seen, outcomes = counts(log), found["outcomes"]
    about(context, "answered", outcomes["ok"], seen["answered"], slack=AGENTS)
    about(context, "lost", outcomes["session_lost"], seen["gone, a call"], slack=AGENTS)


def hang(context):
    """A server that never answers a session's second call."""
    port, log = free_port(), context.path("server.jsonl")
    with failing_server(log, port, "hang"):
        found = play(context, port, CHAINS, "--call-timeout", "1s")
    seen, outcomes = counts(log), found["outcomes"]
    about(context, "answered", outcomes["ok"], seen["answered"], slack=AGENTS)
    about(context, "hung", outcomes["timeout"] + outcomes["unanswered"], seen["hung"], slack=AGENTS)


def streams(context):
    """A server that ends every GET stream at once: calls go on, and nobody asks again and again."""
    port, log = free_port(), context.path("server.jsonl")
    with failing_server(log, port, "get"):
        found = play(context, port, STREAMS)
    seen, outcomes = counts(log), found["outcomes"]
    about(context, "answered", outcomes["ok"], seen["answered"], slack=AGENTS)
    most = seen["initialize"] + AGENTS * (SECONDS + 2)
    context.note(f"streams {seen['get']}, at most {most}")
    check(0 < seen["get"] <= most, f"{seen['get']} GETs, {most} are enough")


SCENARIOS = {
    "failing-restart": restart,
    "failing-lost-sessions": lost,
    "failing-hang": hang,
    "failing-streams": streams,
}
