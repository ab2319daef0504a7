"""`record live` beside tcpdump: the same packets must make the same trace, and both must be true.

Needs root, as tcpdump does: where the interface cannot be opened the scenario has failed.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from equivalence import compare
from matrix import AGENTS, HERE, check_traces
from processes import sdk_server, tcpdump
from raw import dial, need, open_session, post, server, simple_mcp
from recorders import record_live
from scenario import check
from trace_model import Trace
from truth import Truth


def beside_tcpdump(context, interface, mode):
    """SDK agents and an SDK server, watched by both."""
    python = context.options.pythons
    logs = {name: context.path(f"{name}.jsonl") for name in ("server", "agents")}
    pcap, passive = context.path("dump.pcap"), context.path("pcap.mcptrace")
    agents = [*AGENTS, *(["--ask"] if mode == "stateful-sse" else [])]
    options = ["--mode", mode, "--service", "80"]
    with sdk_server(python["1.30.0"], logs["server"], *options) as (_, port):
        wanted = ["--port", port, "--no-redact", "--exchanges"]
        with record_live(context, *wanted, interface=interface) as live:
            with tcpdump(pcap, port, interface):
                command = [python["1.30.0"], os.path.join(HERE, "sdk_agents.py")]
                command += [f"http://127.0.0.1:{port}/mcp", *agents]
                command += ["--client", "legacy", "--log", logs["agents"]]
                done = subprocess.run(command, capture_output=True, text=True, timeout=90)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}")
            live.finish()
    context.run("record", "pcap", pcap, "--output", passive, *wanted)
    # Both have the kernel's stamps.
    report = compare(live.trace, passive, 1)
    truth = Truth(logs["server"], logs["agents"])
    check_traces(context, live.trace, passive, truth, report)
    drops = Trace(live.trace).footer["capture"]
    for kind in ("capture.kernel_drop", "capture.queue_drop"):
        check(drops[kind] == 0, f"{kind}: {drops}")


def ends_in_the_middle(context):
    """SIGTERM while a session is open: what came is written, and the code is 0."""
    with server(simple_mcp) as port:
        with record_live(context, "--port", port) as live:
            side = dial(port)
            session = open_session(side)
            side.send(post("tools/call", 1, {"name": "echo", "arguments": {}}, session))
            need(side.message())
            # After a second all that came is in the file, whatever happens next.
            end = time.monotonic() + 10
            while b'"tools/call"' not in contents(live.trace) and time.monotonic() < end:
                time.sleep(0.05)
            check(b'"tools/call"' in contents(live.trace), "nothing was flushed while it ran")
            live.finish(signal.SIGTERM)
            side.close()
    context.run("trace", "validate", live.trace)
    (session,) = Trace(live.trace).sessions.values()
    check(session.end and session.end["how"] == "capture-end", f"how it ended: {session.end}")


def held_up(context):
    """A recorder that stands still loses packets, counts them all, and goes on."""
    with server(simple_mcp) as port:
        with record_live(context, "--port", port, "--buffer", 1) as live:
            side = dial(port)
            session = open_session(side)
            live.process.send_signal(signal.SIGSTOP)
            for number in range(60):
                text = {"text": "x" * 50_000}
                call = {"name": "echo", "arguments": text}
                side.send(post("tools/call", number, call, session))
                need(side.message())
            live.process.send_signal(signal.SIGCONT)
            # The counts of the kernel are asked for every second.
            time.sleep(2)
            side.send(post("tools/call", 99, {"name": "echo", "arguments": {}}, session))
            need(side.message())
            side.close()
            live.finish()
    context.run("trace", "validate", live.trace)
    trace = Trace(live.trace)
    drops = trace.footer["capture"]["capture.kernel_drop"]
    told = sum(line["packets"] for line in trace.losses if line["kind"] == "capture.kernel_drop")
    check(drops > 0 and drops == told, f"{drops} packets dropped, {told} told")
    ids = [c.id for s in trace.sessions.values() for c in s.requests("tools/call")]
    check(99 in ids, f"nothing was recorded behind the hole: {ids}")
    check(len(ids) < 61, "nothing was lost, so nothing was tried")


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def refusals(context):
    """What cannot be captured on is said in a sentence that helps."""
    output = ["--output", context.path("x.mcptrace")]
    context.refused(
        "record", "live", "--interface", "nope0", *output, code=73, saying=["nope0", "lo"]
    )
    filter_of = ["--interface", "lo", "--filter", "tcp prot 80"]
    context.refused("record", "live", *filter_of, *output, code=64, saying=["tcp prot 80"])
    absent = ["--interface", "lo", "--output", "/nonexistent/x.mcptrace"]
    context.refused("record", "live", *absent, code=73, saying=["/nonexistent/x.mcptrace"])
    # Somebody without the right to capture, in a place where anybody may run the binary.
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        program = shutil.copy(context.binary("record"), place)
        command = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all"]
        done = subprocess.run(
            [*command, program, "live", "--interface", "lo", "--output", "/dev/null"],
            capture_output=True, text=True, timeout=10,
        )  # fmt: skip
    check(done.returncode == 73, f"without rights: {done.returncode} {done.stderr}")
    check("setcap" in done.stderr, f"without rights, no way out is named: {done.stderr}")


SCENARIOS = {
    "live-lo-sse": lambda context: beside_tcpdump(context, "lo", "stateful-sse"),
    "live-any-json": lambda context: beside_tcpdump(context, "any", "stateful-json"),
    "live-stop": ends_in_the_middle,
    "live-held-up": held_up,
    "live-refusals": refusals,
}
