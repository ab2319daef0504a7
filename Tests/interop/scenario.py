"""What a scenario of the suite is given: the binaries, a folder of its own, ways to run and check."""

import os
import subprocess

from processes import Failure


class Context:
    """One scenario's surroundings."""

    def __init__(self, options, name, folder):
        self.options = options
        self.name = name
        self.folder = folder
        self.notes = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def binary(self, name):
        return os.path.join(self.options.bin, name)

    def note(self, text):
        """Something to print behind the result."""
        self.notes.append(text)

    def run(self, *command, expect=0, timeout=60):
        """Runs one of our commands; its exit code must be (one of) `expect`."""
        codes = (expect,) if isinstance(expect, int) else expect
        words = [self.binary(command[0]), *map(str, command[1:])]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, errors="replace", timeout=timeout,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise Failure(
                f"`{shown(command)}` did not end within {timeout} s: {late.stderr}"
            ) from None
        if done.returncode not in codes:
            wanted = " or ".join(map(str, codes))
            raise Failure(
                f"`{shown(command)}` ended with {done.returncode}, not {wanted}\n"
                f"stdout: {done.stdout[-1500:]}\nstderr: {done.stderr[-1500:]}"
            )
        return done

    def refused(self, *command, code, saying=()):
        """Runs a command that must end with a code and one sentence on stderr that says something."""
        done = self.run(*command, expect=code, timeout=10)
        told = done.stderr.strip()
        check(told, f"`{shown(command)}` ended with {code} and no word on stderr")
        check(len(told.splitlines()) <= 3, f"`{shown(command)}` says more than a sentence:\n{told}")
        for word in saying:
            check(word in told, f"`{shown(command)}` does not mention {word!r}: {told}")
        return done


def shown(command):
    return " ".join(os.path.basename(str(word)) for word in command)


def check(holds, message):
    """Fails the scenario unless `holds`."""
    if not holds:
        raise Failure(message)


def check_none(wrong, what, limit=8):
    """Fails the scenario when there are differences, showing the first ones."""
    if wrong:
        more = f"\n… and {len(wrong) - limit} more" if len(wrong) > limit else ""
        raise Failure(f"{what}:\n" + "\n".join(wrong[:limit]) + more)
