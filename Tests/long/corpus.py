"""Compares what `record pcap` finds in captures with what another dissector found.

usage: python3 corpus.py CORPUS RECORD [--only TEXT] [--argued FILE] [--more]

CORPUS holds captures, each with FILE.oracle.json beside it (requests and responses as tshark gives them, times of the
completing segment, SHA-256 of decoded bodies) and perhaps FILE.keys, a TLS key log. RECORD is the program.
Asked of every capture: exit code 0 or 65, at most 10 s, a balance that is even, at least the oracle's requests (method,
target, `sent` to the microsecond) and at least its final responses (status, SHA-256 of the decoded body). A body the
oracle does not have (it could not decode it) may be anything. What misses for a reason stands in the file of arguments:
path, what, why, with tabs between. Exit code 1 when something misses without one.
"""

import argparse
import calendar
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

EMPTY = hashlib.sha256(b"").hexdigest()
TIME_LIMIT = 10


def nanoseconds(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])


def origin(text):
    seconds, fraction = text.rstrip("Z").split(".")
    date = time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(date) * 10**9 + int(fraction)


def record(program, capture, directory):
    """Returns the exit code (None: too slow), what it said, and the lines of the trace."""
    output = os.path.join(directory, "a.mcptrace")
    if os.path.exists(output):
        os.unlink(output)
    command = [program, "pcap", capture, "--exchanges", "--no-redact", "-q", "-o", output]
    if os.path.exists(capture + ".keys"):
        command += ["--keylog", capture + ".keys"]
    try:
        run = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return None, "", []
    if run.returncode == 64 and "--keylog" in command:
        run = subprocess.run(command[:-2], capture_output=True, timeout=TIME_LIMIT)
    lines = []
    if os.path.exists(output):
        with open(output, "rb") as file:
            lines = [json.loads(line) for line in file]
    return run.returncode, run.stderr.decode(errors="replace"), lines


def is_even(footer):
    lost = sum(loss["bytes"] for loss in footer["loss"].values())
    if footer["bytes_in"] != footer["bytes_explained"] + lost:
        return False
    for key in ("packets", "tcp_bytes"):
        classes = footer.get(key) or {}
        if classes.get("in", 0) != sum(v for k, v in classes.items() if k != "in"):
            return False
    return True


