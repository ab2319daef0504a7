import Basics
import Testing

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

  @Test func `of counts is that of the events they count`() {
    let times: [Int64] = (0..<2000).map { ($0 * $0) % 50_000 } + [0, 49_999]
    var counts = Array(repeating: 0, count: 500)
    for time in times { counts[Int(time / 100)] += 1 }
    let windows = IndexOfDispersion.of(counts: counts, window: 10, within: [0..<490])
    let events = IndexOfDispersion.of(times: times.filter { $0 < 49_001 } + [49_000], window: 1000)
    #expect(windows != nil && windows == events)
  }

  @Test func `of counts is taken within ranges alone`() {
    let counts =
      Array(repeating: 1, count: 20) + Array(repeating: 9, count: 5)
      + Array(repeating: 1, count: 20)
    #expect(IndexOfDispersion.of(counts: counts, window: 1, within: [0..<20, 25..<45]) == 0)
    #expect(IndexOfDispersion.of(counts: counts, window: 1, within: [0..<20]) == nil)
  }
}
