import Basics
import Foundation
import TestKit
import Testing
import Trace

struct `Segments on disk` {
  /// A folder of its own, removed in the end.
  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("segments-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { removeFolder(folder) }
    try body(folder.path)
  }

  private static func removeFolder(_ folder: URL) {
    do { try FileManager.default.removeItem(at: folder) } catch { Issue.record("\(error)") }
  }

  /// Writes a segment of a recording that began at `t0`, with one line that says its number.
  private static func write(_ path: String, segment: Int?, t0: Int64 = 1) throws {
    let writer = try TraceWriter(path: path)
    var header = HeaderLine(
      recorder: "r", source: .proxy, t0: Timestamp(nanoseconds: t0 * 1_000_000_000))
    header.segment = segment
    writer.write(.header(header))
    writer.write(.loss(LossLine(t: 0, kind: "k", bytes: segment ?? 0)))
    writer.flush()
  }

  /// The numbers of the segments that are read, in order; 0 for a file that is none.
  private static func read(_ path: String) throws -> [Int] {
    try TraceReader.events(of: path).compactMap {
      if case .loss(let line) = $0 { line.bytes } else { nil }
    }
  }

  @Test(arguments: [".mcptrace", ".mcptrace.zst", ".log", ""])
  func `are read as one recording by its name, while it goes on and after it`(
    suffix: String
  ) throws {
    try Self.withFolder { folder in
      let names = SegmentNames(folder + "/live" + suffix)
      try Self.write(names.closed(11), segment: 1)
      try Self.write(names.closed(12), segment: 2)
      var read = try Self.read(names.open)
      #expect(read == [1, 2])
      try Self.write(names.open, segment: 3)
      read = try Self.read(names.open)
      #expect(read == [1, 2, 3])
      read = try Self.read(names.closed(12))
      #expect(read == [2])
      let lines = try TraceLineFile(path: names.open)
      let reader = try TraceReader(path: names.open)
      while let event = try reader.next() {
        let again = try lines.event(offset: reader.offset, length: reader.length)
        #expect(again == event)
      }
      #expect(reader.line == 6)
    }
  }

  @Test func `of earlier recordings, of others, and those there are none of, are left out`() throws
  {
    try Self.withFolder { folder in
      let names = SegmentNames(folder + "/live.mcptrace")
      try Self.write(names.closed(1), segment: 1)
      try Self.write(names.closed(2), segment: 2)
      try Self.write(names.closed(3), segment: 1, t0: 2)
      try Self.write(folder + "/other.000004.mcptrace", segment: 2, t0: 2)
      try Self.write(folder + "/live.12.mcptrace", segment: 3, t0: 2)
      #expect(names.numbers() == [1, 2, 3])
      var read = try Self.read(names.open)
      #expect(read == [1])
      try Self.write(names.open, segment: 2, t0: 2)
      read = try Self.read(names.open)
      #expect(read == [1, 2])
      // The oldest were removed.
      try Self.write(names.open, segment: 9, t0: 3)
      read = try Self.read(names.open)
      #expect(read == [9])
      // A recording without segments of the same name.
      try Self.write(names.open, segment: nil, t0: 3)
      read = try Self.read(names.open)
      #expect(read == [0])
    }
  }

  @Test func `closed while they are read are read once`() throws {
    try Self.withFolder { folder in
      let names = SegmentNames(folder + "/live.mcptrace")
      try Self.write(names.closed(1), segment: 1)
      // What a reader finds that opened segment 2 when it was the open one.
      try Self.write(names.open, segment: 2)
      try Self.write(names.closed(2), segment: 2)
      let read = try Self.read(names.open)
      #expect(read == [1, 2])
    }
  }

  @Test func `have names that count`() {
    let names = SegmentNames("a/live.mcptrace.zst")
    #expect(names.closed(1) == "a/live.000001.mcptrace.zst")
    #expect(names.closed(1_234_567) == "a/live.1234567.mcptrace.zst")
    #expect(names.next == "a/live.next.mcptrace.zst")
    #expect(SegmentNames("live").closed(7) == "live.000007")
  }

  @Test func `go when a limit says so, and all older ones with them`() {
    let closed = [(1, 100, 50), (2, 10, 40), (3, 10, 30), (4, 10, 20)].map {
      SegmentRetention.Segment(number: $0.0, size: $0.1, age: .seconds($0.2))
    }
    var retention = SegmentRetention()
    #expect(retention.expired(closed, open: 5) == [])
    retention.count = 3
    #expect(retention.expired(closed, open: 5) == [1])
    retention.age = .seconds(30)
    #expect(retention.expired(closed.shuffled(), open: 5) == [1, 2])
    retention.size = 24
    #expect(retention.expired(closed, open: 5) == [1, 2, 3])
    retention.size = 4
    #expect(retention.expired(closed, open: 5) == [1, 2, 3, 4])
    retention = SegmentRetention()
    retention.size = 35
    #expect(retention.expired(closed, open: 5) == [1])
  }

  @Test func `have balances that close and add up`() {
    func footer(_ explained: Int, _ lost: Int, in bytes: Int) -> FooterLine {
      FooterLine(
        counts: [:], bytesIn: bytes, bytesExplained: explained,
        loss: lost > 0 ? ["tcp.gap": .init(count: lost, bytes: 10 * lost)] : [:])
    }
    var balance = SegmentBalance()
    // Of 100 bytes 30 are still under way.
    #expect(balance.next(footer(70, 0, in: 100)) == footer(70, 0, in: 70))
    #expect(balance.next(footer(80, 2, in: 130)) == footer(10, 2, in: 30))
    #expect(balance.next(footer(80, 2, in: 130)) == footer(0, 0, in: 0))
    #expect(balance.rest(footer(170, 3, in: 200)) == footer(90, 1, in: 100))
  }
}
