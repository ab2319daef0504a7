#!/usr/bin/env python3
"""What a request costs: CPU of `record proxy` and of `replay run` beside controls. Never fails a build.

    cost.py --bin .build/release [--calls 40000] [--rounds 3]

A closed-loop client in C (64 connections) calls a server in C directly (the control), through
`record proxy`, and through haproxy in mode tcp and http where it is installed; then `replay run`
makes the calls of `captures/parallel-three-agents.pcap` many times over. Rounds are interleaved and
medians printed. CPU is of the whole process, threads included.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from ports import free_port, wait_listening
from processes import read_line, running, stop
from venvs import ROOT

TOOLS = os.path.join(ROOT, "Tests", "Bench", "tools")
TICK = os.sysconf("SC_CLK_TCK")
HAPROXY = """
global
  nbthread 1
defaults
  mode {mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server upstream 127.0.0.1:{upstream}
"""


def cpu_seconds(pid):
    """User and system time of a process, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Bench:
    """The tools and figures of one run."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.figures = {}
        for name in ("upstream", "closedloop"):
            command = ["gcc", "-O2", "-o", self.path(name), os.path.join(TOOLS, f"{name}.c")]
            subprocess.run(command, check=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def binary(self, name):
        return os.path.join(self.options.bin, name)

    def add(self, row, **values):
        for key, value in values.items():
            self.figures.setdefault(row, {}).setdefault(key, []).append(value)

    @contextlib.contextmanager
    def upstream(self, *flags):
        with running([self.path("upstream"), *flags], stdout=subprocess.PIPE) as process:
            line = read_line(process.stdout, "listening on", 10, "the upstream")
            yield process, int(line.rsplit(":", 1)[1])

    def load(self, port):
        words = [self.path("closedloop"), "-p", str(port), "-n", str(self.options.calls)]
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=300)
        return json.loads(done.stdout)

    def through(self, row, process, port):
        """Loads a port; the CPU is that of the process in front."""
        self.load_small(port)
        before = cpu_seconds(process.pid)
        result = self.load(port)
        used = (cpu_seconds(process.pid) - before) * 1e6 / result["calls"]
        self.add(row, cpu=used, rate=result["calls"] / result["seconds"], p50=result["p50"])

    def load_small(self, port):
        """Opens what a first use opens, outside the measurement."""
        words = [self.path("closedloop"), "-p", str(port), "-n", "500"]
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True, timeout=60)

    def proxied(self, row, upstream):
        port, errors = free_port(), self.path("proxy.stderr")
        words = [self.binary("record"), "proxy", "--listen", f"127.0.0.1:{port}"]
        words += ["--upstream", f"http://127.0.0.1:{upstream}"]
        with open(errors, "wb") as file:
            with running([*words, "--output", self.path("t.mcptrace")], stderr=file) as process:
                wait_listening(port, process, errors)
                self.through(row, process, port)
                stop(process, seconds=60)
        os.remove(self.path("t.mcptrace"))

    def haproxied(self, row, upstream, mode):
        port, config, errors = free_port(), self.path("haproxy.cfg"), self.path("haproxy.stderr")
        with open(config, "w", encoding="ascii") as file:
            file.write(HAPROXY.format(mode=mode, port=port, upstream=upstream))
        with open(errors, "wb") as file:
            with running(["haproxy", "-db", "-f", config], stderr=file) as process:
                wait_listening(port, process, errors)
                self.through(row, process, port)

    def proxies(self):
        for shape, flags in (("json", []), ("sse", ["-s"])):
            with self.upstream(*flags) as (process, port):
                self.through(f"{shape}: direct, CPU of the server", process, port)
                self.proxied(f"{shape}: record proxy", port)
                if shutil.which("haproxy"):
                    for mode in ("tcp", "http"):
                        self.haproxied(f"{shape}: haproxy {mode}", port, mode)

    def replays(self, trace):
        """CPU per call of a replay, and of the closed-loop client as its control."""
        with self.upstream() as (_, port):
            result = self.load(port)
            used = result["cpu"] * 1e6 / result["calls"]
            self.add(
                "replay control: closed loop in C",
                cpu=used,
                rate=result["calls"] / result["seconds"],
            )
            words = [
                self.binary("replay"),
                "run",
                trace,
                "--target",
                f"http://127.0.0.1:{port}/mcp",
            ]
            words += ["--multiply", str(self.options.multiply), "--time-scale", "0.2"]
            words += ["--allow-writes", "--summary", self.path("s.json"), "--quiet"]
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            code = process.returncode = os.waitstatus_to_exitcode(status)
        with open(self.path("s.json"), encoding="utf-8") as file:
            summary = json.load(file)
        used = (usage.ru_utime + usage.ru_stime) * 1e6 / max(1, summary["sent"])
        self.add(
            "replay run",
            cpu=used,
            rate=summary["throughput"]["calls_per_s"] or 0,
            lag_p99_ms=summary["lag_ms"]["p99"] or 0,
            rss_mb=usage.ru_maxrss / 1024,
            exit=code,
        )

    def table(self):
        print(f"{'':42} {'CPU µs/req':>11} {'req/s':>9} {'p50 µs':>8}  other")
        for row, values in self.figures.items():
            middle = {key: statistics.median(found) for key, found in values.items()}
            other = " ".join(
                f"{k} {v:.3g}" for k, v in middle.items() if k not in ("cpu", "rate", "p50")
            )
            p50 = f"{middle['p50']:.0f}" if "p50" in middle else "-"
            print(f"{row:42} {middle['cpu']:11.1f} {middle['rate']:9.0f} {p50:>8}  {other}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", required=True, help="folder of record, replay and trace")
    parser.add_argument("--calls", type=int, default=40_000)
    parser.add_argument("--multiply", type=int, default=1000, help="of the replayed 17 calls")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    with tempfile.TemporaryDirectory(prefix="cost-") as folder:
        bench = Bench(options, folder)
        trace = bench.path("demo.mcptrace")
        capture = os.path.join(ROOT, "captures", "parallel-three-agents.pcap")
        subprocess.run(
            [bench.binary("record"), "pcap", capture, "--output", trace, "--quiet"], check=True
        )
        for _ in range(options.rounds):
            bench.proxies()
            bench.replays(trace)
        bench.table()
    return 0


if __name__ == "__main__":
    sys.exit(main())
