"""`record stdio` between SDK clients and SDK servers, and around programs that misbehave.

The client starts `record stdio -- server`: whatever the server says comes through, the trace holds
it, and the end of either side is the end of the other.
"""

import json
import os
import random
import signal
import subprocess
import time

import handles
from replaying import check_accounts, read_summary, replay
from scenario import check
from trace_model import Trace

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = ["open_case", "add_item", "export", "check_item", "fetch", "close_case"]


def wrapped(context, output, *command):
    return [context.binary("record"), "stdio", "--output", output, "--", *map(str, command)]


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check_footer(path, kinds=()):
    """All bytes are explained, or lost under names that were expected."""
    footer = lines_of(path)[-1]
    check(footer["type"] == "footer", f"no footer but {footer}")
    lost = footer["loss"]
    check(set(lost) == set(kinds), f"losses {lost}")
    explained = footer["bytes_explained"] + sum(loss["bytes"] for loss in lost.values())
    check(footer["bytes_in"] == explained, f"the balance is wrong: {footer}")


def record(context, version, client, name="agent-0"):
    """One SDK agent works with a stdio server under the recorder; returns the trace."""
    python = context.options.pythons[version]
    trace = context.path("%n.mcptrace")
    server = wrapped(context, trace, python, os.path.join(HERE, "handle_server.py"), "--stdio")
    command = [python, os.path.join(HERE, "handle_agents.py"), "--agents", "1"]
    command += ["--client", client, "--server", json.dumps(server)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    check(done.returncode == 0, f"the agent failed: {done.stdout}{done.stderr}"[-3000:])
    return context.path("0.mcptrace")


def sdk(context, version, client):
    """The trace of an SDK agent holds its calls, their values and its session."""
    path = record(context, version, client)
    context.run("trace", "validate", path)
    context.run("trace", "show", path)
    check_footer(path)
    trace = Trace(path)
    check(len(trace.sessions) == 1, f"sessions {list(trace.sessions)}")
    session = next(iter(trace.sessions.values()))
    calls = sorted(request.tool for turn in session.turns() for request in turn if request.tool)
    check(calls == sorted(TOOLS), f"calls {calls}")
    lines = lines_of(path)
    head = next(line for line in lines if line["type"] == "session")
    check(head["transport"] == "stdio" and head["key"]["by"] == "stdio", f"session {head}")
    answers = [line for line in lines if line["type"] == "response"]
    check(all(line["outcome"] == "ok" for line in answers), f"outcomes {answers}"[:800])
    check(all(line.get("x") is None for line in lines), "an exchange without HTTP")
    vias = {line["via"] for line in lines if "via" in line}
    check(vias == {"stdio"}, f"via {vias}")
    bound = [line["tool"] for line in lines if line.get("uses")]
    check(sorted(bound) == sorted(TOOLS[1:]), f"values of answers flow into {bound}")
    how = next(line["how"] for line in lines if line["type"] == "end")
    check(how == "closed", f"the session's end is {how}")


def replayed(context, version):
    """Traces of a stdio server and of HTTP, replayed to either: every clone has its own process."""
    python = context.options.pythons[version]
    server = f"{python} '{os.path.join(HERE, 'handle_server.py')}' --stdio"
    from_stdio = record(context, version, "legacy")
    from_http = handles.record(context, python, "legacy")
    for name, trace, agents in [("stdio", from_stdio, 1), ("http", from_http, handles.AGENTS)]:
        summary = context.path(f"from-{name}.json")
        recorded = context.path(f"from-{name}.mcptrace")
        context.run(
            "replay", "run", trace, "--stdio", server, "--multiply", 6 // agents, "--time-scale", 3,
            "--allow-writes", "--summary", summary, "--record", recorded, expect=(0, 2), timeout=120,
        )  # fmt: skip
        result = read_summary(summary)
        check_accounts(result)
        check(result["sent"] == 6 * len(TOOLS), f"from {name}: sent {result['sent']}")
        check(result["success_ratio"] == 1, f"from {name}: {result['outcomes']}")
        check(result["fidelity"]["chains_exact"] == 1, f"from {name}: chains are not exact")
        context.run("trace", "validate", recorded)
        starts = [line for line in lines_of(recorded) if line["type"] == "connection"]
        check(len({line["conn"] for line in starts}) == 6, f"from {name}: processes {starts[:3]}")
    with handles.handle_server(python) as target:
        summary, _, _ = replay(
            context, from_stdio, target, "--multiply", 5, "--allow-writes", name="to-http",
            expect=(0, 2),
        )  # fmt: skip
        check(summary["success_ratio"] == 1, f"stdio to HTTP: {summary['outcomes']}")


def bytes_alone(context):
    """Whatever goes in comes out, text or not, in pieces of any size."""
    trace = context.path("bytes.mcptrace")
    data = random.Random(5).randbytes(3_000_000) + b"x" * (17 << 20) + b"\n{}\nno end"
    done = subprocess.run(wrapped(context, trace, "cat"), input=data, capture_output=True, timeout=60)
    check(done.stdout == data, "other bytes came out than went in")
    check(done.stderr == b"", f"something was said: {done.stderr[:200]}")
    check(done.returncode == 0, f"ended with {done.returncode}")
    kinds = ["limit.stdio_line", "stdio.not_jsonrpc"]
    footer = lines_of(trace)[-1]
    shed = [kind for kind in ("stdio.shed", "stdio.cut_line") if kind in footer["loss"]]
    check_footer(trace, kinds + shed)


def ends(context):
    """Exit codes and signals go through; the end of one side is the end of the other."""
    cases = {
        "exit 7": (7, b"out\n", b"err\n"), "kill -TERM $$": (143, b"out\n", b"err\n"),
        "exec >&-; cat >/dev/null; exit 4": (4, b"out\n", b"err\n"),
    }  # fmt: skip
    for number, (script, (code, out, err)) in enumerate(cases.items()):
        trace = context.path(f"end-{number}.mcptrace")
        command = wrapped(context, trace, "sh", "-c", f"echo out; echo err >&2; {script}")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        told = (done.returncode, done.stdout, done.stderr)
        check(told == (code, out, err), f"`{script}` gave {told}")
        context.run("trace", "validate", trace)
    # A signal to the recorder reaches the server, which says goodbye.
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        trace = context.path(f"{sign.name}.mcptrace")
        script = f"trap 'echo bye; exit 9' {sign.name[3:]}; echo ready; while :; do sleep 0.05; done"
        command = wrapped(context, trace, "bash", "-c", script)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            check(process.stdout.readline() == b"ready\n", "not ready")
            process.send_signal(sign)
            code = process.wait(20)
            check(process.stdout.read() == b"bye\n", "the server's goodbye is lost")
        check(code == 9, f"{sign.name}: ended with {code}")
    # The client closes the server's input: the server ends, and its last word is heard.
    command = wrapped(context, context.path("eof.mcptrace"), "sh", "-c", "cat >/dev/null; echo last; exit 5")
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    check((done.returncode, done.stdout) == (5, b"last\n"), f"at end of input: {done}")
    # The client's end of the output is gone: the server is told by SIGPIPE.
    command = wrapped(context, context.path("pipe.mcptrace"), "yes")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        check(process.wait(20) == 141, f"without a reader: ended with {process.returncode}")
    context.refused(
        "record", "stdio", "--output", context.path("none.mcptrace"), "--", "/no/such/server", code=69,
        saying=["/no/such/server"],
    )  # fmt: skip
    check(not os.path.exists(context.path("none.mcptrace")), "a trace of nothing was left")


def killed(context):
    """After SIGKILL all up to the last flush is readable, and the server has ended."""
    trace = context.path("killed.mcptrace")
    message = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    with subprocess.Popen(
        wrapped(context, trace, "cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(message)
        process.stdin.flush()
        check(process.stdout.readline() == message, "the message did not come back")
        time.sleep(1.5)
        process.kill()
        check(process.stdout.read() == b"", "the server did not end")
    kinds = [line["type"] for line in lines_of(trace)]
    check(kinds.count("request") == 2, f"lines {kinds}")


SCENARIOS = {
    f"stdio-{version}-{client}": lambda context, how=(version, client): sdk(context, *how)
    for version, client in [("1.30.0", "legacy"), ("2.3.0", "legacy"), ("2.3.0", "auto")]
}
for version in ("1.30.0", "2.3.0"):
    SCENARIOS[f"stdio-{version}-replay"] = lambda context, version=version: replayed(context, version)
SCENARIOS["stdio-bytes"] = bytes_alone
SCENARIOS["stdio-ends"] = ends
SCENARIOS["stdio-killed"] = killed
