import Basics
import ReplayPlan
import Testing

@Suite struct Thresholds {
  @Test(
    arguments: [
      ("success_ratio>0.99", "success_ratio", ">", 0.99, nil),
      ("success_ratio >= 99% over 1m", "success_ratio", ">=", 0.99, 60),
      ("p99(tool=search)<400ms", "tools/search/latency_ms/p99", "<", 400, nil),
      ("p95 ( tool = 'a b.c' ) < 1.5s over 30s", "tools/a b.c/latency_ms/p95", "<", 1500, 30),
      ("p50<12", "latency_ms/from_sent/p50", "<", 12, nil),
      ("latency.p999<=2s", "latency_ms/from_sent/p999", "<=", 2000, nil),
      ("latency_ms.from_due.p99<1s", "latency_ms/from_due/p99", "<", 1000, nil),
      ("first_byte.max<=90", "latency_ms/first_byte/max", "<=", 90, nil),
      ("lag.p99<5ms", "lag_ms/p99", "<", 5, nil),
      ("read_lag.max<800us", "read_lag_ms/max", "<", 0.8, nil),
      ("timeout==0", "outcomes/timeout", "==", 0, nil),
      ("outcomes.ok!=0 over 10", "outcomes/ok", "!=", 0, 10),
      ("calls_per_s>100", "throughput/calls_per_s", ">", 100, nil),
      ("chains_exact=1", "fidelity/chains_exact", "==", 1, nil),
      ("idc.1s<3", "fidelity/idc/1s", "<", 3, nil),
      ("within_400ms(turn=1)>0.9", "turns/1/within_400ms", ">", 0.9, nil),
      ("max(stage=2)<1h", "stages/2/latency_ms/max", "<", 3_600_000, nil),
      ("tools.search.calls>3", "tools/search/calls", ">", 3, nil),
    ] as [(String, String, String, Double, Int?)])
  func `reads`(
    _ text: String, _ path: String, _ comparison: String, _ limit: Double, _ window: Int?
  ) throws {
    let threshold = try Threshold(text)
    #expect(threshold.path.joined(separator: "/") == path)
    #expect(threshold.comparison.rawValue == comparison)
    #expect(threshold.limit == limit)
    #expect(threshold.window == window)
    #expect(threshold.expression == text)
  }

  @Test(arguments: [
    ("", 0, "expected the name of a figure"), ("<3", 0, "expected the name of a figure"),
    ("p99", 3, "expected <, <="), ("p99~3", 5, "expected <, <="),
    ("p99<", 4, "expected a number"), ("p99<x", 4, "expected a number"),
    ("p99<3parsec", 5, "unknown unit 'parsec'"), ("success_ratio>3ms", 15, "is no time"),
    ("p99<3%", 5, "is a time"), ("p99<3ms during 3s", 8, "'over' and a duration"),
    ("p99<3ms over 1.5s", 13, "whole seconds"), ("p99<3ms over 2h", 13, "whole seconds"),
    ("p99(user=x)<3", 4, "expected tool="), ("p99(tool<3", 8, "expected '='"),
    ("p99(tool=x<3", 12, "expected ')'"), ("p99(tool='x)<3", 9, "never closed"),
    ("slip.p99(tool=x)<3", 0, "a tool has calls"), ("slip.p99<3 over 10s", 0, "has no windows"),
    ("p99<3 over 10s now", 15, "expected the end"),
  ])
  func `says what is wrong where`(_ text: String, _ at: Int, _ reason: String) {
    do {
      let threshold = try Threshold(text)
      Issue.record("read as \(threshold)")
    } catch {
      #expect(error.at == at)
      #expect(error.reason.contains(reason), "\(error)")
      let lines = "\(error)".split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines[1] == "  \(text)")
      #expect(lines[2].last == "^" && lines[2].count == at + 3)
    }
  }

  private static let summary = JSONValue(
    parsing: """
      {"success_ratio":0.95,"valid":true,"latency_ms":{"from_sent":{"p50":12.5,"p99":null}},
       "tools":{"search":{"calls":3,"latency_ms":{"max":40}}},"stages":[{"calls":1},{"calls":7}]}
      """)

  @Test(
    arguments: [
      ("success_ratio>0.9", true, 0.95), ("success_ratio>0.95", false, 0.95),
      ("success_ratio>=0.95", true, 0.95), ("error_ratio<10%", true, 0.05), ("p50<12", false, 12.5),
      ("p50<13", true, 12.5), ("max(tool=search)<=40ms", true, 40), ("calls(stage=2)==7", true, 7),
      ("p99<1s", false, nil), ("calls(tool=gone)>0", false, nil), ("calls(stage=3)>0", false, nil),
    ] as [(String, Bool, Double?)])
  func `is judged by the summary`(_ text: String, _ isMet: Bool, _ value: Double?) throws {
    let summary = try #require(Self.summary)
    let result = try Threshold(text).evaluated(in: summary)
    #expect(result.isMet == isMet)
    #expect(result.value.map { ($0 * 1000).rounded() / 1000 } == value)
    #expect((result.note == nil) == (value != nil))
  }

  @Test(arguments: [
    ("success>1", "no figure 'success'"), ("latency_ms.from_sent.p98<1", "has no 'p98'"),
    ("valid==1", "no single figure"), ("latency_ms<1", "no single figure"),
    ("p99(tool=serch)<1", "no tool 'serch'; it has read, search"),
  ])
  func `a figure that no run has is refused before it`(_ text: String, _ reason: String) throws {
    let summary = try #require(Self.summary)
    let threshold = try Threshold(text)
    #expect {
      try threshold.check(in: summary, tools: ["search", "read"])
    } throws: { "\($0)".contains(reason) }
    try Threshold("p99(tool=search)<1").check(in: summary, tools: ["search"])
  }

  @Test func `what must not be is the opposite`() throws {
    let value = 0.9
    for (text, holds) in [("a<0.9", true), ("a<=0.9", false), ("a>0.9", true), ("a==0.9", false)] {
      let negated = try Threshold(text).negated
      #expect(negated.comparison.holds(value, negated.limit) == holds, "\(text)")
      #expect(negated.negated.comparison == (try Threshold(text)).comparison)
    }
  }
}
