import Basics
import Foundation
import TestKit
import Testing

/// The demo's own trace against a server of this package.
@Suite(.timeLimit(.minutes(3)))
struct `Demands on a run` {
  @Test(arguments: [
    ("p9(tool=read)<3", "a tool has calls"), ("p9<3", "there is no figure 'p9'"),
    ("p99(tool=reed)<3", "no tool 'reed'"),
    ("p99(tool=read)<3 over", "expected a number here"),
  ])
  func `a threshold that can't be judged is refused before the run`(
    _ text: String, _ reason: String
  ) throws {
    let result = try Program.run(
      "replay",
      [
        "run", BundledCapture.path("parallel-three-agents.mcptrace"), "--target",
        "http://127.0.0.1:1/mcp", "--allow-writes", "--threshold", text,
      ])
    #expect(result.status == 64)
    #expect(result.errors.contains(reason), "\(result.errors)")
    #expect(result.errors.contains("^"))
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func `met, missed and ended early have their exit codes, and are written down`() throws {
    let trace = BundledCapture.path("parallel-three-agents.mcptrace")
    let served = try ServedTrace(trace)
    func run(_ arguments: [String]) throws -> (Program.Result, JSONValue, String) {
      try TemporaryFile.with { summary in
        try TemporaryFile.with { junit in
          let result = try Program.run(
            "replay",
            [
              "run", trace, "--target", "http://127.0.0.1:\(served.port)/mcp", "--allow-writes",
              "--max-think", "100ms", "--max-lag", "1h", "--summary", summary, "--junit", junit,
            ] + arguments)
          let value = try #require(JSONValue(parsing: try text(summary)))
          return (result, value, try text(junit))
        }
      }
    }
    let (met, summary, _) = try run([
      "--threshold", "success_ratio==1", "--threshold", "max(tool=read)<1h",
    ])
    #expect(met.status == 0, "\(met.errors)")
    #expect(summary["thresholds"]?.array?.map { $0["ok"]?.bool } == [true, true])
    #expect(met.output.hasPrefix("PASSED: 2 of 2 thresholds met"))

    let (missed, more, junit) = try run([
      "--threshold", "calls_per_s>1000000", "--threshold", "timeout==0",
    ])
    #expect(missed.status == 1, "\(missed.errors)")
    #expect(more["valid"]?.bool == true)
    #expect(more["thresholds"]?.array?.map { $0["ok"]?.bool } == [false, true])
    #expect(junit.contains(#"failures="1" errors="0""#))

    let (ended, last, _) = try run([
      "--abort-on", "success_ratio>0.5 over 1s", "--max-think", "4s",
    ])
    #expect(ended.status == 1, "\(ended.errors)")
    #expect((last["aborted"]?.int ?? 0) > 0)
    #expect(ended.output.contains("ended by --abort-on success_ratio>0.5 over 1s: it was 1.0"))
    let planned = last["plan"]?["calls"]?.int ?? -1
    let parts = ["sent", "skipped", "aborted"].compactMap { last[$0]?.int }
    #expect(parts.reduce(0, +) == planned)
    _ = try served.stop()
  }
}
