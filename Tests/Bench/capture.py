"""Speed of `record pcap` beside what else reads captures, on captures that `bench generate` makes.

    swift build -c release --product record && swift build -c release --product bench
    python3 Tests/Bench/capture.py [--mb 500] [--runs 3] [--dir DIR] [--tenfold]

All tools read the same file, warm in the page cache, one after the other in every round, so that other jobs of the machine hit
all alike; the best round of each counts. Standard library only; a tool that is not installed is left out (the raw loop over
libpcap needs a C compiler, tcpflow and tshark their packages; tshark reads the first 50 MB). `--tenfold` also reads the file
ten times as one time line and prints the peak of memory.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(ROOT, ".build", "release")

RAW_LOOP = """
#include <pcap/pcap.h>
#include <stdio.h>
int main(int c, char **v) {
  char e[PCAP_ERRBUF_SIZE];
  pcap_t *p = pcap_open_offline_with_tstamp_precision(v[1], PCAP_TSTAMP_PRECISION_NANO, e);
  if (!p) { fprintf(stderr, "%s\\n", e); return 1; }
  struct pcap_pkthdr *h; const u_char *d; long n = 0; unsigned sum = 0;
  while (pcap_next_ex(p, &h, &d) == 1) { n++; sum += h->caplen ? d[0] + d[h->caplen - 1] : 0; }
  printf("%ld %u\\n", n, sum);
  return 0;
}
"""


def measure(command):
    """Runs a command; returns its seconds, its seconds of processor and its peak of memory in MB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit("failed: " + " ".join(command))
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def raw_loop(directory):
    """Builds the loop over libpcap that does nothing; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    source = os.path.join(directory, "rawloop.c")
    with open(source, "w") as file:
        file.write(RAW_LOOP)
    program = os.path.join(directory, "rawloop")
    built = subprocess.run([compiler, "-O2", source, "-lpcap", "-o", program], check=False)
    return program if built.returncode == 0 else None


def cut(path, limit):
    """Writes the whole records of a capture's first bytes to a file beside it."""
    out = path + ".cut"
    # Piece by piece: a child's peak of memory begins with what its parent held.
    with open(path, "rb") as file, open(out, "wb") as short:
        short.write(file.read(24))
        while short.tell() < limit:
            header = file.read(16)
            if len(header) < 16:
                break
            short.write(header + file.read(struct.unpack_from("<I", header, 8)[0]))
    return out


def rounds(path, runs, directory):
    """Measures every tool in turn; returns the best of each by name: bytes, seconds, processor, memory."""
    trace = os.path.join(directory, "out.mcptrace")
    flows = os.path.join(directory, "flows")
    short = cut(path, 50_000_000)
    record = [os.path.join(RELEASE, "record"), "pcap", path, "--output", trace, "--quiet"]
    tools = [("record pcap", path, record), ("  --no-redact", path, record + ["--no-redact"])]
    raw = raw_loop(directory)
    if raw:
        tools.append(("raw libpcap", path, [raw, path]))
    if shutil.which("tcpflow"):
        tools.append(("tcpflow", path, ["tcpflow", "-q", "-r", path, "-o", flows]))
    if shutil.which("tshark"):
        tools.append(("tshark", short, ["tshark", "-n", "-r", short, "-Y", "http"]))
    best = {}
    for number in range(runs):
        for name, source, command in tools:
            if name == "tshark" and number > 0:
                continue
            shutil.rmtree(flows, ignore_errors=True)
            os.makedirs(flows)
            # Nobody's time is that of removing what the run before wrote.
            if os.path.exists(trace):
                os.remove(trace)
            seconds, processor, memory = measure(command)
            old = best.get(name, (source, 1e9, 1e9, 0))
            best[name] = (source, min(seconds, old[1]), min(processor, old[2]), max(memory, old[3]))
    shutil.rmtree(flows, ignore_errors=True)
    sizes = {name: os.path.getsize(b[0]) for name, b in best.items()}
    os.remove(short)
    return {name: (sizes[name],) + b[1:] for name, b in best.items()}


def show(title, best):
    """Prints a table with ratios to our own rate."""
    print(title)
    rate = {name: size / seconds / 1e6 for name, (size, seconds, _, _) in best.items()}
    for name, (_, seconds, processor, memory) in best.items():
        ours = rate["record pcap"] / rate[name]
        print(
            f"  {name:14} {rate[name]:8.1f} MB/s {seconds:7.2f} s {processor:7.2f} s of processor"
            f" {memory:7.1f} MB   record is {ours:.3g} times as fast"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mb", type=int, default=500, help="size of the captures")
    parser.add_argument("--runs", type=int, default=3, help="rounds, of which the best counts")
    parser.add_argument("--dir", help="where captures are made and kept; default: a temporary one")
    parser.add_argument("--tenfold", action="store_true", help="also the same file ten times")
    arguments = parser.parse_args()
    directory = arguments.dir or tempfile.mkdtemp(prefix="capture-bench-")
    os.makedirs(directory, exist_ok=True)
    for name, mtu in (("loopback", 65535), ("MTU 1500", 1500)):
        path = os.path.join(directory, f"{mtu}-{arguments.mb}.pcap")
        if not os.path.exists(path):
            generate = ["generate", "--mb", str(arguments.mb), "--mtu", str(mtu), "--out", path]
            subprocess.run([os.path.join(RELEASE, "bench")] + generate, check=True)
        show(f"{name}, {os.path.getsize(path) / 1e6:.0f} MB", rounds(path, arguments.runs, directory))
        if arguments.tenfold:
            trace = os.path.join(directory, "out.mcptrace")
            command = [os.path.join(RELEASE, "record"), "pcap"] + [path] * 10
            seconds, processor, memory = measure(command + ["--output", trace, "--quiet"])
            print(f"  ten times      {seconds:7.2f} s {processor:7.2f} s of processor {memory:7.1f} MB")
    if not arguments.dir:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
