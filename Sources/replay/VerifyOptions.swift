public import ArgumentParser
public import ReplayPlan

/// Whether answers are held against the recorded ones.
struct VerifyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Compare results of calls with the recorded ones: off, shape (kinds of values and names of members), exact (values, but those \
      that later requests take). Only counted, and shown by example.
      """, valueName: "mode"))
  var verify = VerifyMode.off

  @Option(
    help: ArgumentHelp(
      """
      A place of results that --verify does not look at, a JSON Pointer as '/structuredContent/*/time': * is any one step, # \
      enters JSON in a text ('/content/0/text#/id'); repeatable.
      """, valueName: "pointer"))
  var verifyIgnore: [String] = []

  @Option(
    help: ArgumentHelp(
      "Share of the calls that --verify compares, as 10% or 0.1: comparing costs the generator time. (default: 10%)",
      valueName: "share"))
  var verifySample: ShareArgument?

  func validate() throws {
    for pointer in verifyIgnore where !pointer.hasPrefix("/") {
      throw ValidationError("--verify-ignore '\(pointer)' is no JSON Pointer: it begins with /")
    }
  }

  /// What was asked for.
  var options: AnswerVerifier.Options {
    var options = AnswerVerifier.Options()
    options.mode = verify
    options.ignored = verifyIgnore
    options.sample = verifySample?.value ?? options.sample
    return options
  }
}

/// A share as people type it: `10%` or `0.1`.
struct ShareArgument: ExpressibleByArgument, Sendable {
  let value: Double

  init?(argument: String) {
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else {
      return nil
    }
    value = isPercent ? number / 100 : number
    guard value > 0, value <= 1 else { return nil }
  }
}

extension VerifyMode: ExpressibleByArgument {}
