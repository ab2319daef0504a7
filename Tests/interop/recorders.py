"""`record proxy` and `record live` as child processes."""

import contextlib
import signal
import subprocess
import time

from ports import free_port, wait_listening
from processes import Failure, running, stop
from scenario import check


class Recorder:
    """A running `record`, and the file with what it says on standard error."""

    def __init__(self, process, trace, errors):
        self.process = process
        self.trace = trace
        self.errors = errors

    def told(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def finish(self, sign=signal.SIGINT, code=0, seconds=40):
        """Asks it to stop and checks the exit code."""
        ended = stop(self.process, sign, seconds)
        check(ended == code, f"record ended with {ended}, not {code}: {self.told()[-1500:]}")


class Proxy(Recorder):
    """A running `record proxy`."""

    def __init__(self, process, port, trace, errors):
        super().__init__(process, trace, errors)
        self.port = port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"


@contextlib.contextmanager
def record_proxy(context, upstream, *options, trace="proxy.mcptrace", before=(), port=None):
    """Records in front of a local upstream port; `before` are words before the command."""
    port = port or free_port()
    output, errors = context.path(trace), context.path(trace + ".stderr")
    words = ["proxy", "--listen", f"127.0.0.1:{port}", "--upstream", f"http://127.0.0.1:{upstream}"]
    command = [*before, context.binary("record"), *words, "--output", output, *options]
    with open(errors, "wb") as file:
        with running(
            command, stdout=subprocess.DEVNULL, stderr=file, stdin=subprocess.DEVNULL
        ) as process:
            proxy = Proxy(process, port, output, errors)
            wait_listening(port, process, errors)
            yield proxy


@contextlib.contextmanager
def recorder(context, *words, saying, trace, before=()):
    """Runs `record` with these words, from the moment that it says something."""
    output, errors = context.path(trace), context.path(trace + ".stderr")
    command = [*before, context.binary("record"), *map(str, words), "--output", output]
    with open(errors, "wb") as file:
        with running(
            command, stdout=subprocess.DEVNULL, stderr=file, stdin=subprocess.DEVNULL
        ) as process:
            started = Recorder(process, output, errors)
            end = time.monotonic() + 20
            while saying not in started.told():
                if process.poll() is not None or time.monotonic() > end:
                    raise Failure(f"record {words[0]} does not say {saying!r}: {started.told()[-1500:]}")
                time.sleep(0.02)
            yield started


def record_live(context, *options, interface="lo", trace="live.mcptrace"):
    """Records off an interface, from the moment that it says it captures."""
    words = ["live", "--interface", interface, *options]
    return recorder(context, *words, saying="capturing on", trace=trace)
