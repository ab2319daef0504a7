"""Bad weather around `replay run`: the result is always written and its arithmetic holds."""

import json
import os
import signal
import subprocess
import threading

from ports import free_port, wait_listening
from processes import running, sdk_server
from raw import answer, server, simple_mcp
from replaying import check_accounts, read_summary, replay
from scenario import check, check_none
from trace_model import Trace
from truth import lines
from venvs import ROOT

CAPTURE = os.path.join(ROOT, "captures", "parallel-three-agents.pcap")


def demo_trace(context):
    """The trace of the capture with three agents: 17 calls in 20 s."""
    trace = context.path("demo.mcptrace")
    context.run("record", "pcap", CAPTURE, "--output", trace)
    return trace


def target_absent(context):
    words = ["--target", f"http://127.0.0.1:{free_port()}/mcp", "--allow-writes"]
    context.refused("replay", "run", demo_trace(context), *words, code=69)


def write_guard(context):
    """Without `--allow-writes` nothing is sent, and the tools in question are named with counts."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["1.30.0"], log) as (_, target):
        trace = demo_trace(context)
        done = context.run(
            "replay", "run", trace, "--target", f"http://127.0.0.1:{target}/mcp",
            expect=range(1, 75),
        )  # fmt: skip
        check("create_note" in done.stderr, f"the write call is not named: {done.stderr}")
        check(not lines(log, "call"), "calls were sent all the same")


def server_dies(context):
    """The server is killed under the load: every planned call is accounted for."""
    log = context.path("server.jsonl")
    with sdk_server(context.options.pythons["1.30.0"], log, "--few-tools") as (process, target):
        trace = demo_trace(context)
        threading.Timer(2.5, process.kill).start()
        options = ["--multiply", 3, "--time-scale", 0.2, "--allow-writes"]
        summary, recorded, _ = replay(context, trace, target, *options, expect=(0, 1, 2, 69))
    check_accounts(summary)
    outcomes = summary["outcomes"]
    check(outcomes["ok"] > 0, f"nothing worked before the server died: {outcomes}")
    check(
        outcomes["ok"] < summary["plan"]["calls"], f"all calls worked in a dead server: {outcomes}"
    )
    context.run("trace", "validate", recorded)
    context.note(f"sent {summary['sent']} of {summary['plan']['calls']}: {outcomes}")


def server_restarts(context):
    """A restarted server knows no session: lost ones are told from other errors, new ones work."""
    python, log = context.options.pythons["1.30.0"], context.path("server.jsonl")
    trace = demo_trace(context)
    found, errors = [], []
    with sdk_server(python, log, "--few-tools") as (process, target):
        options = ["--multiply", 3, "--time-scale", 0.4, "--allow-writes"]

        def load():
            try:
                found.append(replay(context, trace, target, *options, expect=(0, 1, 2)))
            except Exception as error:
                errors.append(str(error))

        loading = threading.Thread(target=load)
        loading.start()
        loading.join(3)
        process.kill()
        process.wait()
        with sdk_server(python, context.path("again.jsonl"), "--few-tools", port=target):
            loading.join(60)
    check_none(errors, "the replay failed")
    check(found, "the replay did not end within a minute")
    check_accounts(found[0][0])
    outcomes = found[0][0]["outcomes"]
    failed = outcomes["session_lost"] + outcomes["transport_error"]
    check(failed > 0, f"no call noticed the restart: {outcomes}")
    check(lines(context.path("again.jsonl"), "call"), "no session worked after the restart")
    context.note(json.dumps({key: value for key, value in outcomes.items() if value}))


def interrupted(context):
    """Ctrl-C drains: exit 130, results so far are written, what was not sent is aborted."""
    log, summary = context.path("server.jsonl"), context.path("s.json")
    with sdk_server(context.options.pythons["1.30.0"], log, "--few-tools") as (_, target):
        words = [context.binary("replay"), "run", demo_trace(context), "--allow-writes"]
        words += ["--target", f"http://127.0.0.1:{target}/mcp", "--summary", summary]
        with running(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            wait_for_calls(log, 4)
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
            told = process.stderr.read().decode()
    check(code == 130, f"ended with {code}, not 130: {told[-800:]}")
    result = read_summary(summary)
    check_accounts(result)
    check(
        result["aborted"] > 0 and result["sent"] >= 4,
        f"sent {result['sent']}, aborted {result['aborted']}",
    )
    check(len(lines(log, "call")) == result["sent"], "the server saw another number of calls")


def wait_for_calls(log, count, seconds=20):
    tick = threading.Event()
    for _ in range(seconds * 20):
        if os.path.exists(log) and len(lines(log, "call")) >= count:
            return
        tick.wait(0.05)
    check(False, f"the server saw no {count} calls in {seconds} s")


def garbage_server(context):
    """A server that answers no HTTP: errors, counted, and an end."""
    with server(lambda side: (side.receive(), side.send(os.urandom(4000)))) as target:
        options = ["--time-scale", 0.05, "--allow-writes"]
        words = [context.path("s.json"), demo_trace(context)]
        done = context.run(
            "replay", "run", words[1], "--target", f"http://127.0.0.1:{target}/mcp",
            "--summary", words[0], *options, expect=(0, 1, 2, 69),
        )  # fmt: skip
    if done.returncode == 69:
        check(done.stderr.strip(), "no word about what the target answered")
        return
    summary = read_summary(words[0])
    check_accounts(summary)
    check(summary["outcomes"]["ok"] == 0, f"garbage made calls succeed: {summary['outcomes']}")


def lost_sessions(context):
    """404 to a known session: the session ends, its calls are accounted for."""

    def talk(side):
        simple_mcp(side, on_call=lambda rpc_id, _: answer(b"{}", "404 Not Found"))

    with server(talk) as target:
        options = ["--multiply", 2, "--time-scale", 0.05, "--allow-writes"]
        summary, recorded, _ = replay(
            context, demo_trace(context), target, *options, expect=(0, 1, 2)
        )
    check_accounts(summary)
    check(
        summary["outcomes"]["session_lost"] == 6, f"six sessions were lost: {summary['outcomes']}"
    )
    context.run("trace", "validate", recorded)


def reproducible(context):
    """The plan is a pure function of trace, options and seed."""
    trace = demo_trace(context)
    options = ["--multiply", 5, "--time-scale", 0.5, "--seed", 11]
    plans = [context.run("replay", "plan", trace, *options).stdout for _ in range(2)]
    check(plans[0] == plans[1] and plans[0].strip(), "two plans of one seed differ")
    other = context.run("replay", "plan", trace, *options[:-1], 12).stdout
    check(other != plans[0], "another seed gives the same plan")


def demo(context):
    """`replay demo` needs nothing and ends with a result."""
    done = context.run("replay", "demo", timeout=90)
    check(done.stdout.strip(), "no result printed")


def calls_of(trace):
    return [c for s in Trace(trace).sessions.values() for turn in s.turns() for c in turn]


def served(context):
    """A trace served by `replay serve` and replayed against it: every call has its recorded outcome."""
    port = free_port()
    capture = os.path.join(ROOT, "captures", "stateful-sse.pcap")
    trace = context.path("served.mcptrace")
    context.run("record", "pcap", capture, "--output", trace)
    words = [context.binary("replay"), "serve", trace, "--listen", f"127.0.0.1:{port}"]
    with open(context.path("serve.stderr"), "wb") as file:
        with running(words, stdout=subprocess.DEVNULL, stderr=file) as process:
            wait_listening(port, process, file.name)
            options = ["--multiply", 3, "--allow-writes"]
            summary, _, _ = replay(context, trace, port, *options, expect=(0, 2))
    check_accounts(summary)
    check(summary["sent"] == 3 * len(calls_of(trace)), f"{summary['sent']} calls sent")
    check(summary["new_error_ratio"] == 0, f"served answers made errors: {summary['outcomes']}")
    check(summary["fidelity"]["chains_exact"] == 1, f"{summary['fidelity']}")


SCENARIOS = {
    "replay-target-absent": target_absent,
    "replay-write-guard": write_guard,
    "replay-server-dies": server_dies,
    "replay-server-restarts": server_restarts,
    "replay-interrupted": interrupted,
    "replay-garbage-server": garbage_server,
    "replay-lost-sessions": lost_sessions,
    "replay-plan-reproducible": reproducible,
    "replay-demo": demo,
    "replay-serve": served,
}
