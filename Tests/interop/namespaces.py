"""Three network namespaces in a row: a client, a router, a server. Needs root."""

import contextlib
import os
import subprocess

from processes import Failure


class Namespace:
    """A network namespace, in which commands can be run."""

    def __init__(self, name):
        self.name = name
        # Words before a command that run it there.
        self.before = ["ip", "netns", "exec", name]

    def run(self, *words, fails=False):
        """Runs a command; returns what it printed."""
        done = subprocess.run(
            [*self.before, *map(str, words)], capture_output=True, text=True, timeout=20
        )
        if (done.returncode != 0) is not fails:
            raise Failure(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, line):
        return self.run("sh", "-c", line)


class Row:
    """client (10.77.1.2, fd77:1::2) - (.1, ::1) router (.1, ::1) - server (10.77.2.2, fd77:2::2)"""

    def __init__(self, client, router, server):
        self.client, self.router, self.server = client, router, server


@contextlib.contextmanager
def row():
    """Makes the three namespaces and the links between them, and removes all at the end."""
    names = [f"mcp-{os.getpid()}-{word}" for word in ("client", "router", "server")]
    made = []
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True, timeout=20)
            made.append(Namespace(name))
        client, router, server = made
        for number, end in ((1, client), (2, server)):
            link(number, router, end)
        router.shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        yield Row(client, router, server)
    except subprocess.CalledProcessError as error:
        raise Failure(f"{error}") from error
    finally:
        for namespace in made:
            subprocess.run(["ip", "netns", "del", namespace.name], check=False, timeout=20)


def link(number, router, end):
    """A link between the router and an end, which takes the router for all other addresses."""
    near, far = f"r{number}", f"e{number}"
    router.run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", end.name)
    for namespace, device, host in ((router, near, 1), (end, far, 2)):
        namespace.shell(
            f"ip addr add 10.77.{number}.{host}/24 dev {device} && "
            f"ip -6 addr add fd77:{number}::{host}/64 dev {device} nodad && "
            f"ip link set {device} up && ip link set lo up"
        )
    end.shell("ip route add default via 10.77.%d.1" % number)
    end.shell("ip -6 route add default via fd77:%d::1" % number)
