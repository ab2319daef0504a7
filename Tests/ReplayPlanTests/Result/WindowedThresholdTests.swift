import ReplayPlan
import TestKit
import Testing
import Trace

@Suite struct `Thresholds over windows` {
  private func second(_ ok: Int, failed: Int = 0, took: UInt64 = 1000) -> LiveCounts {
    var counts = LiveCounts()
    (counts.calls, counts.succeeded) = (ok + failed, ok)
    counts.outcomes = [.ok: ok, .timeout: failed]
    for _ in 0..<(ok + failed) { counts.times.add(took) }
    return counts
  }

  private func judged(
    _ text: String, _ seconds: [LiveCounts]
  ) throws -> (met: Bool, value: Double?, note: String?) {
    var windowed = try #require(WindowedThreshold(Threshold(text)))
    for second in seconds { windowed.add(second) }
    let result = windowed.result
    #expect(result.isMet == (windowed.miss == nil && result.value != nil))
    return (result.isMet, result.value, result.note)
  }

  @Test func `each full window has to hold, wherever it begins`() throws {
    let good = second(10)
    let bad = second(5, failed: 5)
    // One bad second of three is a third of the window; two are too many.
    let one = [good, good, bad, good, good, good]
    #expect(
      try judged("success_ratio>0.8 over 3s", one) == (
        true, 25.0 / 30, "worst window: second 0 to 3"
      ))
    let two = [good, good, bad, bad, good, good]
    let result = try judged("success_ratio>0.8 over 3s", two)
    #expect(!result.met && result.value == 20.0 / 30)
    #expect(result.note == "worst window: second 1 to 4")
  }

  @Test func `silence says nothing, and a run may be too short`() throws {
    let quiet = second(0)
    #expect(
      try judged("success_ratio>0.8 over 2s", [quiet, quiet, quiet]).note
        == "no window had enough calls")
    #expect(
      try judged("success_ratio>0.8 over 2s", [second(1)]).note
        == "the run was shorter than one window")
    #expect(
      try judged("calls_per_s<1 over 2s", [quiet, quiet]) == (
        true, 0, "worst window: second 0 to 2"
      ))
    #expect(
      try judged("timeout<3 over 2s", [second(1, failed: 2), second(1, failed: 1)]).met == false)
  }

  @Test func `a quantile wants a call beyond it`() throws {
    #expect(try judged("p99<5ms over 1s", [second(99, took: 9000)]).value == nil)
    let slow = try judged("p99<5ms over 1s", [second(100, took: 9000)])
    #expect(!slow.met)
    #expect(abs((slow.value ?? 0) - 9) < 0.1)
    #expect(
      try judged("max<5ms over 1s", [second(1, took: 4000)]) == (
        true, 4, "worst window: second 0 to 1"
      ))
  }

  @Test func `times are within a hundredth, merged or not`() throws {
    var random = SeededGenerator(seed: SeededGenerator.freshSeed("times"))
    var parts = [TimeHistogram(), TimeHistogram()]
    var times: [UInt64] = []
    for i in 0..<5000 {
      let time = UInt64.random(
        in: 0...(1 << UInt64.random(in: 1...31, using: &random)), using: &random)
      times.append(time)
      parts[i % 2].add(time)
    }
    var all = parts[0]
    all.add(parts[1])
    times.sort()
    for share in [0.5, 0.9, 0.99] {
      let exact = Double(times[Int((5000 * share).rounded(.up)) - 1])
      let value = try #require(all.quantile(share))
      #expect(abs(value - exact) <= exact * 0.01 + 1, "\(share)")
    }
    #expect(all.largest == times.last)
  }
}
