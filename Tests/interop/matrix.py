"""SDK client → `record proxy` → SDK server, captured on the client leg, then replayed.

For every server (mcp 1.30.0, 2.3.0; stateful with SSE or JSON answers, stateless) and every client
(1.30.0; 2.3.0 legacy and auto): the proxy's trace and the capture's must be the same traffic, both
must be what the SDKs logged, and a replay of it against a fresh server must make the same calls.
"""

import os
import statistics
import subprocess

from equivalence import compare
from processes import sdk_server, tcpdump
from recorders import record_proxy
from replaying import check_replay
from scenario import check, check_none
from trace_model import Trace
from truth import Truth, check as check_truth

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ["stateful-sse", "stateful-json", "stateless"]
SERVERS = ["1.30.0", "2.3.0"]
CLIENTS = [("1.30.0", "legacy"), ("2.3.0", "legacy"), ("2.3.0", "auto")]
# Calls take this long at least, so that parallel ones are all sent before the first answer comes.
SERVICE = ["--service", "40"]
AGENTS = ["--agents", "3", "--turns", "4", "--think-min", "60", "--think-max", "250", "--big"]
MULTIPLY = 3


def names():
    return {
        f"sdk-{server}-{mode}-client-{client}" + ("" if client == "1.30.0" else f"-{how}"): (
            server,
            mode,
            client,
            how,
        )
        for server in SERVERS
        for mode in MODES
        for client, how in CLIENTS
    }


def era(server, client_mode):
    """A 2.3.0 client in mode auto speaks the modern revision with a 2.3.0 server alone."""
    return "modern" if server == "2.3.0" and client_mode == "auto" else "legacy"


def run(context, server, mode, client, client_mode):
    """One cell of the matrix."""
    python = context.options.pythons
    modern = era(server, client_mode) == "modern"
    agents = list(AGENTS)
    if mode == "stateful-sse" and not modern:
        agents.append("--ask")
    if mode == "stateless" and not modern:
        # Nothing else on the wire tells the agents of a stateless legacy server apart.
        agents.append("--tokens")
    # Half of the matrix with the default redaction, half with the very bytes.
    redaction = ["--no-redact"] if client == "1.30.0" else []
    logs = {name: context.path(f"{name}.jsonl") for name in ("server", "agents", "fresh")}
    options = ["--mode", mode, *SERVICE]
    with sdk_server(python[server], logs["server"], *options) as (_, upstream):
        with record_proxy(context, upstream, *redaction, "--exchanges") as proxy:
            pcap = context.path("client-leg.pcap")
            with tcpdump(pcap, proxy.port):
                command = [python[client], os.path.join(HERE, "sdk_agents.py"), proxy.url, *agents]
                command += ["--client", client_mode, "--log", logs["agents"]]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}")
            proxy.finish()
        traces = check_traces(context, proxy.trace, pcap, redaction, logs)
    with sdk_server(python[server], logs["fresh"], *options) as (_, target):
        check_replay(context, traces[0], target, logs["fresh"], MULTIPLY)


def check_traces(context, proxy, pcap, redaction, logs):
    """Both traces are valid, the same, and true."""
    passive = context.path("pcap.mcptrace")
    context.run("record", "pcap", pcap, "--output", passive, *redaction, "--exchanges")
    traces = []
    for path in (proxy, passive):
        context.run("trace", "validate", path)
        context.run("trace", "show", path)
        context.run("trace", "stats", path, "--json")
        traces.append(Trace(path))
    truth = Truth(logs["server"], logs["agents"])
    for trace in traces:
        check_none(
            check_truth(trace, truth), f"{os.path.basename(trace.path)} is not what happened"
        )
        check_none(trace.check_closed_balance(), "bytes lost or not explained")
    report = compare(proxy, passive)
    check_none(report.differences, "the proxy's trace (left) and the capture's (right) differ")
    middle = statistics.median(report.distances) / 1e6
    check(middle < 5, f"times of the two traces are {middle:.3f} ms apart in the median")
    context.note(f"times apart p50 {middle:.2f} max {report.furthest_ms():.1f} ms")
    if report.excused:
        context.note(f"{len(report.excused)} excused")
    return traces
