import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `Timed bytes` {
  private func at(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: time) }

  @Test func `what is taken has the latest time of its chunks`() {
    var bytes = TimedBytes()
    bytes.append(ByteBuffer(string: "abc"), at: at(5))
    bytes.append(ByteBuffer(string: "def"), at: at(3))
    bytes.append(ByteBuffer(), at: at(99))
    bytes.append(ByteBuffer(string: "g"), at: at(7))
    var seen: [String] = []
    for count in [2, 1, 1, 3] {
      let time = bytes.time.nanoseconds
      let isAtStart = bytes.isAtChunkStart
      let left = bytes.chunkCount
      let (taken, latest) = bytes.take(count)
      seen.append(
        "\(String(buffer: taken)) from \(time) to \(latest.nanoseconds), \(left) left"
          + (isAtStart ? ", new" : ""))
    }
    #expect(
      seen == [
        "ab from 5 to 5, 3 left, new", "c from 5 to 5, 1 left", "d from 3 to 3, 3 left, new",
        "efg from 3 to 7, 2 left",
      ])
    #expect(bytes.count == 0)
    #expect(bytes.offset == 7)
    #expect(bytes.time == at(7))
    #expect(bytes.chunkCount == 0)
    #expect(!bytes.isAtChunkStart)
  }

  @Test func `taking more than there is takes what is there`() {
    var bytes = TimedBytes()
    let (nothing, _) = bytes.take(4)
    #expect(nothing.readableBytes == 0)
    bytes.append(ByteBuffer(string: "ab"), at: at(1))
    let (all, time) = bytes.take(.max)
    #expect(String(buffer: all) == "ab")
    #expect(time == at(1))
  }

  @Test func `what was read is not kept for ever`() {
    var bytes = TimedBytes()
    let chunk = ByteBuffer(repeating: 0x61, count: 1000)
    var last = ByteBuffer()
    for i in 0..<2000 {
      bytes.append(chunk, at: at(Int64(i)))
      last = bytes.take(bytes.count - 1).bytes
    }
    #expect(last.readableBytes == 1000)
    let capacity = bytes.bytes.capacity
    #expect(capacity < 10_000)
  }

  @Test func `any taking gives all bytes with the times of their chunks`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("timed bytes"))
    for _ in 0..<100 {
      var bytes = TimedBytes()
      var times: [Int64] = []
      var taken = 0
      for _ in 0..<100 {
        let time = Int64.random(in: 0..<50, using: &generator)
        let size = Int.random(in: 0..<8, using: &generator)
        let chunk = ByteBuffer(
          bytes: (0..<size).map { UInt8(truncatingIfNeeded: times.count + $0) })
        bytes.append(chunk, at: at(time))
        times += Array(repeating: time, count: size)
        guard Bool.random(using: &generator), taken < times.count else { continue }
        #expect(bytes.time == at(times[taken]))
        let (slice, latest) = bytes.take(Int.random(in: 1...20, using: &generator))
        let range = taken..<taken + slice.readableBytes
        #expect(latest.nanoseconds == times[range].max())
        #expect(Array(slice.readableBytesView) == range.map { UInt8(truncatingIfNeeded: $0) })
        taken = range.upperBound
        #expect(bytes.offset == taken)
        #expect(bytes.count == times.count - taken)
      }
    }
  }
}
