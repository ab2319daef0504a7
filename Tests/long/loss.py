"""Drops packets of captures at random and asks whether `record pcap` loses more than what was dropped.

usage: python3 loss.py RECORD TRACE CAPTURE... [--rates 0.001,0.01,0.05] [--seeds 5] [--keep DIRECTORY]

RECORD and TRACE are the programs; captures are classic pcap files of Ethernet, loopback, raw or cooked packets. A message
(an HTTP request or response, a JSON-RPC message of an event stream) is *untouched* when no dropped packet of its
direction was captured while it passed, first byte to last; an event also needs the first two packets of its response
(its head, and in HTTP+SSE the event that names the session's endpoint). Asked
of every damaged capture, with the whole one as the truth:
- each untouched message is there, with the same times and content;
- no answer is another's: what the damaged trace says of a request is what the whole one says, or that it has no answer
  (of an exchange, also that its pairing is uncertain);
- where something is missing, its connection has a counted gap, or bytes skipped for want of its beginning; unless nothing
  of the connection was captured at all, or nothing behind it that its sender sent or its receiver acknowledged;
- bytes balance, and `trace validate` finds nothing.
Exit code 1 when any of this fails.
"""

import argparse
import bisect
import calendar
import collections
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

LINKS = {0: 4, 1: 14, 12: 0, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20}


def packets(data):
    """Returns the file's header, and for each record its bytes, time and TCP segment (or None)."""
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    scale = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    if magic not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        raise ValueError("no classic pcap file")
    link = LINKS[struct.unpack(order + "I", data[20:24])[0] & 0xFFFF]
    records, offset = [], 24
    while offset + 16 <= len(data):
        seconds, fraction, size, _ = struct.unpack(order + "IIII", data[offset:offset + 16])
        end = offset + 16 + size
        if end > len(data):
            break
        at = seconds * 10**9 + fraction * scale
        ip = data[offset + 16 + link:end]
        records.append((data[offset:end], at, segment(ip), header(ip)))
        offset = end
    return data[:24], records


def segment(ip):
    """Returns (source, target) of a TCP segment that has data or ends a stream."""
    ends, size, flags = header(ip) or (None, 0, 0)
    return ends if size > 0 or flags & 5 else None


def header(ip):
    """Returns (source, target), the payload's size and the flags of a TCP segment."""
    if len(ip) < 20:
        return None
    if ip[0] >> 4 == 4:
        begin, total = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
        protocol, ends = ip[9], (".".join(map(str, ip[12:16])), ".".join(map(str, ip[16:20])))
    else:
        begin, total = 40, 40 + struct.unpack(">H", ip[4:6])[0]
        protocol, ends = ip[6], (ip[8:24].hex(), ip[24:40].hex())
    tcp = ip[begin:]
    if protocol != 6 or len(tcp) < 20:
        return None
    ports = struct.unpack(">HH", tcp[:4])
    return ((ends[0], ports[0]), (ends[1], ports[1])), total - begin - (tcp[12] >> 4) * 4, tcp[13]


class Trace:
    """What a trace says, with times as nanoseconds of the clock."""

    def __init__(self, program, capture, path):
        command = [program, "pcap", capture, "--exchanges", "--no-redact", "-q", "-o", path]
        run = subprocess.run(command, capture_output=True, timeout=120)
        self.code, self.said = run.returncode, run.stderr.decode(errors="replace")
        self.lines = []
        if os.path.exists(path):
            with open(path, "rb") as file:
                self.lines = [json.loads(line) for line in file]
        self.footer = self.lines[-1] if self.lines else {}
        self.client, self.gaps = {}, set()
        start = 0
        if self.lines:
            seconds, fraction = self.lines[0]["t0"].rstrip("Z").split(".")
            start = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 10**9
            start += int(fraction)
        self.requests, self.responses, self.exchanges = {}, {}, []
        for line in self.lines:
            for key in ("t", "sent", "first", "done"):
                if key in line:
                    line[key] += start
            kind = line["type"]
            if kind == "connection":
                self.client[line["conn"]] = (endpoint(line["client"]), endpoint(line["server"]))
            elif kind == "loss" and line["kind"] in ("tcp.gap", "http.midstream"):
                self.gaps.add(line["conn"])
            elif kind == "exchange":
                self.exchanges.append(line)
            elif kind == "request" and line["dir"] == "c2s":
                self.requests[line["session"], line["n"]] = line
            elif kind == "response" and line["dir"] == "s2c":
                self.responses[line["session"], line["re"]] = line

    def ends(self, line):
        return self.client[line["conn"]]

    def is_even(self):
        lost = sum(loss["bytes"] for loss in self.footer["loss"].values())
        return self.footer["bytes_in"] == self.footer["bytes_explained"] + lost


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def text(value):
    return json.dumps(value, sort_keys=True)


