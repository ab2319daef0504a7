public import Basics
import MCP

/// Holds answers of a run against those of the recording: of each call of the scripts, on a sample.
///
/// Compared is the `result` of calls that ended as the recorded one did with an answer of the server. What other requests take from an
/// answer (`uses`) is another value in every run, and is not looked at; nor are tasks, whose result comes elsewhere.
public struct AnswerVerifier: Sendable {
  /// What to compare.
  public struct Options: Hashable, Sendable {
    /// How much.
    public var mode = VerifyMode.off
    /// Places of results that are not looked at: JSON Pointers, in which `*` is any one step and `#` enters JSON in a text.
    public var ignored: [String] = []
    /// Share of the calls that are compared.
    public var sample = 0.1

    /// Creates the default: nothing is compared.
    public init() {}
  }

  /// What came of one answer.
  public enum Verdict: Hashable, Sendable {
    /// It was not looked at.
    case skipped
    /// It is like the recorded one.
    case equal
    /// It is not.
    case different(ReplaySummary.Difference)
  }

  private struct Expectation: Sendable {
    var result: RawJSON
    var ignored: [[Substring]]
  }

  /// What was asked for.
  public let options: Options
  /// By session and `n` of the request.
  private let expectations: [String: [Int: Expectation]]

  /// Prepares to compare; `nil` when nothing is to be.
  public init?(_ traffic: RecordedTraffic, _ options: Options) {
    guard options.mode != .off else { return nil }
    self.options = options
    let always = options.ignored.map(AnswerComparison.steps) + [["_meta"]]
    var expectations: [String: [Int: Expectation]] = [:]
    for script in traffic.scripts {
      let results = traffic.results[script.name] ?? [:]
      for (i, step) in script.steps.enumerated() {
        guard step.isCall, step.taskEnd == nil, let result = results[step.n] else { continue }
        // A part of a text that others take makes the whole text another one.
        let taken = script.values.filter { $0.step == i }.map {
          AnswerComparison.steps("\($0.source.path)")
        }
        expectations[script.name, default: [:]][step.n] = Expectation(
          result: result, ignored: always + taken)
      }
    }
    self.expectations = expectations
  }

  /// Compares the result of a step with the recorded one.
  public func verdict(_ session: SessionScript, step: Int, _ result: RawJSON) -> Verdict {
    let recorded = session.steps[step]
    guard let expected = expectations[session.name]?[recorded.n] else { return .skipped }
    let comparison = AnswerComparison(mode: options.mode, ignored: expected.ignored)
    guard let found = comparison.difference(expected.result.value, result.value) else {
      return .equal
    }
    return .different(
      .init(
        session: session.name, n: recorded.n, tool: recorded.tool ?? "", at: found.at,
        what: found.what))
  }
}
