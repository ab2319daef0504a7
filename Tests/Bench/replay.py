"""What `replay run` costs: processor time per call beside wrk, and processor time and memory from 100 to 15,000 agents that think.

    swift build -c release --product replay
    python3 Tests/Bench/replay.py [--rounds 3] [--agents 100,1000,5000,15000] [--seconds 60] [--skip-speed] [--skip-scale]

Generator and server are pinned to a core each. At full speed one event loop plays a trace without think times; what starting costs
(reading the trace, planning) is taken off by the difference of two runs of unlike length. wrk sends the same calls over as many
connections in the same rounds; the median round counts. With think times of 5 to 10 s every agent keeps its connection open.
Needs a C compiler, and wrk for the comparison. Prints, fails nothing.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPLAY = os.path.join(ROOT, ".build", "release", "replay")
SOURCE = os.path.join(ROOT, "Tests", "Bench", "tools", "upstream.c")
ARGUMENTS = {"k": 20, "d": 50, "q": "0" * 270}
PORT = 9178

WRK = """
wrk.method = "POST"; wrk.path = "/mcp"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["MCP-Protocol-Version"] = "2025-06-18"
wrk.headers["Mcp-Session-Id"] = "bench"
wrk.body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%s}'
"""


def write_trace(path, sessions, calls, low, high):
    """A recording of sessions with `calls` calls each, one after the other, on a connection of their own."""
    chance = random.Random(1)
    with open(path, "w") as file:

        def line(**members):
            file.write(json.dumps(members, separators=(",", ":")) + "\n")

        line(type="header", format="mcptrace", version=1, recorder="bench", source="proxy",
             t0="2026-11-22T09:00:00.000000000Z", payloads="full")
        headers = [["Accept", "application/json, text/event-stream"]]
        x = 0
        for number in range(1, sessions + 1):
            name, t = f"s{number}", 0
            key = {"by": "mcp-session-id", "value": name, "evidence": ["mcp-session-id"], "confidence": 1}
            line(type="session", session=name, t=t, transport="streamable-http", authority="127.0.0.1:1",
                 path="/mcp", revision="2025-06-18", key=key, start="seen")
            common = {"session": name, "dir": "c2s", "conn": number, "via": "post", "headers": headers}
            hello = {"protocolVersion": "2025-06-18", "capabilities": {},
                     "clientInfo": {"name": "bench", "version": "1"}}
            line(type="request", n=1, t=t, id=0, method="initialize", origin="sdk", turn=0, x=x + 1, params=hello, **common)
            t += 200_000
            line(type="response", session=name, n=2, re=1, t=t, done=t, dir="s2c", outcome="ok", status=200,
                 result={"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "b", "version": "1"}})
            line(type="notification", n=3, t=t + 100_000, done=t + 200_000, method="notifications/initialized", after=[2],
                 think=100_000, x=x + 2, **common)
            x, n, last = x + 2, 4, 2
            for call in range(1, calls + 1):
                think = int(chance.uniform(low, high) * 1e9)
                t, x = t + think, x + 1
                params = {"name": "json", "arguments": ARGUMENTS, "_meta": {"progressToken": call}}
                line(type="request", n=n, t=t, id=call, method="tools/call", tool="json", origin="agent", turn=call,
                     after=[last], after_by="order", think=think, x=x, params=params, **common)
                t += 200_000
                line(type="response", session=name, n=n + 1, re=n, t=t, done=t, dir="s2c", outcome="ok", status=200,
                     result={"content": [], "isError": False})
                last, n = n + 1, n + 2
            x += 1
            line(type="http", session=name, n=n, x=x, conn=number, t=t + 100_000, done=t + 200_000, method="DELETE",
                 target="/mcp", role="delete", status=200, after=[last], think=100_000)
            line(type="end", session=name, t=t + 200_000, how="deleted", key=key)


def pin(core):
    """Returns what pins a child to a core."""
    return lambda: os.sched_setaffinity(0, {core % os.cpu_count()})


def run(command, core=None):
    """Runs a command; returns its seconds of processor, its peak of memory in KB and its output."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=pin(core) if core is not None else None)
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss, output