class Damage:
    """The packets that were dropped, by direction."""

    def __init__(self, dropped):
        self.times = collections.defaultdict(list)
        for _, at, ends, _ in dropped:
            if ends:
                self.times[ends].append(at)
        for times in self.times.values():
            times.sort()

    def next(self, source, target, at):
        """The time of the packet behind `at`."""
        times = self.times[source, target]
        i = bisect.bisect_right(times, at)
        return times[i] if i < len(times) else at

    def touches(self, source, target, start, end):
        times = self.times[source, target]
        i = bisect.bisect_left(times, start)
        return i < len(times) and times[i] <= end


class Evidence:
    """When an end was last seen to send something, and to acknowledge something."""

    def __init__(self, kept):
        self.sent, self.acknowledged = {}, {}
        for _, at, _, head in kept:
            ends, size, flags = head or (None, 0, 0)
            if size > 0 or flags & 3:
                self.sent[ends] = max(at, self.sent.get(ends, at))
            if flags & 16:
                self.acknowledged[ends] = max(at, self.acknowledged.get(ends, at))

    def of(self, source, target, at):
        """Whether a message that began at `at` left a trace: its sender went on, or its receiver took it."""
        return self.sent.get((source, target), -1) >= at or self.acknowledged.get((target, source), -1) >= at


def compare(whole, damaged, damage, everything, evidence):
    """Returns what is wrong, and counts."""
    wrong, counts = [], collections.Counter()
    seen = {damaged.ends(line): conn for conn, line in
            ((line["conn"], line) for line in damaged.lines if line["type"] == "connection")}
    ours_sent = {(damaged.ends(e), e["sent"], e["method"], e["target"]): e
                 for e in damaged.exchanges if e["method"] and "sent" in e}
    ours_done = {(damaged.ends(e), e["first"], e["status"]): e
                 for e in damaged.exchanges if "status" in e}

    def missing(what, touched, line, is_answer=False):
        if not touched:
            wrong.append(f"{what} untouched but not found: {str(line)[:300]}")
            return
        counts["touched and missing"] += 1
        conn = seen.get(whole.ends(line))
        if conn is None:
            counts["of connections that were not captured"] += 1
        elif not evidence.of(*whole.ends(line)[::-1 if is_answer else 1], line.get("first", line["t"])):
            counts["of which nothing can be known"] += 1
        elif conn not in damaged.gaps:
            wrong.append(f"{what} missing without a gap: {str(line)[:300]}")

    heads, bodies = {}, {}
    # Of a compressed body nothing can be read behind a hole.
    coded = {line["x"] for line in whole.responses.values() for name, value in line.get("headers", [])
             if name.lower() == "content-encoding"}
    for e in whole.exchanges:
        client, server = whole.ends(e)
        if e["method"] and "sent" in e:
            touched = damage.touches(client, server, e["t"], e["sent"])
            counts["requests untouched" if not touched else "requests touched"] += 1
            same = ours_sent.get(((client, server), e["sent"], e["method"], e["target"]))
            if same is None:
                missing("request", touched, e)
            elif not touched and (same["t"], same["request"]) != (e["t"], e["request"]):
                wrong.append(f"request differs: {e} {same}"[:400])
        if "status" in e and "done" in e:
            touched = damage.touches(server, client, e["first"], e["done"])
            bodies[e["x"]] = touched
            heads[e["x"]] = damage.touches(server, client, e["first"], everything.next(server, client, e["first"]))
            counts["responses untouched" if not touched else "responses touched"] += 1
            same = ours_done.get(((client, server), e["first"], e["status"]))
            if same is None:
                missing("response", touched, e, is_answer=True)
            elif not touched and same["response"] != e["response"] and e["method"] != "HEAD":
                wrong.append(f"response differs: {e} {same}"[:600])
            elif "pairing-uncertain" in same.get("flags", []):
                counts["pairing said to be uncertain"] += 1
            elif same["method"] and (same["method"], same["t"]) != (e["method"], e["t"]):
                asked = damage.touches(client, server, e["t"], e.get("sent", e["t"]))
                wrong.append(f"response of another request (its own touched: {asked}): {same}"[:400])
    truth = {}
    for key, request in whole.requests.items():
        truth[whole.ends(request), request["t"], request["id"].__repr__(), request["method"]] = (
            request, whole.responses.get(key))
    found = set()
    for key, request in damaged.requests.items():
        name = damaged.ends(request), request["t"], repr(request["id"]), request["method"]
        if name not in truth:
            wrong.append(f"a request that never was: {str(request)[:300]}")
            continue
        found.add(name)
        own, response = truth[name]
        if text(own.get("params")) != text(request.get("params")):
            wrong.append(f"params differ: {str(request)[:300]}")
        answer = damaged.responses.get(key)
        for part in ("result", "error"):
            if answer and part in answer and text(answer[part]) != text((response or {}).get(part)):
                wrong.append(f"answer of another: {str(answer)[:300]}")
        if not response or not ("result" in response or "error" in response):
            continue
        if response["outcome"] == "cancelled":
            continue  # Its times are those of the cancellation.
        client, server = whole.ends(response)
        touched = damage.touches(server, client, response["t"], response["done"])
        if response["conn"] == own["conn"] or response.get("via") == "get-sse":
            touched = touched or heads.get(response["x"], True)
        if response["x"] in coded:
            touched = touched or bodies[response["x"]]
        counts["answers untouched" if not touched else "answers touched"] += 1
        if not answer or not ("result" in answer or "error" in answer):
            missing("answer", touched or is_stream_touched(whole, damage, response), response, is_answer=True)
    for name, (request, _) in truth.items():
        client, server = name[0]
        e = request
        touched = damage.touches(client, server, e["t"], e.get("sent", e["t"]))
        counts["calls untouched" if not touched else "calls touched"] += 1
        if name not in found:
            missing("call", touched or heads.get(e["x"], True), e)
    return wrong, counts


