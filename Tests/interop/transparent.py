"""`record proxy --transparent` on a router: the rules that it prints bring real connections to it."""

import contextlib
import subprocess
import sys
import time

from namespaces import row
from processes import read_line, running, sdk_server
from recorders import recorder
from routes import run_agents
from scenario import check, check_none
from trace_model import Trace
from truth import Truth

SERVICE, PROXY = 8000, 8080
SERVER = f"10.77.2.2:{SERVICE}"
SERVER6 = f"[fd77:2::2]:{SERVICE}"
# Nobody in particular: the rules leave the user alone who runs record.
OTHER_USER = ["setpriv", "--reuid", "65534", "--clear-groups"]

SERVE = """
import http.server, socket, socketserver, sys
socketserver.TCPServer.allow_reuse_address = True
if ":" in sys.argv[1]:
    socketserver.TCPServer.address_family = socket.AF_INET6
handler = http.server.SimpleHTTPRequestHandler
with socketserver.TCPServer((sys.argv[1], int(sys.argv[2])), handler) as server:
    print("serving", flush=True)
    server.serve_forever()
"""
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).status)"


def printed(context, section):
    """The commands of a section of --print-redirect, and those that undo them."""
    words = ["--print-redirect", "--redirect-port", SERVICE, "--redirect-to", PROXY]
    text = context.run("record", "proxy", *words).stdout
    sections = {part.split(" ==")[0]: part for part in text.split("# == ")[1:]}
    parts = sections[section].split("# Undo:")
    do, undo = [
        [line for line in part.splitlines()[1:] if line and not line.startswith("#")]
        for part in parts
    ]
    return do, undo


@contextlib.contextmanager
def redirected(context, namespace, section):
    """The rules of that section, pasted as they are printed; undone, nothing is left."""
    state = "nft list ruleset; ip rule; ip -6 rule; ip route show table 28003 || true"
    before = namespace.shell(state)
    do, undo = printed(context, section)
    for line in do:
        namespace.shell(line)
    yield
    check(namespace.shell(state) != before, "the rules are not to be seen")
    for line in undo:
        namespace.shell(line)
    left = namespace.shell(state)
    # iptables leaves its chains, empty.
    check(left == before or "iptables" in section, f"left behind: {left}")
    check(str(PROXY) not in left, f"left behind: {left}")


def fetch(namespace, url, *before, fails=False):
    namespace.run(*before, sys.executable, "-c", FETCH, url, fails=fails)


@contextlib.contextmanager
def recorded(context, section, how):
    """Client, router and server; the recorder on the router."""
    with row() as net:
        words = ["proxy", "--listen", f"[::]:{PROXY}", "--transparent", how]
        words += ["--payloads", "full", "--no-redact"]
        with redirected(context, net.router, section):
            with recorder(
                context, *words, saying="listening on", trace="proxy.mcptrace",
                before=net.router.before,
            ) as proxy:  # fmt: skip
                yield net, proxy


def check_agents(context, net, proxy):
    """SDK agents call an SDK server by its own address, and are recorded on the way."""
    log, agents = context.path("server.jsonl"), context.path("agents.jsonl")
    python = context.options.pythons["2.3.0"]
    quick = ["--agents", "2", "--turns", "3", "--think-max", "60"]
    host = ["--host", "10.77.2.2"]
    with sdk_server(python, log, *host, port=SERVICE, before=net.server.before):
        run_agents(python, f"http://{SERVER}/mcp", agents, *quick, before=net.client.before)
    made = len(Truth(log, agents).executed)

    def judge(trace):
        calls = sum(len(s.requests("tools/call")) for s in trace.sessions.values())
        check(calls == made > 0, f"{made} calls made, {calls} recorded")

    return judge


@contextlib.contextmanager
def serving(namespace, address):
    """A plain HTTP server in a namespace."""
    command = [*namespace.before, sys.executable, "-c", SERVE, address, str(SERVICE)]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        read_line(process.stdout, "serving", 20, "the HTTP server")
        yield


def check_v6(net):
    """A plain HTTP exchange over IPv6."""
    with serving(net.server, "fd77:2::2"):
        fetch(net.client, f"http://{SERVER6}/")


def check_loops(net, proxy):
    """Who dials the proxy itself is refused: it would go round."""
    for url in (f"http://10.77.1.1:{PROXY}/", f"http://[fd77:1::1]:{PROXY}/"):
        fetch(net.client, url, fails=True)
    fetch(net.router, f"http://127.0.0.1:{PROXY}/", fails=True)
    told = proxy.told()
    check(told.count("cannot connect to upstream") == 3, f"not refused: {told}")
    check("leads back to this proxy" in told, f"the reason is not told: {told}")