def expected(oracle):
    """Returns the oracle's requests and final responses, HTTP/1 and HTTP/2."""
    requests, responses = [], []
    for one in (oracle.get("http1") or {}).get("requests", []):
        requests.append((nanoseconds(one["time"]) // 1000, one["method"], one["uri"]))
    for one in (oracle.get("http1") or {}).get("responses", []):
        if one["code"] >= 200 or one["code"] == 101:
            responses.append((one["code"], one.get("body_sha256")))
    for stream in (oracle.get("http2") or {}).get("streams", []):
        if "request" in stream:
            head, body = stream["request"], stream.get("request_body") or {}
            sent = max(nanoseconds(t) for t in (head["time"], body.get("last_time", "0.0")))
            requests.append((sent // 1000, head.get("method", ""), head.get("uri", "")))
        finals = [r for r in stream.get("responses", []) if int(r["code"]) >= 200]
        for one in finals:
            body = stream.get("response_body") or {}
            responses.append((int(one["code"]), body.get("sha256") if one is finals[-1] else None))
    return requests, responses


def missing_requests(wanted, ours):
    """Returns requests that are not there, and those that are there at another time."""
    left = collections.Counter(wanted) - collections.Counter(ours)
    spare = collections.Counter(ours) - collections.Counter(wanted)
    nowhen = collections.Counter((m, u) for _, m, u in spare.elements())
    missing, late = [], []
    for request in left.elements():
        if nowhen[request[1:]] > 0:
            nowhen[request[1:]] -= 1
            late.append(request)
        else:
            missing.append(request)
    return missing, late


def missing_responses(wanted, ours):
    """Returns statuses that are not there, and bodies that are not."""
    known = collections.Counter(r for r in wanted if r[1])
    left = known - collections.Counter((s, h) for s, h in ours if h)
    spare = collections.Counter(s for s, _ in ours) - collections.Counter(
        s for s, _ in (known - left).elements())
    missing, differing = [], []
    for status, body in list(left.elements()) + [r for r in wanted if not r[1]]:
        if spare[status] > 0:
            spare[status] -= 1
            if body:
                differing.append((status, body))
        else:
            missing.append((status, body))
    return missing, differing


def compare(program, capture, oracle, directory):
    """Returns what is wrong: pairs of a kind and a text; and the totals."""
    totals = collections.Counter(files=1)
    found = []
    began = time.monotonic()
    code, said, lines = record(program, capture, directory)
    spent = time.monotonic() - began
    if code is None:
        return [("time", f"more than {TIME_LIMIT} s")], totals, {}
    if code not in (0, 65):
        found.append(("exit", f"{code} {said.strip()[-200:]}"))
    elif code == 65:
        found.append(("unreadable", said.strip()[-160:]))
    totals["milliseconds"] += round(spent * 1000)
    footer = lines[-1] if lines and lines[-1]["type"] == "footer" else None
    if lines and not (footer and is_even(footer)):
        found.append(("balance", "not even" if footer else "no footer"))
    exchanges = [line for line in lines if line["type"] == "exchange"]
    start = origin(lines[0]["t0"]) if lines else 0
    requests, responses = expected(oracle)
    ours = [
        ((start + e["sent"]) // 1000, e["method"], e["target"])
        for e in exchanges if e["method"] and "sent" in e
    ]
    answers = [(e["status"], e["response"].get("sha256")) for e in exchanges if "status" in e]
    missing, late = missing_requests(requests, ours)
    absent, differing = missing_responses(responses, answers)
    totals["requests"] += len(requests)
    totals["responses"] += len(responses)
    totals["requests more"] += max(0, len(ours) - len(requests))
    totals["responses more"] += max(0, len(answers) - len(responses))
    for kind, items in (
        ("request", missing), ("sent", late), ("response", absent), ("body", differing)
    ):
        if items:
            totals[kind + " missing"] += len(items)
            of = len(requests) if kind in ("request", "sent") else len(responses)
            found.append((kind, f"{len(items)} of {of}, first {str(items[0])[:150]}"))
    return found, totals, (footer or {}).get("loss", {})


def arguments(path):
    """Returns why something misses, by capture and kind."""
    reasons = {}
    if not path:
        return reasons
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                capture, kind, why = line.rstrip("\n").split("\t")
                reasons[capture, kind] = why
    return reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus")
    parser.add_argument("record")
    parser.add_argument("--only", default="", help="captures whose path holds this text")
    parser.add_argument("--argued", help="file of arguments: path, kind, why")
    parser.add_argument("--more", action="store_true", help="say where there is more than asked")
    options = parser.parse_args()
    reasons = arguments(options.argued)
    totals = collections.Counter()
    groups = collections.Counter()
    with tempfile.TemporaryDirectory() as directory:
        for folder, folders, names in sorted(os.walk(options.corpus)):
            folders.sort()
            for name in sorted(names):
                if not name.endswith(".oracle.json") or name.endswith(".sse-oracle.json"):
                    continue
                capture = os.path.join(folder, name.removesuffix(".oracle.json"))
                path = os.path.relpath(capture, options.corpus)
                if options.only not in path or not os.path.exists(capture):
                    continue
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    oracle = json.load(file)
                found, one, loss = compare(options.record, capture, oracle, directory)
                totals += one
                open_ones = []
                for kind, text in found:
                    if (path, kind) in reasons:
                        groups[kind + ", argued"] += 1
                    else:
                        groups[kind] += 1
                        open_ones.append((kind, text))
                more = [k for k in ("requests more", "responses more") if one[k]]
                if options.more and more:
                    open_ones += [("more", ", ".join(f"{one[k]} {k}" for k in more))]
                if open_ones:
                    print(path)
                    for kind, text in open_ones:
                        print(f"    {kind}: {text}")
                    if loss:
                        named = ", ".join(f"{k} {v['bytes']}" for k, v in loss.items())
                        print(f"    losses: {named}")
    print("totals:", dict(totals))
    print("captures with:", dict(sorted(groups.items())))
    return 1 if any(not kind.endswith("argued") for kind in groups) else 0


if __name__ == "__main__":
    sys.exit(main())
