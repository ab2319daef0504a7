#!/usr/bin/env bash
# Runs every fuzz target: Tests/long/fuzz.sh [SECONDS=10] [TARGET...]
# FUZZ_SEED=N makes a run that can be had again; without it each goes its own way.
# What breaks a promise, crashes, hangs for 10 s or takes 1 GB is kept in .build/fuzz/findings.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-10}
shift || true
# The runtime's own traceback and libFuzzer's wait for each other.
export SWIFT_BACKTRACE=enable=no
export FUZZING=1
if [ -n "${FUZZ_SEED:-}" ]; then export SWIFT_DETERMINISTIC_HASHING=1; fi
swift build -c release --product fuzz --scratch-path .build/fuzz \
  -Xswiftc -sanitize=fuzzer,address 2>&1 | grep -v 'warning: Cannot export' | tail -3
fuzz=.build/fuzz/release/fuzz
mkdir -p .build/fuzz/findings

failed=0
for seeds in Tests/Fuzz/seeds/*; do
  target=$(basename "$seeds")
  if [ $# -gt 0 ] && [[ " $* " != *" $target "* ]]; then continue; fi
  corpus=.build/fuzz/corpus/$target
  mkdir -p "$corpus"
  printf '%s, %s s: ' "$target" "$seconds"
  if FUZZ_TARGET=$target "$fuzz" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix=".build/fuzz/findings/$target-" "$corpus" "$seeds" 2>.build/fuzz/$target.log
  then
    grep -oE 'DONE.*|Done [0-9]+ runs.*' ".build/fuzz/$target.log" | tail -1
  else
    echo FAILED
    tail -30 ".build/fuzz/$target.log"
    failed=$((failed + 1))
  fi
done
[ "$failed" -eq 0 ]
