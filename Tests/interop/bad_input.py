"""Files that cannot be read, are not what they should be, or end too early."""

import json
import os
import shutil
import subprocess

from scenario import check
from trace_model import Trace
from venvs import ROOT

CAPTURES = os.path.join(ROOT, "captures")


def trace_of(context, capture="stateful-sse"):
    trace = context.path(f"{capture}.mcptrace")
    context.run("record", "pcap", os.path.join(CAPTURES, f"{capture}.pcap"), "--output", trace)
    return trace


def write(context, name, data):
    path = context.path(name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def not_a_capture(context):
    whole = read(os.path.join(CAPTURES, "stateful-json.pcap"))
    output = context.path("x.mcptrace")
    for name, data in {
        "text.pcap": b"this is no capture\n" * 40,
        "empty.pcap": b"",
        "short-header.pcap": whole[:20],
        "no-packets.pcap": whole[:24],
    }.items():
        path = write(context, name, data)
        context.refused("record", "pcap", path, "--output", output, code=65, saying=[name])
    for path in (context.path("absent.pcap"), context.folder):
        name = os.path.basename(path)
        context.refused("record", "pcap", path, "--output", output, code=65, saying=[name])


def torn_capture(context):
    """Cut in the middle of a packet: read up to there, warned about."""
    whole = read(os.path.join(CAPTURES, "stateful-sse.pcap"))
    torn, trace = (
        write(context, "torn.pcap", whole[: len(whole) * 2 // 3]),
        context.path("t.mcptrace"),
    )
    done = context.run("record", "pcap", torn, "--output", trace)
    check(done.stderr.strip(), "no warning about the cut")
    context.run("trace", "validate", trace)
    cut, all_of_it = Trace(trace), Trace(trace_of(context))
    (session,), (entire,) = cut.sessions.values(), all_of_it.sessions.values()
    calls, every = session.requests("tools/call"), entire.requests("tools/call")
    check(0 < len(calls) < len(every), f"{len(calls)} of {len(every)} calls")
    check(
        [c.id for c in calls] == [c.id for c in every[: len(calls)]],
        "other calls than before the cut",
    )
    check(session.end and session.end["how"] == "capture-end", f"how it ended: {session.end}")


def capture_from_the_middle(context):
    """Begun after the handshake: the session is made from its id, and marked as cut."""
    whole = read(os.path.join(CAPTURES, "stateful-sse.pcap"))
    at, skipped = 24, 0
    while skipped < 120:
        at += 16 + int.from_bytes(whole[at + 8 : at + 12], "little")
        skipped += 1
    late, trace = write(context, "late.pcap", whole[:24] + whole[at:]), context.path("t.mcptrace")
    context.run("record", "pcap", late, "--output", trace)
    context.run("trace", "validate", trace)
    (session,) = Trace(trace).sessions.values()
    check(session.info.get("start") == "cut", f"start is {session.info.get('start')}")
    check(session.key.get("by") == "mcp-session-id", f"key {session.key}")


def later_version(context):
    lines = read(trace_of(context)).split(b"\n")
    header = {**json.loads(lines[0]), "version": 2}
    path = write(context, "later.mcptrace", b"\n".join([json.dumps(header).encode(), *lines[1:]]))
    for command in (
        ["trace", "validate"],
        ["trace", "show"],
        ["trace", "stats"],
        ["replay", "plan"],
    ):
        context.refused(*command, path, code=65, saying=["later.mcptrace"])
    target = ["--target", "http://127.0.0.1:1/mcp", "--allow-writes"]
    context.refused("replay", "run", path, *target, code=65)


def torn_trace(context):
    """Cut in the middle of a line: read up to there, warned about."""
    whole = read(trace_of(context))
    cut = whole.rfind(b"\n", 0, len(whole) * 2 // 3) + 40
    path = write(context, "torn.mcptrace", whole[:cut])
    for command in (["trace", "validate"], ["trace", "show"], ["trace", "stats", "--json"]):
        done = context.run(*command[:2], path, *command[2:])
        check(done.stderr.strip(), f"{command} does not warn about the cut")


def compressed_trace(context):
    """The zstd tool reads what is written, and what it writes is read; a cut is warned about, damage refused."""
    plain, packed = read(trace_of(context)), context.path("packed.mcptrace.zst")
    capture = os.path.join(CAPTURES, "stateful-sse.pcap")
    context.run("record", "pcap", capture, "--output", packed, "--zstd-level", "9")
    whole = read(packed)
    if shutil.which("zstd"):
        text = subprocess.run(["zstd", "-dc", packed], stdout=subprocess.PIPE, check=True).stdout
        check(
            len(text.splitlines()) == len(plain.splitlines()), "zstd -dc gives another number of lines"
        )
        theirs = subprocess.run(
            ["zstd", "-c"], input=plain, stdout=subprocess.PIPE, check=True
        ).stdout
        context.run("trace", "validate", write(context, "theirs.mcptrace", theirs))
    cut = write(context, "cut.mcptrace.zst", whole + whole[: len(whole) // 2])
    done = context.run("trace", "show", cut)
    check("cut off" in done.stderr, f"the cut is not warned about: {done.stderr}")
    # The header is a frame of its own, so that a trace is one from its first moment.
    second = whole.index(bytes.fromhex("28b52ffd"), 4)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path = write(context, "flipped.mcptrace.zst", bytes(flipped))
    context.refused("trace", "validate", path, code=65, saying=["damaged", f"byte {second}:"])


def not_a_trace(context):
    for name, data in {
        "text.mcptrace": b"hello\n",
        "empty.mcptrace": b"",
        "json.mcptrace": b'{"type":"session","session":"s1"}\n',
        "binary.mcptrace": os.urandom(5000),
    }.items():
        path = write(context, name, data)
        for command in (["trace", "validate"], ["trace", "show"], ["replay", "plan"]):
            context.refused(*command, path, code=65, saying=[name])
    context.refused("trace", "show", context.path("absent.mcptrace"), code=65, saying=["absent"])


def broken_lines(context):
    """`trace validate` finds what breaks the schema or the definitions, and says where."""
    lines = [json.loads(line) for line in read(trace_of(context)).splitlines()]

    def first(kind, **keys):
        return next(
            i
            for i, line in enumerate(lines)
            if line["type"] == kind and all(line.get(k) == v for k, v in keys.items())
        )

    call, answer = first("request", method="tools/call"), first("response")
    for name, (index, change) in {
        "unknown-outcome": (answer, {"outcome": "fine"}),
        "answer-to-nothing": (answer, {"re": 9999}),
        "time-as-text": (call, {"t": "now"}),
        "no-method": (call, {"method": None}),
        "wait-for-nothing": (call, {"after": [9999]}),
        "number-twice": (call, {"n": lines[answer]["n"]}),
        "direction": (call, {"dir": "up"}),
    }.items():
        bad = [dict(line) for line in lines]
        bad[index].update(change)
        bad[index] = {key: value for key, value in bad[index].items() if value is not None}
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in bad)
        path = write(context, f"{name}.mcptrace", text.encode())
        done = context.run("trace", "validate", path, expect=65)
        told = done.stderr + done.stdout
        check(str(index + 1) in told, f"{name}: line {index + 1} is not named: {told}")


def wrong_usage(context):
    for command in (
        ["record", "proxy"],
        ["record", "nonsense"],
        ["record", "pcap"],
        ["replay", "run"],
        ["replay", "run", "x.mcptrace", "--multiply", "many", "--target", "http://127.0.0.1:1/mcp"],
        ["trace", "show", "--no-such-option", "x.mcptrace"],
    ):
        context.run(*command, expect=64)
    words = ["--listen", "127.0.0.1:1", "--upstream", "http://192.0.2.1:80"]
    output = context.path("x.mcptrace")
    done = context.run("record", "proxy", *words, "--output", output, expect=64)
    for word in ("full", "shape", "none"):
        check(word in done.stderr, f"`--payloads {word}` is not offered: {done.stderr}")
    for name in ("record", "replay", "trace"):
        check(
            "USAGE" in context.run(name, "--help").stdout.upper(), f"{name} --help shows no usage"
        )


SCENARIOS = {
    "input-not-a-capture": not_a_capture,
    "input-torn-capture": torn_capture,
    "input-capture-from-the-middle": capture_from_the_middle,
    "input-later-version": later_version,
    "input-torn-trace": torn_trace,
    "input-compressed-trace": compressed_trace,
    "input-not-a-trace": not_a_trace,
    "input-broken-lines": broken_lines,
    "input-wrong-usage": wrong_usage,
}
