"""SDK client → `record proxy` → SDK server, captured on the client leg, then replayed.

For every server (mcp 1.30.0, 2.3.0; stateful with SSE or JSON answers, stateless) and every client
(1.30.0; 2.3.0 legacy and auto): the proxy's trace and the capture's must be the same traffic, both
must be what the SDKs logged, and a replay of it against a fresh server must make the same calls.
"""

import os
import subprocess

from capture_counts import check_stats
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
# Milliseconds a call takes at least, so that parallel ones are all sent before the first answer
# comes. A machine too busy for that, or that let the proxy stand still, gets another try.
SERVICE = [80, 400, 1500]
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
    logs = {name: context.path(f"{name}.jsonl") for name in ("server", "agents", "fresh")}
    # Half of the matrix with the default redaction, half with the very bytes.
    redaction = ["--no-redact"] if client == "1.30.0" else []
    passive = context.path("pcap.mcptrace")
    for service in SERVICE:
        report = None
        proxy, pcap = record(context, server, mode, client, client_mode, redaction, logs, service)
        truth = Truth(logs["server"], logs["agents"])
        if not truth.in_flight_together():
            context.note(f"again, parallel calls were not sent within {service} ms")
            continue
        context.run("record", "pcap", pcap, "--output", passive, *redaction, "--exchanges")
        report = compare(proxy, passive, context.options.tolerance)
        if not report.only_late():
            break
        context.note(f"again, the proxy stood still for {report.furthest_ms():.0f} ms")
    check(report, "parallel calls were never in flight together: the machine is too busy to tell")
    trace = check_traces(context, proxy, passive, truth, report)
    options = ["--mode", mode, "--service", str(service)]
    with sdk_server(context.options.pythons[server], logs["fresh"], *options) as (_, target):
        check_replay(context, trace, target, logs["fresh"], MULTIPLY)


def record(context, server, mode, client, client_mode, redaction, logs, service):
    """SDK agents through the proxy under tcpdump; returns the trace's and the capture's path."""
    python = context.options.pythons
    modern = era(server, client_mode) == "modern"
    agents = list(AGENTS)
    if mode == "stateful-sse" and not modern:
        agents.append("--ask")
    if mode == "stateless" and not modern:
        # Nothing else on the wire tells the agents of a stateless legacy server apart.
        agents.append("--tokens")
    options = ["--mode", mode, "--service", str(service)]
    with sdk_server(python[server], logs["server"], *options) as (_, upstream):
        with record_proxy(context, upstream, *redaction, "--exchanges") as proxy:
            pcap = context.path("client-leg.pcap")
            with tcpdump(pcap, proxy.port):
                command = [python[client], os.path.join(HERE, "sdk_agents.py"), proxy.url, *agents]
                command += ["--client", client_mode, "--log", logs["agents"]]
                done = subprocess.run(command, capture_output=True, text=True, timeout=90)
            check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}")
            proxy.finish()
    return proxy.trace, pcap


def check_traces(context, proxy, passive, truth, report):
    """Both traces are valid, the same, and true; returns the proxy's."""
    traces = []
    for path in (proxy, passive):
        context.run("trace", "validate", path)
        context.run("trace", "show", path)
        check_stats(context, path)
        traces.append(Trace(path))
    for trace in traces:
        check_none(
            check_truth(trace, truth), f"{os.path.basename(trace.path)} is not what happened"
        )
        check_none(trace.check_closed_balance(), "bytes lost or not explained")
    check_none(report.differences, "the proxy's trace (left) and the capture's (right) differ")
    apart = sorted(distance / 1e6 for distance in report.distances)
    middle, most = apart[len(apart) // 2], apart[len(apart) * 9 // 10]
    check(middle < 2 and most < 20, f"times are apart p50 {middle:.3f} ms, p90 {most:.3f} ms")
    context.note(f"times apart p50 {middle:.2f} p90 {most:.1f} max {apart[-1]:.1f} ms")
    if report.excused:
        context.note(f"{len(report.excused)} excused")
    return traces[0]
