public import ArgumentParser
public import Dissection
import Trace

/// How exchanges become sessions: what `record` and `trace merge --reinfer` are told of it.
public struct SessionOptions: ParsableArguments {
  /// What agents may be told apart by on demand (`--session-key`).
  public enum Evidence: String, CaseIterable, ExpressibleByArgument {
    case credential
    case clientInfo = "client-info"
    case connection
    case traceContext = "trace-context"
  }

  @Option(
    help: ArgumentHelp(
      "What tells agents apart that name no session.",
      discussion: "Default: an inference from all that is known; the trace says how sure it is.",
      valueName: "evidence"))
  private var sessionKey: Evidence?

  @Option(
    help: ArgumentHelp(
      "A session silent for this long, without an open stream, ends as idle.",
      valueName: "seconds"))
  private var sessionIdle = 1800.0

  @Option(
    help: ArgumentHelp(
      "Requests within this time of their turn's first belong to it.", valueName: "milliseconds"))
  private var siblingGap = 20.0

  /// Creates the options' defaults.
  public init() {}

  /// Refuses what is no time span.
  public func validate() throws {
    // A century: what nanoseconds in 64 bits hold.
    let most = 3e9
    guard sessionIdle > 0, sessionIdle < most, siblingGap >= 0, siblingGap < most * 1e3 else {
      throw ValidationError(
        "--session-idle and --sibling-gap take positive numbers, at most a century")
    }
  }

  /// Tells a dissection.
  public func apply(to options: inout DissectionOptions) {
    options.sessionKey = sessionKey.flatMap { SessionKey.By(rawValue: $0.rawValue) }
    options.siblingGap = Int64(siblingGap * 1e6)
    options.sessionIdle = Int64(sessionIdle * 1e9)
  }
}