def check_trace(context, proxy, clients):
    """Every connection has its true client and destination."""
    context.run("trace", "validate", proxy.trace)
    trace = Trace(proxy.trace)
    check_none(trace.check_closed_balance(), "bytes lost or not explained")
    forwarded = [line for line in trace.connections.values() if "upstream" in line]
    wrong = [str(line) for line in forwarded if line["server"] != line["upstream"]]
    check_none(wrong, "the server that was dialled is not the upstream")
    ways = {(line["client"].rsplit(":", 1)[0], line["upstream"]) for line in forwarded}
    check(ways == clients, f"connections {ways}, not {clients}")
    refused = [line for line in trace.connections.values() if "upstream" not in line]
    check(len(refused) == 3, f"{len(refused)} connections without an upstream: {refused}")
    return trace


FROM_CLIENT = {("10.77.1.2", SERVER), ("[fd77:1::2]", SERVER6)}


def redirect(context):
    """nftables REDIRECT, of passing connections and of the router's own."""
    with recorded(context, "REDIRECT, nftables", "redirect") as (net, proxy):
        judge = check_agents(context, net, proxy)
        check_v6(net)
        with serving(net.server, "10.77.2.2"):
            fetch(net.router, f"http://{SERVER}/", *OTHER_USER)
        check_loops(net, proxy)
        proxy.finish()
    judge(check_trace(context, proxy, FROM_CLIENT | {("10.77.2.1", SERVER)}))


def iptables(context):
    """iptables REDIRECT."""
    with recorded(context, "REDIRECT, iptables", "redirect") as (net, proxy):
        judge = check_agents(context, net, proxy)
        check_loops(net, proxy)
        proxy.finish()
    judge(check_trace(context, proxy, {("10.77.1.2", SERVER)}))


def tproxy(context):
    """nftables TPROXY: no address is translated."""
    with recorded(context, "TPROXY, nftables", "tproxy") as (net, proxy):
        judge = check_agents(context, net, proxy)
        check_v6(net)
        check_loops(net, proxy)
        proxy.finish()
    judge(check_trace(context, proxy, FROM_CLIENT))


def loop(context):
    """Rules that redirect the proxy's own connections too: found out, and no storm."""
    with row() as net:
        words = ["proxy", "--listen", f"0.0.0.0:{PROXY}", "--transparent", "redirect"]
        words += ["--payloads", "none"]
        net.router.shell(
            "nft add table inet loop && "
            "nft 'add chain inet loop out { type nat hook output priority -100; }' && "
            f"nft add rule inet loop out tcp dport {SERVICE} redirect to :{PROXY}"
        )
        with recorder(
            context, *words, saying="listening on", trace="loop.mcptrace", before=net.router.before
        ) as proxy:
            tries, began = 5, time.monotonic()
            for _ in range(tries):
                fetch(net.router, f"http://{SERVER}/", fails=True)
            check(time.monotonic() - began < 5, "the clients were left waiting")
            check("leads back to this proxy" in proxy.told(), f"not found out: {proxy.told()}")
            proxy.finish()
    context.run("trace", "validate", proxy.trace)
    rounds = len(Trace(proxy.trace).connections)
    check(rounds == 2 * tries, f"{rounds} connections of {tries} clients")


def refusals(context):
    """What does not go together is said in a sentence that helps."""
    words = ["record", "proxy", "--output", context.path("x.mcptrace"), "--payloads", "none"]
    words += ["--transparent"]
    both = ["--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1"]
    context.refused(*words, "redirect", *both, code=64, saying=["no --upstream"])
    context.refused(*words, "redirect", "--listen", "unix:/x", code=64, saying=["unix:/x"])
    powerless = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    command = [*powerless, context.binary("record"), *words[1:], "tproxy", "--listen", "[::]:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    check(done.returncode == 73, f"without rights: {done.returncode} {done.stderr}")
    check("CAP_NET_ADMIN" in done.stderr, f"without rights, no way out is named: {done.stderr}")


SCENARIOS = {
    "transparent-redirect": redirect,
    "transparent-iptables": iptables,
    "transparent-tproxy": tproxy,
    "transparent-loop": loop,
    "transparent-refused": refusals,
}
