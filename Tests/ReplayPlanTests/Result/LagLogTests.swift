import ReplayPlan
import Testing

@Suite struct `Lag by windows` {
  @Test func `a code is right within nine percent, and never too small`() {
    for lag: UInt64 in [0, 1, 7, 8, 9, 100, 1000, 20_000, 1_000_000, 60_000_000] {
      let read = LagLog.microseconds(LagLog.code(lag))
      #expect(read >= Double(lag) && read <= Double(lag) * 1.125 + 1, "\(lag)")
    }
  }

  /// 200 windows of one request each without lag, and two of 100 requests with much.
  private func log(busy: UInt64) -> (LagLog, TimeBins) {
    var (log, bins) = (LagLog(), TimeBins())
    func add(_ window: Int64, _ lag: UInt64) {
      bins.add(at: window * TimeBins.length)
      log.add(at: window * TimeBins.length, microseconds: lag, bins)
    }
    for window in 0..<198 { add(Int64(window), 0) }
    for window in [300, 301] as [Int64] { for _ in 0..<100 { add(window, busy) } }
    return (log, bins)
  }

  @Test func `the busiest windows speak for themselves`() throws {
    let (late, bins) = log(busy: 5000)
    let p99 = try #require(late.busiestP99(bins))
    #expect(p99 >= 5 && p99 < 5.7)
    let (punctual, _) = log(busy: 0)
    let least = punctual.busiestP99(bins)
    #expect(least == 0)
    let nothing = LagLog().busiestP99(TimeBins())
    #expect(nothing == nil)
  }

  @Test func `what is too much leaves the busiest`() throws {
    var (log, bins) = log(busy: 5000)
    for i in 0..<(LagLog.limit + 10) {
      let at = Int64(1000 + i / 10) * TimeBins.length
      bins.add(at: at)
      log.add(at: at, microseconds: 0, bins)
    }
    // The two busy windows are among the busiest 1 % still; their lag is the tail of few.
    var few = TimeBins()
    for window in [300, 301] as [Int64] {
      for _ in 0..<100 { few.add(at: window * TimeBins.length) }
    }
    let p99 = try #require(log.busiestP99(few))
    #expect(p99 > 5)
  }
}
