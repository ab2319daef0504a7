"""`record proxy` as a child process."""

import contextlib
import signal
import subprocess

from ports import free_port, wait_listening
from processes import running, stop
from scenario import check


class Proxy:
    """A running `record proxy`."""

    def __init__(self, process, port, trace, errors):
        self.process = process
        self.port = port
        self.trace = trace
        self.errors = errors

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"

    def told(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def finish(self, sign=signal.SIGINT, code=0, seconds=40):
        """Asks it to stop and checks the exit code."""
        ended = stop(self.process, sign, seconds)
        check(ended == code, f"record proxy ended with {ended}, not {code}: {self.told()[-1500:]}")


@contextlib.contextmanager
def record_proxy(context, upstream, *options, trace="proxy.mcptrace", before=()):
    """Records in front of a local upstream port; `before` are words before the command."""
    port, output, errors = free_port(), context.path(trace), context.path(trace + ".stderr")
    words = ["proxy", "--listen", f"127.0.0.1:{port}", "--upstream", f"http://127.0.0.1:{upstream}"]
    command = [*before, context.binary("record"), *words, "--output", output, *options]
    with open(errors, "wb") as file:
        with running(
            command, stdout=subprocess.DEVNULL, stderr=file, stdin=subprocess.DEVNULL
        ) as process:
            proxy = Proxy(process, port, output, errors)
            wait_listening(port, process, errors)
            yield proxy
