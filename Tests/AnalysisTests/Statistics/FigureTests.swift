import Analysis
import Testing

struct `Sample distribution` {
  @Test func `takes the nearest rank`() {
    let figures = Distribution((1...200).reversed().map { Double($0) })
    #expect(
      [figures.p50, figures.p90, figures.p95, figures.p99, figures.max, figures.mean]
        == [100, 180, 190, 198, 200, 100.5])
    #expect(figures.count == 200)
  }

  @Test func `of one value is that value`() {
    let figures = Distribution(milliseconds: [2_500_000])
    #expect([figures.p50, figures.p99, figures.max, figures.mean] == [2.5, 2.5, 2.5, 2.5])
  }

  @Test func `of nothing has no values`() {
    #expect(Distribution([]).count == 0)
    #expect(Distribution([]).max == 0)
  }
}

struct `Bursts` {
  @Test(
    arguments: [
      ([], 10, []), ([5], 10, [1]), ([0, 9, 18, 28, 100], 10, [3, 1, 1]),
      ([100, 0, 9], 10, [2, 1]), ([3, 3, 3], 1, [3]),
    ] as [([Int64], Int64, [Int])])
  func `are runs of events closer than the gap`(times: [Int64], gap: Int64, sizes: [Int]) {
    #expect(BurstStatistics.sizes(times: times, gap: gap) == sizes)
  }
}
