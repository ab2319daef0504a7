import Glibc
import Histogram
import ReplayPlan

/// Whether a run shows what it was to show; each reason names cause and cure.
extension RunResult {
  func judge(_ summary: inout ReplaySummary, _ maxLag: Int64) {
    let limit = Double(maxLag) / 1e6
    let lag = Double(recorder.lag.valueAtPercentile(99)) / 1000
    if recorder.lag.totalCount > 0, lag > limit {
      summary.isValid = false
      summary.reasons.append(
        "the generator was late: lag p99 \(milliseconds(lag)) exceeds --max-lag "
          + "\(milliseconds(limit)); give it idle processors or fewer agents")
    } else if recorder.lag.totalCount > 0, lag > limit / 4 {
      summary.isDegraded = true
      summary.reasons.append(
        "the generator was near its limit: lag p99 \(milliseconds(lag)) is above a quarter of "
          + "--max-lag \(milliseconds(limit)); latencies may hold some of it")
    }
    if recorder.ownFailures > 0 {
      summary.isValid = false
      summary.reasons.append(
        "\(recorder.ownFailures) connections failed for want of local ports or descriptors; "
          + "raise `ulimit -n` or run fewer agents")
    }
    if recorder.startFailures > 0, let cause = recorder.startCause {
      summary.isValid = false
      summary.reasons.append(
        "\(recorder.startFailures) processes were not there: \(cause); raise `ulimit -u` and `ulimit -n` or run fewer agents"
      )
    }
    if summary.plan.calls > 0, let reason = recorder.unresolved.reason(of: summary.plan.calls) {
      let share = Double(recorder.unresolved.calls) / Double(summary.plan.calls)
      if share > UnresolvedTally.limit { summary.isValid = false }
      if share > UnresolvedTally.limit / 4 { summary.isDegraded = true }
      summary.reasons.append(reason)
    }
    if interrupted {
      summary.isValid = false
      summary.reasons.append(
        "interrupted: \(summary.aborted) planned calls were not sent; let the run end")
    }
    if summary.sent + summary.skipped + summary.aborted != summary.plan.calls {
      summary.isValid = false
      summary.reasons.append("the plan was not carried out: some calls are unaccounted for")
    }
    if summary.sent == 0, !interrupted {
      summary.isValid = false
      summary.reasons.append("no call was sent; see skipped_by, --only and --skip")
    }
    if summary.isValid == false { summary.isDegraded = true }
  }

  private func milliseconds(_ value: Double) -> String {
    "\((value * 10).rounded() / 10) ms"
  }
}
