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

struct `Index of dispersion` {
  @Test func `is 0 for one event in each window`() {
    #expect(IndexOfDispersion.of(times: (0...40).map { $0 * 100 }, window: 100) == 0)
  }

  @Test func `is variance over mean of the counts`() {
    // 30 windows of 10: one holds 30 events, the others none; an event behind them ends the last.
    // Mean 1, mean of squares 30.
    let times = Array(repeating: Int64(5), count: 30) + [305]
    #expect(IndexOfDispersion.of(times: times, window: 10) == 29)
  }

  @Test func `may be asked for windows that begin at an instant`() {
    // Of 40 windows of 10 from 0 on the first 10 are empty, each later one holds an event.
    let times: [Int64] = (10...40).map { $0 * 10 + 1 }
    let value = IndexOfDispersion.of(times: times + [-5], window: 10, from: 0)
    #expect(value.map { ($0 * 1e6).rounded() } == 250_000)
    #expect(IndexOfDispersion.of(times: times, window: 10, from: 200) == nil)
  }

  @Test func `does not depend on the order of the events`() {
    let times: [Int64] = (0..<200).map { $0 * $0 }
    let forward = IndexOfDispersion.of(times: times, window: 100)
    #expect(forward != nil)
    #expect(IndexOfDispersion.of(times: times.reversed(), window: 100) == forward)
  }

  @Test func `leaves out a last window that is not full`() {
    let regular = (0...30).map { Int64($0) * 100 }
    let cut = regular + [3040, 3050, 3060]
    #expect(IndexOfDispersion.of(times: cut, window: 100) == 0)
  }

  @Test(arguments: [[], [5], [0, 2999], [.min, .max]] as [[Int64]])
  func `is absent below 30 windows and beyond what can be measured`(times: [Int64]) {
    #expect(IndexOfDispersion.of(times: times, window: 100) == nil)
  }

  @Test func `takes no memory for empty windows`() throws {
    let index = try #require(IndexOfDispersion.of(times: [0, .max], window: 1))
    #expect(abs(index - 1) < 1e-9)
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

  @Test(
    arguments: [
      ([], 0), ([(0, 10), (10, 20)], 1), ([(0, 10), (9, 20), (9, 9)], 3), ([(5, 5)], 1),
      ([(0, 100), (10, 20), (30, 40)], 2),
    ] as [([(start: Int64, end: Int64)], Int)])
  func `peak counts what is open at once`(intervals: [(start: Int64, end: Int64)], peak: Int) {
    #expect(BurstStatistics.peak(intervals) == peak)
  }
}
