"""How `record proxy` ends, and what it does when it cannot write."""

import os
import signal
import socket
import time

from calls import Load, call, recorded_calls
from ports import free_port
from processes import stop
from raw import dial, need, open_session, server, simple_mcp
from recorders import record_proxy
from scenario import check, check_none
from trace_model import Trace


def killed_under_load(context):
    """`kill -9`: all but the last second is readable, the ends only see connections close."""
    with server(simple_mcp) as upstream:
        with record_proxy(context, upstream) as proxy:
            load = Load(proxy.port)
            time.sleep(3)
            load.wait_calls(200)
            killed = time.time_ns()
            proxy.process.kill()
            proxy.process.wait()
            load.wait_end()
        closes = {"closed", "ConnectionResetError", "BrokenPipeError", "Failure"}
        check(set(load.failures) <= closes, f"the clients saw {load.failures}")
        check(len(load.failures) == 4, "not every client saw its connection close")
        direct = dial(upstream)
        direct.send(call(open_session(direct), 1))
        need(direct.message())
    done = context.run("trace", "validate", proxy.trace)
    check(done.stderr.strip(), "no warning about a trace without an end")
    context.run("trace", "show", proxy.trace)
    context.run("trace", "stats", proxy.trace, "--json")
    whole = context.path("whole.mcptrace")
    with open(proxy.trace, "rb") as file, open(whole, "wb") as out:
        data = file.read()
        out.write(data[: data.rfind(b"\n") + 1])
    trace = Trace(whole)
    missing = [at for at in load.done_at if at < killed - 1_200_000_000]
    calls = recorded_calls(trace)
    check(
        len(calls) >= len(missing),
        f"{len(missing)} calls were done 1.2 s before the kill, {len(calls)} are in the trace",
    )
    latest = max(c.at for c in calls)
    context.note(
        f"{len(calls)} of {len(load.done_at)} calls, last {(killed - latest) / 1e9:.2f} s before"
    )


def terminated_under_load(context):
    """SIGTERM: the trace is closed properly, and nothing recorded before is missing."""
    with server(simple_mcp) as upstream:
        with record_proxy(context, upstream) as proxy:
            idle = dial(proxy.port)
            open_session(idle)
            load = Load(proxy.port)
            load.wait_calls(200)
            proxy.process.send_signal(signal.SIGTERM)
            told, began = time.time_ns(), time.monotonic()
            time.sleep(0.3)
            load.stop()
            idle.close()
            proxy.finish(signal.SIGTERM)
            context.note(f"ended {time.monotonic() - began:.1f} s after the signal")
    context.run("trace", "validate", proxy.trace)
    trace = Trace(proxy.trace)
    check_none(trace.check_closed_balance(), "bytes lost or not explained")
    before = [at for at in load.done_at if at < told]
    calls = recorded_calls(trace)
    check(
        len(calls) >= len(before), f"{len(before)} calls before the signal, {len(calls)} recorded"
    )


def port_in_use(context):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = ["--listen", f"127.0.0.1:{port}", "--upstream", "http://127.0.0.1:1"]
        output = context.path("x.mcptrace")
        context.refused("record", "proxy", *words, "--output", output, code=73, saying=[str(port)])


def output_impossible(context):
    words = ["--listen", f"127.0.0.1:{free_port()}", "--upstream", "http://127.0.0.1:1"]
    output = context.path("no-such-folder/x.mcptrace")
    context.refused(
        "record", "proxy", *words, "--output", output, code=73, saying=["no-such-folder"]
    )


DISK = 1_048_576


def wait_size(path, size, seconds=30):
    end = time.monotonic() + seconds
    while os.path.getsize(path) < size:
        check(time.monotonic() < end, f"only {os.path.getsize(path)} bytes written in {seconds} s")
        time.sleep(0.02)


def disk_full(context):
    """A full disk pauses recording; calls go on; the exit code tells."""
    folder = context.path("small")
    os.mkdir(folder)
    mount = f'mount -t tmpfs -o size={DISK} none {folder} && exec "$@"'
    before = ["unshare", "-m", "sh", "-c", mount, "sh"]
    with server(simple_mcp) as upstream:
        with record_proxy(context, upstream, trace="small/t.mcptrace", before=before) as proxy:
            load = Load(proxy.port)
            inside = f"/proc/{proxy.process.pid}/root{proxy.trace}"
            wait_size(inside, DISK * 3 // 4)
            reached = len(load.done_at)
            load.wait_calls(reached + 1000)
            load.stop()
            with open(inside, "rb") as file, open(context.path("t.mcptrace"), "wb") as out:
                out.write(file.read())
            code = stop(proxy.process, signal.SIGINT, 40)
    check(not load.failures, f"calls failed while the disk was full: {load.failures}")
    check(code == 74, f"ended with {code}, not 74")
    check(proxy.told(), "no word about the full disk")
    context.run("trace", "validate", context.path("t.mcptrace"))


SCENARIOS = {
    "proxy-kill-9-under-load": killed_under_load,
    "proxy-sigterm-under-load": terminated_under_load,
    "proxy-port-in-use": port_in_use,
    "proxy-output-impossible": output_impossible,
    "proxy-disk-full": disk_full,
}