def is_stream_touched(whole, damage, response):
    """Whether the request of the stream that carried an answer was touched: then nobody knows what the stream is."""
    for e in whole.exchanges:
        if e["x"] == response["x"]:
            client, server = whole.ends(e)
            return damage.touches(client, server, e["t"], e.get("sent", e["t"]))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("record")
    parser.add_argument("trace")
    parser.add_argument("captures", nargs="+")
    parser.add_argument("--rates", default="0.001,0.01,0.05")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", help="directory for captures and traces that failed")
    options = parser.parse_args()
    failed = 0
    totals = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "damaged.pcap")
        output = os.path.join(directory, "damaged.mcptrace")
        for capture in options.captures:
            with open(capture, "rb") as file:
                start, records = packets(file.read())
            whole = Trace(options.record, capture, os.path.join(directory, "whole.mcptrace"))
            everything = Damage(records)
            for rate in map(float, options.rates.split(",")):
                for seed in range(options.seeds):
                    generator = random.Random(f"{os.path.basename(capture)} {rate} {seed}")
                    kept, dropped = [], []
                    for item in records:
                        (dropped if generator.random() < rate else kept).append(item)
                    with open(path, "wb") as file:
                        file.write(start + b"".join(item[0] for item in kept))
                    damaged = Trace(options.record, path, output)
                    if damaged.code:
                        wrong, counts = [f"exit {damaged.code}: {damaged.said}"], {}
                    else:
                        wrong, counts = compare(
                            whole, damaged, Damage(dropped), everything, Evidence(kept))
                        if not damaged.is_even():
                            wrong.append("bytes do not balance")
                        check = subprocess.run(
                            [options.trace, "validate", output], capture_output=True, text=True)
                        if check.returncode:
                            wrong.append("validate: " + (check.stdout + check.stderr)[:300])
                    totals[rate].update(counts)
                    totals[rate]["runs"] += 1
                    totals[rate]["wrong"] += len(wrong)
                    if wrong:
                        failed += 1
                        name = f"{os.path.basename(capture)} rate {rate} seed {seed}"
                        print(f"{name}: {len(wrong)} wrong, {len(dropped)} packets dropped")
                        for item in wrong[:4]:
                            print("   ", item)
                        if options.keep:
                            for file in (path, output):
                                kept_as = os.path.join(options.keep, f"{name.replace(' ', '-')}{os.path.splitext(file)[1]}")
                                with open(file, "rb") as a, open(kept_as, "wb") as b:
                                    b.write(a.read())
    for rate, counts in sorted(totals.items()):
        print(f"rate {rate}: {dict(counts)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
