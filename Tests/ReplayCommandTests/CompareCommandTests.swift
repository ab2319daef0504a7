import Basics
import Foundation
import TestKit
import Testing

/// Replays of a bundled capture held against it.
@Suite(.timeLimit(.minutes(3)))
struct `replay compare` {
  private let trace = BundledCapture.path("parallel-three-agents.mcptrace")

  /// Replays the capture against a server of this package and returns what comparing says.
  private func fidelity(_ arguments: [String]) throws -> Program.Result {
    let served = try ServedTrace(trace)
    let result = try TemporaryFile.with { record in
      let run = try Program.run(
        "replay",
        [
          "run", trace, "--target", "http://127.0.0.1:\(served.port)/mcp", "--allow-writes",
          "--max-think", "300ms", "--max-lag", "1h", "--record", record,
        ] + arguments)
      #expect(run.status == 0, "\(run.errors)")
      return try Program.run("replay", ["compare", "--fidelity", trace, record])
    }
    _ = try served.stop()
    return result
  }

  @Test func `a replay has the recording's chains, arguments and outcomes`() throws {
    // How late calls were is the machine's affair.
    let result = try fidelity([])
    #expect(result.output.contains("3 sessions, copies of 3 recorded ones"))
    #expect(result.output.firstMatch(of: #/chains exact +3 of 3 sessions +all +ok/#) != nil)
    #expect(result.output.firstMatch(of: #/sent before an answer +0 calls +0 +ok/#) != nil)
    #expect(result.output.contains("0 otherwise"))
    #expect(result.status <= 1)
  }

  @Test func `copies are each held against their session`() throws {
    let result = try fidelity(["--multiply", "4"])
    #expect(result.output.contains("12 sessions, copies of 3 recorded ones"))
    #expect(result.output.firstMatch(of: #/chains exact +12 of 12 sessions/#) != nil)
  }

  @Test(arguments: [("one", 2), ("none", 65)])
  func `what can't be compared says so`(_ kind: String, _ status: Int32) throws {
    let other = kind == "one" ? trace : "/nowhere.mcptrace"
    let result = try Program.run("replay", ["compare", "--fidelity", trace, other])
    #expect(result.status == status)
    #expect(result.errors.hasPrefix("replay: \(other): "))
  }

  @Test func `a trace is no different from itself`() throws {
    let result = try Program.run("replay", ["compare", trace, trace])
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("no real difference\n"))
  }
}

extension `replay compare` {
  @Test func `two results of the same plan are compared, and an invalid one is not`() throws {
    func summary(_ arguments: [String], _ body: (String) throws -> Void) throws {
      try TemporaryFile.with(suffix: ".json") { path in
        let trace = BundledCapture.path("parallel-three-agents.mcptrace")
        _ = try Program.run(
          "replay", ["run", trace, "--null", "--max-think", "50ms", "--summary", path] + arguments)
        try body(path)
      }
    }
    try summary(["--max-lag", "1h"]) { valid in
      let same = try Program.run("replay", ["compare", valid, valid])
      #expect(same.status == 0, "\(same.errors)")
      #expect(same.output.firstMatch(of: #/success ratio +100 % +100 %/#) != nil)
      // No generator is as punctual as that.
      try summary(["--max-lag", "1ns"]) { invalid in
        let result = try Program.run("replay", ["compare", valid, invalid])
        #expect(result.status == 2)
        #expect(result.output.hasPrefix("NOT COMPARABLE: of the second, its result is invalid"))
      }
    }
    let none = try TemporaryFile.with("{}", suffix: ".json") {
      try Program.run("replay", ["compare", $0, $0])
    }
    #expect(none.status == 65)
  }
}