def replay(trace, directory, *options, core=None):
    """Runs a replay; returns its processor time, memory and summary."""
    summary = os.path.join(directory, "summary.json")
    if os.path.exists(summary):
        os.remove(summary)
    cpu, memory, output = run(
        [REPLAY, "run", trace, "--target", f"http://127.0.0.1:{PORT}/mcp", "--allow-writes", "--yes", "--quiet",
         "--summary", summary, *options], core)
    if not os.path.exists(summary):
        sys.exit("replay failed: " + output)
    with open(summary) as file:
        return cpu, memory, json.load(file)


def start_server(directory):
    """Builds and starts the null server."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        sys.exit("needs a C compiler")
    program = os.path.join(directory, "upstream")
    subprocess.run([compiler, "-O2", SOURCE, "-o", program], check=True)
    server = subprocess.Popen([program, "-p", str(PORT)], stdout=subprocess.DEVNULL, preexec_fn=pin(0))
    time.sleep(0.3)
    return server


def speed(directory, rounds, connections=64, calls=2000):
    """Processor time per call at full speed, beside wrk."""
    trace = os.path.join(directory, "speed.mcptrace")
    write_trace(trace, 8, calls, 0, 0)
    script = os.path.join(directory, "post.lua")
    with open(script, "w") as file:
        file.write(WRK % json.dumps({"name": "json", "arguments": ARGUMENTS, "_meta": {"progressToken": 1}}))
    wrk, ours = [], []
    few, many = connections // 8, connections * 3 // 8
    for _ in range(rounds):
        if shutil.which("wrk"):
            cpu, _, output = run(
                ["wrk", "-t1", f"-c{connections}", "-d3", "-s", script, f"http://127.0.0.1:{PORT}/mcp"], 1)
            sent = int(next(l for l in output.splitlines() if "requests in" in l).split()[0])
            wrk.append(cpu / sent * 1e6)
        short = replay(trace, directory, "--multiply", str(few), core=1)
        long = replay(trace, directory, "--multiply", str(many), core=1)
        done = long[2]["sent"] - short[2]["sent"]
        ours.append((long[0] - short[0]) / done * 1e6)
    print(f"full speed, one loop, {connections} connections, JSON answers of 1.3 KB: processor time per call")
    print(f"  replay  {statistics.median(ours):6.1f} us   ({', '.join(f'{v:.1f}' for v in ours)})")
    if wrk:
        print(f"  wrk     {statistics.median(wrk):6.1f} us   ({', '.join(f'{v:.1f}' for v in wrk)})")
        print(f"  ratio   {statistics.median(ours) / statistics.median(wrk):6.2f}")


def scale(directory, counts, seconds):
    """Processor time (that of starting and of the sessions' ends with it) and memory of agents that think 5 to 10 s."""
    trace = os.path.join(directory, "scale.mcptrace")
    write_trace(trace, 20, 8, 5, 10)
    print("think times of 5 to 10 s, a connection for each agent")
    print("  agents   peak   calls  outcomes other than ok   CPU us/call   RSS MB   KB/agent   lag p50/p99 ms")
    idle = replay(trace, directory, "--sessions", "1", "--duration", "1s")[1]
    for count in counts:
        # A server accepts so many connections at a time: agents come over some seconds.
        ramp = max(5, count // 500)
        cpu, memory, summary = replay(
            trace, directory, "--stages", f"{ramp}s:{count},{seconds}s:{count}")
        sent, peak = summary["sent"], max(1, summary["agents"]["peak"])
        failed = {k: v for k, v in summary["outcomes"].items() if v and k != "ok"}
        lag = summary["lag_ms"]
        print(
            f"  {count:6} {peak:6} {sent:7}  {str(failed or 'none'):24} {cpu / max(1, sent) * 1e6:11.0f} "
            f"{memory / 1024:8.1f} {max(0, memory - idle) / peak:10.1f}   {lag['p50']}/{lag['p99']}")


def main():
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--agents", default="100,1000,5000,15000")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--skip-scale", action="store_true")
    options = parser.parse_args()
    if not os.path.exists(REPLAY):
        sys.exit("build it first: swift build -c release --product replay")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as directory:
        server = start_server(directory)
        try:
            print(f"load of the machine at the start: {os.getloadavg()[0]:.1f}")
            if not options.skip_speed:
                speed(directory, options.rounds)
            if not options.skip_scale:
                scale(directory, [int(c) for c in options.agents.split(",")], options.seconds)
            print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
