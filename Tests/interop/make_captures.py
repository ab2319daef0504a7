#!/usr/bin/env python3
"""Makes the captures in `captures/`: SDK clients talk to an SDK server on loopback under tcpdump.

    make_captures.py --mcp1 VENV --mcp2 VENV --output captures [--only NAME]

VENV is a virtual environment with mcp 1.30.0 or 2.3.0. Needs root for tcpdump. A new run gives new
session ids, ports and times, but the same agents and calls.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from processes import Failure, sdk_server, tcpdump

HERE = os.path.dirname(os.path.abspath(__file__))

# name: (SDK, server options, agent options)
CAPTURES = {
    "stateful-sse": (
        "mcp1",
        ["--mode", "stateful-sse"],
        ["--agents", "1", "--turns", "7", "--ask"],
    ),
    "stateful-json": ("mcp1", ["--mode", "stateful-json"], ["--agents", "1", "--turns", "7"]),
    "modern-2026-07-28": (
        "mcp2",
        ["--mode", "stateless"],
        ["--agents", "1", "--turns", "7", "--ask", "--client", "auto"],
    ),
    "parallel-three-agents": (
        "mcp1",
        ["--mode", "stateful-sse", "--few-tools"],
        ["--agents", "3", "--turns", "3", "--width", "3", "--few-tools"]
        + ["--stagger", "5000", "--think-min", "1000", "--think-max", "4000", "--seed", "demo-0"],
    ),
    "chains-of-two": (
        "mcp1",
        ["--mode", "stateful-json", "--few-tools"],
        ["--agents", "20", "--turns", "2", "--width", "1", "--few-tools", "--stagger", "300"]
        + ["--think-min", "5", "--think-max", "20", "--idle-min", "5000", "--idle-max", "10000"],
    ),
}


def capture(name, venvs, output):
    sdk, server, agents = CAPTURES[name]
    python = os.path.join(venvs[sdk], "bin", "python")
    path = os.path.join(output, f"{name}.pcap")
    with tempfile.TemporaryDirectory() as scratch:
        with sdk_server(python, os.path.join(scratch, "server.jsonl"), *server) as (_, port):
            with tcpdump(path, port):
                url = f"http://127.0.0.1:{port}/mcp"
                log = ["--log", os.path.join(scratch, "agents.jsonl")]
                script = os.path.join(HERE, "sdk_agents.py")
                done = subprocess.run([python, script, url, *agents, *log], timeout=120)
                if done.returncode:
                    raise Failure(f"the agents of {name} failed")
    print(f"{path}: {os.path.getsize(path)} bytes")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mcp1", required=True, metavar="VENV")
    parser.add_argument("--mcp2", required=True, metavar="VENV")
    parser.add_argument("--output", required=True)
    parser.add_argument("--only", choices=sorted(CAPTURES), action="append")
    arguments = parser.parse_args()
    venvs = {"mcp1": arguments.mcp1, "mcp2": arguments.mcp2}
    for name in arguments.only or CAPTURES:
        capture(name, venvs, arguments.output)


if __name__ == "__main__":
    sys.exit(main())
