import ArgumentParser
import ReplayPlan
import Report

/// What is demanded of a run.
struct ThresholdOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What the result has to show; repeatable, a missed one makes the exit code 1. FIGURE OPERATOR NUMBER, as 'success_ratio>0.99', \
      'p99(tool=search)<400ms', 'lag.p99<5ms' or any key of the summary ('latency_ms.from_due.p99<1s'); groups are tool, turn and \
      stage. With 'over 30s' every full window of that length has to hold. Times are ms without a unit (ns, us, ms, s, m, h).
      """, valueName: "expression"))
  var threshold: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Ends the run, as Ctrl-C does, with exit code 1 as soon as a window misses this, as 'success_ratio<0.9 over 10s': what is \
      written is what must not be. Judged once a second; repeatable.
      """, valueName: "expression"))
  var abortOn: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write the thresholds and whether the result is valid as JUnit XML.", valueName: "file"),
    completion: .file())
  var junit: String?

  /// The thresholds, checked against the summary's keys and the recording's tools.
  ///
  /// - Throws: `ExitCode` 64 after saying what is wrong where.
  func thresholds(for traffic: RecordedTraffic) throws -> [Threshold] {
    try threshold.map { try ThresholdOptions.read($0, "--threshold", traffic) }
  }

  /// What must hold for the run to go on.
  ///
  /// - Throws: `ExitCode` 64 after saying what is wrong where.
  func aborting(for traffic: RecordedTraffic) throws -> [Threshold] {
    try abortOn.map { text in
      let threshold = try ThresholdOptions.read(text, "--abort-on", traffic)
      guard threshold.window != nil else {
        throw failure(
          Exit.usage, "--abort-on '\(text)' wants a window: '\(text) over 10s'")
      }
      return threshold.negated
    }
  }

  private static func read(
    _ text: String, _ option: String, _ traffic: RecordedTraffic
  ) throws -> Threshold {
    do throws(Threshold.SyntaxError) {
      let threshold = try Threshold(text)
      let tools = Set(traffic.scripts.flatMap { $0.steps.compactMap(\.tool) })
      try threshold.check(in: SummaryJSON(ReplaySummary()).value, tools: tools)
      return threshold
    } catch {
      throw failure(Exit.usage, "\(option): \(error)")
    }
  }
}
