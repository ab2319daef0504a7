import Basics
import Testing

struct `Peak overlap` {
  @Test(
    arguments: [
      ([], 0), ([(0, 10), (10, 20)], 1), ([(0, 10), (9, 20), (9, 9)], 3), ([(5, 5)], 1),
      ([(0, 100), (10, 20), (30, 40)], 2),
    ] as [([(start: Int64, end: Int64)], Int)])
  func `counts what is open at once`(intervals: [(start: Int64, end: Int64)], peak: Int) {
    #expect(PeakOverlap.of(intervals) == peak)
  }
}
