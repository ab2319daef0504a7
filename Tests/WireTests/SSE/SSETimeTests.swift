import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `SSE times` {
  private func times(_ chunks: [(String, Int64)]) -> [[Int64]] {
    decodeSSE(chunks.map { (ByteBuffer(string: $0.0), $0.1) }).events.map {
      [$0.firstByteAt.nanoseconds, $0.lastByteAt.nanoseconds]
    }
  }

  @Test func `an event spans its first byte to the byte that completes it`() {
    #expect(times([("da", 1), ("ta: a\n", 2), ("\n", 3)]) == [[1, 3]])
    #expect(times([("\n", 1), ("data: a\n\ndata", 2), (": b\n\n", 3)]) == [[2, 2], [2, 3]])
  }

  @Test func `a CR completes its line without waiting for an LF`() {
    #expect(times([("data: a\r\n\r", 1), ("\n", 2), ("data: b\n\n", 3)]) == [[1, 1], [3, 3]])
    #expect(times([("data: a\r\r", 1), ("data: b\r\r", 2)]) == [[1, 1], [2, 2]])
  }

  @Test func `events of one segment share its time`() {
    #expect(times([("data: a\n\ndata: b\n\n", 5)]) == [[5, 5], [5, 5]])
  }

  @Test func `a comment has its own times and does not make a block older`() {
    #expect(times([(": pi", 1), ("ng\n", 2), ("data: a\n", 3), ("\n", 4)]) == [[1, 2], [3, 4]])
  }

  @Test func `an unknown field begins its block`() {
    #expect(times([("x: y\n", 1), ("data: a\n\n", 2)]) == [[1, 2]])
  }

  @Test func `segmentation changes neither events nor times`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("SSE rechunking"))
    let pieces = [
      "data: abc", "data", "data:", "id: 1", "event: message", "retry: 5", ": c", "x", "\n", "\r",
      "\r\n", "\n\n", "\r\n\r\n", "\r\r", "\u{feff}", "é", ":", " ",
    ]
    for _ in 0..<300 {
      // Runs of bytes that arrive at one time each, and then any finer cutting of the same.
      let segments = (1...6).map { time in
        let text = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
          pieces[Int.random(in: 0..<pieces.count, using: &generator)]
        }.joined()
        return (Array(text.utf8), Int64(time))
      }
      let whole = decodeSSE(segments.map { (ByteBuffer(bytes: $0.0), $0.1) })
      let bytewise = decodeSSE(
        segments.flatMap { bytes, time in
          bytes.map { (ByteBuffer(bytes: [$0]), time) }
        })
      let parts = decodeSSE(
        segments.flatMap { bytes, time in
          Rechunking.random(bytes, using: &generator).map { ($0, time) }
        })
      #expect(bytewise.events == whole.events)
      #expect(bytewise.incomplete == whole.incomplete)
      #expect(parts.events == whole.events)
      #expect(parts.incomplete == whole.incomplete)
    }
  }
}
