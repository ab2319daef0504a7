#!/usr/bin/env python3
"""The interop suite: the built tools against the official SDKs and against bad weather.

    python3 Tests/interop/run.py --bin .build/release [--only NAME]... [--keep DIR]

Prints PASS or FAIL for every scenario with its seconds, then `N passed, N failed`; exits 1 on any
failure. Nothing is skipped: what cannot run (no tcpdump, no SDK) has failed. Needs root for tcpdump.
The virtual environments with the SDKs are made once in the checkout (.venv-interop-*).
"""

import argparse
import fnmatch
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unittest

import bad_input
import byte_identity
import capture_counts
import conformance
import conformance_auth
import conformance_captures
import conformance_list
import conformance_modern
import crossing
import failing
import handles
import inference
import live
import matrix
import merging
import preflight
import revisions
import selftest
import standard_io
import tasks
import weather_proxy
import weather_replay
import weather_stop
from processes import Failure
from scenario import Context, check
from venvs import python_with

VERSIONS = ["1.30.0", "2.3.0"]


def comparators(context):
    """The comparators find what they must: their own tests."""
    with open(context.path("selftest.txt"), "w", encoding="utf-8") as out:
        suite = unittest.defaultTestLoader.loadTestsFromModule(selftest)
        result = unittest.TextTestRunner(stream=out).run(suite)
    check(result.wasSuccessful(), str([text for _, text in result.failures + result.errors])[:2000])


def scenarios():
    """Every scenario by name, in the order they run."""
    found = {"comparators": comparators, "captures": capture_counts.run}
    found["proxy-byte-identity"] = byte_identity.run
    found["proxy-crossing-answers"] = crossing.run
    suites = [bad_input, live, weather_proxy, weather_stop, weather_replay, preflight, failing]
    suites += [handles, inference, merging, revisions, standard_io, tasks]
    suites += [conformance_captures, conformance, conformance_list, conformance_modern]
    for module in [*suites, conformance_auth]:
        found.update(module.SCENARIOS)
    for name, cell in matrix.names().items():
        found[name] = lambda context, cell=cell: matrix.run(context, *cell)
    return found


def perform(options, name, scenario, folder):
    """Runs one scenario and prints its line; true when it passed."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    context, began, wrong = Context(options, name, folder), time.monotonic(), None
    try:
        scenario(context)
    except Failure as failure:
        wrong = str(failure)
    except Exception:
        wrong = traceback.format_exc()
    seconds = time.monotonic() - began
    notes = f"  ({'; '.join(context.notes)})" if context.notes else ""
    print(f"{'FAIL' if wrong else 'PASS'} {name} {seconds:.1f} s{notes}", flush=True)
    if wrong:
        print("  " + wrong.strip().replace("\n", "\n  "), flush=True)
    return not wrong


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", required=True, help="folder of record, replay and trace")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="scenarios by name or pattern"
    )
    parser.add_argument("--keep", metavar="DIR", help="keep what the scenarios wrote there")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--long", action="store_true", help="10,000 calls in proxy-byte-identity")
    parser.add_argument(
        "--strict-timing", action="store_true", help="a replay that lagged has failed"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=250,
        metavar="MS",
        help="most that a time of the proxy may differ from the capture's: a busy machine's stall",
    )
    for version in VERSIONS:
        parser.add_argument(f"--python-{version}", metavar="PYTHON", help="an interpreter with it")
    return parser.parse_args()


def main():
    options = parse()
    # What is started in the background ignores it, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    chosen = scenarios()
    if options.only:
        fits = {n for n in chosen for pattern in options.only if fnmatch.fnmatch(n, pattern)}
        chosen = {name: chosen[name] for name in chosen if name in fits}
    if options.list:
        print("\n".join(chosen))
        return 0
    options.bin = os.path.abspath(options.bin)
    options.pythons = {v: getattr(options, f"python_{v}") or python_with(v) for v in VERSIONS}
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="interop-") as scratch:
        for name, scenario in chosen.items():
            folder = os.path.join(options.keep or scratch, name)
            good = perform(options, name, scenario, os.path.abspath(folder))
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
