"""The virtual environments with the official SDK, made once and kept in the checkout."""

import os
import subprocess
import sys

from processes import Failure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def python_with(version):
    """The interpreter of a virtual environment that holds exactly `mcp==version`."""
    folder = os.path.join(ROOT, ".venv-interop-" + version.replace(".", "")[:3])
    python = os.path.join(folder, "bin", "python")
    if installed(python) == version:
        return python
    print(f"installing mcp=={version} in {os.path.basename(folder)}", flush=True)
    for command in (
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", f"mcp=={version}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"{' '.join(command)} failed: {done.stderr.strip()[-600:]}")
    if installed(python) != version:
        raise Failure(f"{folder} holds mcp {installed(python)}, not {version}")
    return python


def installed(python):
    """The version of mcp that the interpreter sees, or None."""
    if not os.path.exists(python):
        return None
    asked = "from importlib.metadata import version; print(version('mcp'))"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
