"""What `record proxy` listens on and forwards to: several pairs, IPv6, names, another Host."""

import os
import subprocess

from matrix import HERE
from ports import free_port, wait_listening
from processes import sdk_server
from raw import answer, dial, need, open_session, post, result, server, simple_mcp
from recorders import record_proxy
from scenario import check, check_none
from trace_model import Trace
from truth import Truth


def run_agents(python, url, log, *options, before=()):
    """SDK agents against a URL; fails when a call of theirs does."""
    command = [*before, python, os.path.join(HERE, "sdk_agents.py"), url, "--log", log, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    check(done.returncode == 0, f"the agents failed: {done.stdout}{done.stderr}")


def pairs(context):
    """SDK agents to two SDK servers through one process, one of its listeners on IPv6."""
    python = context.options.pythons
    logs = [context.path(name) for name in ("one.jsonl", "two.jsonl", "agents.jsonl")]
    second = free_port()
    quick = ["--agents", "2", "--turns", "3", "--think-max", "60"]
    with (
        sdk_server(python["1.30.0"], logs[0]) as (_, one),
        sdk_server(python["2.3.0"], logs[1]) as (_, two),
    ):
        more = ["--listen", f"[::1]:{second}", "--upstream", f"http://localhost:{two}"]
        with record_proxy(context, one, *more, "--no-redact") as proxy:
            wait_listening(second, proxy.process, proxy.errors)
            run_agents(python["1.30.0"], proxy.url, logs[2], *quick)
            run_agents(python["2.3.0"], f"http://[::1]:{second}/mcp", logs[2] + "2", *quick)
            proxy.finish()
    context.run("trace", "validate", proxy.trace)
    trace = Trace(proxy.trace)
    check_none(trace.check_closed_balance(), "bytes lost or not explained")
    ways = {(line["server"], line["upstream"]) for line in trace.connections.values()}
    wanted = {(f"127.0.0.1:{proxy.port}", one), (f"[::1]:{second}", two)}
    found = {(server_of, int(upstream.rsplit(":", 1)[1])) for server_of, upstream in ways}
    check(found == wanted, f"connections went {found}, not {wanted}")
    calls = sum(len(s.requests("tools/call")) for s in trace.sessions.values())
    made = sum(len(Truth(log, logs[2]).executed) for log in logs[:2])
    check(calls == made > 0, f"{made} calls made, {calls} recorded")


def upstream_name(context):
    """Of a name's addresses, the one that answers is taken; another one when the name moves."""
    hosts, listen = context.path("hosts"), free_port()
    heard = []

    def name(*addresses):
        # In place: it is mounted.
        with open(hosts, "w", encoding="ascii") as file:
            file.writelines(f"{address} mcp.test\n" for address in addresses)

    def talk(side):
        heard.append(side.connection.getsockname()[0])
        simple_mcp(side)

    def once(port):
        side = dial(port)
        open_session(side)
        side.close()

    name("127.0.0.2", "127.0.0.3")
    mounted = 'mount --bind "$0" /etc/hosts && exec "$@"'
    upstream = free_port()
    options = ["--listen", f"127.0.0.1:{listen}", "--upstream", f"http://mcp.test:{upstream}"]
    options += ["--payloads", "full"]
    with record_proxy(
        context, 1, *options, before=["unshare", "-m", "sh", "-c", mounted, hosts]
    ) as proxy:
        wait_listening(listen, proxy.process, proxy.errors)
        for address in ("127.0.0.2", "127.0.0.3"):
            with server(talk, upstream, address):
                once(listen)
        name("127.0.0.4")
        with server(talk, upstream, "127.0.0.4"):
            once(listen)
        proxy.finish()
    check(heard == ["127.0.0.2", "127.0.0.3", "127.0.0.4"], f"connected to {heard}")
    context.run("trace", "validate", proxy.trace)
    lines = Trace(proxy.trace).connections.values()
    recorded = [line["upstream"] for line in sorted(lines, key=lambda line: line["conn"])]
    check(recorded == [f"{address}:{upstream}" for address in heard], f"recorded {recorded}")


def another_host(context):
    """`--upstream-host` changes that field and no other byte; the trace has what the client sent."""
    heads = []

    def talk(side):
        while (message := side.message()) is not None:
            heads.append((message, side.fields))
            side.send(answer(result(1, {"content": []})))

    call = post("tools/call", 1, {"name": "t", "arguments": {"text": "Host: x\r\n" * 9000}})
    with server(talk) as upstream:
        for options in ([], ["--upstream-host", "mcp.example:81"]):
            with record_proxy(context, upstream, *options, "--no-redact") as proxy:
                side = dial(proxy.port)
                for _ in range(3):
                    side.send(call)
                    need(side.message())
                side.close()
                proxy.finish()
    (plain, fields), (changed, other) = heads[0], heads[3]
    check(heads[:3] == [heads[0]] * 3 and heads[3:] == [heads[3]] * 3, "heads differ in a series")
    check(("host", "127.0.0.1:8000") in fields, f"sent as it came: {fields}")
    swapped = [(n, "mcp.example:81" if n == "host" else value) for n, value in fields]
    check(other == swapped, f"{fields} became {other}")
    check((plain[0], plain[2]) == (changed[0], changed[2]), "more than a field has changed")
    context.run("trace", "validate", proxy.trace)
    trace = Trace(proxy.trace)
    check_none(trace.check_closed_balance(), "bytes lost or not explained")
    seen = {
        value
        for session in trace.sessions.values()
        for request in session.requests()
        for field, value in request.headers
        if field.lower() == "host"
    }
    check(seen == {"127.0.0.1:8000"}, f"recorded hosts: {seen}")


def refusals(context):
    """What does not pair or is no address is said in a sentence that helps."""
    proxy = ["record", "proxy", "--output", context.path("x.mcptrace")]
    pair = ["--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"]
    context.refused(*proxy, "--listen", "127.0.0.1:0", code=64, saying=["--upstream"])
    context.refused(*proxy, *pair, *pair, "--listen", "127.0.0.1:0", code=64, saying=["3 --listen"])
    context.refused(*proxy, *pair, "--listen", "::1:0", code=64, saying=["[IPV6]:PORT"])
    context.refused(*proxy, *pair, "--listen", "unix:x", code=64, saying=["absolute path"])
    context.refused(*proxy, *pair, "--upstream-host", "a b", code=64, saying=["a b"])
    taken = context.path("file")
    with open(taken, "w", encoding="ascii"):
        pass
    context.refused(*proxy, *pair, "--listen", f"unix:{taken}", code=73, saying=[taken])
    check(not os.path.exists(context.path("x.mcptrace")), "a trace was created for nothing")


SCENARIOS = {
    "proxy-pairs": pairs,
    "proxy-upstream-name": upstream_name,
    "proxy-upstream-host": another_host,
    "proxy-routes-refused": refusals,
}
