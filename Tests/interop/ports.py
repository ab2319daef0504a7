"""Free ports, and whether somebody listens on one (seen in the kernel's table, not by dialling)."""

import socket
import time

from processes import Failure

LISTEN = "0A"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_listening(port):
    suffix = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[1].endswith(suffix) and words[3] == LISTEN:
                    return True
    return False


def wait_listening(port, process, errors, seconds=20):
    """Waits until the process listens on the port; fails with its stderr file when it ends first."""
    end = time.monotonic() + seconds
    while not is_listening(port):
        if process.poll() is not None:
            with open(errors, encoding="utf-8", errors="replace") as file:
                told = file.read().strip()[-1500:]
            raise Failure(f"{process.args[0]} ended with {process.returncode}: {told}")
        if time.monotonic() > end:
            raise Failure(f"{process.args[0]} does not listen on {port} after {seconds} s")
        time.sleep(0.01)
