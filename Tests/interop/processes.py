"""Child processes of the suite: started, waited for by what they print, ended by their id."""

import contextlib
import os
import selectors
import signal
import subprocess
import time


class Failure(Exception):
    """A check of the suite did not hold; the message says what was seen."""


def read_line(pipe, pattern, seconds, what):
    """Reads lines until one contains the pattern, and returns it."""
    end = time.monotonic() + seconds
    seen = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while time.monotonic() < end:
            if not selector.select(max(0, end - time.monotonic())):
                break
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                break
            seen += piece
            for line in seen.decode("utf-8", "replace").splitlines():
                if pattern in line:
                    return line
    raise Failure(f"{what} did not say {pattern!r} within {seconds} s: {seen[-400:]!r}")


def stop(process, sign=signal.SIGTERM, seconds=10):
    """Signals a process, waits, and returns its exit code; kills it when it does not end."""
    if process.poll() is None:
        process.send_signal(sign)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failure(
            f"{process.args[0]} did not end within {seconds} s of signal {sign.name}"
        ) from None


@contextlib.contextmanager
def running(command, **options):
    """A process that does not outlive the block."""
    process = subprocess.Popen([str(word) for word in command], **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


@contextlib.contextmanager
def sdk_server(python, log, *options, port=0, before=()):
    """A desk server of the SDK in that virtual environment; yields (process, port).

    `before` are words before the command.
    """
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk_server.py")
    command = [*before, python, script, "--port", port, "--log", log, *options]
    with running(command, stdout=subprocess.PIPE) as process:
        line = read_line(process.stdout, "listening on", 60, "the SDK server")
        yield process, int(line.rsplit(":", 1)[1])


@contextlib.contextmanager
def tcpdump(path, port, interface="lo"):
    """Captures the TCP traffic of a port until the block ends, then waits for the file."""
    command = [
        "tcpdump",
        "-i",
        interface,
        "-U",
        "--immediate-mode",
        "-B",
        "16384",
        "-s",
        "0",
        "-Z",
        "root",
        "-w",
        path,
    ]
    with running([*command, "tcp", "port", str(port)], stderr=subprocess.PIPE) as process:
        read_line(process.stderr, "listening on", 20, "tcpdump")
        yield process
        flush(path)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read().decode()
        process.wait(20)
        if "\n0 packets dropped by kernel" not in told:
            raise Failure(f"tcpdump lost packets: {told.splitlines()}")


def flush(path, quiet=0.5, seconds=10):
    """Waits until the capture file has stopped growing."""
    end, size, since = time.monotonic() + seconds, -1, time.monotonic()
    while time.monotonic() < end:
        now = os.path.getsize(path)
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > quiet:
            return
        time.sleep(0.05)
