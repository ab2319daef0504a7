import Basics
import Glibc
import NIOCore
import TestKit
import Testing
import Trace

struct `Compressed traces` {
  /// Writes lines to a compressed file, a frame for each batch; returns what the file is then, and where each frame ends.
  static func frames(_ batches: [[TraceEvent]], level: Int = 3) throws -> (
    bytes: [UInt8], ends: [Int]
  ) {
    try TemporaryFile.with(suffix: ".mcptrace.zst") { path in
      let writer = try TraceWriter(path: path, level: level)
      var ends: [Int] = []
      for batch in batches {
        for event in batch { writer.write(event) }
        writer.flush()
        ends.append(writer.bytesWritten)
      }
      return (try contents(path), ends)
    }
  }

  /// What is read of a file, and whether it ends well.
  struct Reading: Equatable {
    var events: [TraceEvent] = []
    var tornTail = 0
    var lines = 0
    var error: TraceFormatError?

    init(_ bytes: [UInt8]) throws {
      self = try TemporaryFile.with { path in
        try Reading.put(bytes, path)
        return try Reading(path: path)
      }
    }

    init(path: String) throws {
      let reader = try TraceReader(path: path)
      do {
        while let event = try reader.next() { events.append(event) }
        lines = reader.line
        tornTail = reader.tornTail
        let beyond = try reader.next()
        #expect(beyond == nil)
      } catch {
        self.error = error
      }
    }

    private static func put(_ bytes: [UInt8], _ path: String) throws {
      let descriptor = unsafe open(path, O_WRONLY | O_TRUNC)
      defer { close(descriptor) }
      try #require(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    }
  }

  static let batches: [[TraceEvent]] = [
    [Samples.header.event], Samples.all.prefix(2).map(\.event), [],
    Samples.all.suffix(3).map(\.event),
  ]

  @Test(arguments: [1, 3, 19])
  func `give back what was written, at every level`(_ level: Int) throws {
    let all = try Self.frames(Self.batches, level: level)
    let reading = try Reading(all.bytes)
    #expect(reading.events == Self.batches.flatMap { $0 })
    #expect(reading.error == nil)
    #expect(reading.tornTail == 0)
    #expect(reading.lines == reading.events.count)
    #expect(all.bytes.prefix(4) == [0x28, 0xb5, 0x2f, 0xfd])
    #expect(all.bytes.count < reading.events.map(\.line.bytes.readableBytes).reduce(0, +))
  }

  @Test func `are known by their first bytes, not by a name`() throws {
    try TemporaryFile.with(Samples.minimalHeader.text + "\n", suffix: ".mcptrace.zst") { path in
      let events = try TraceReader.events(of: path)
      #expect(events == [Samples.minimalHeader.event])
    }
  }

  @Test func `give all whole frames wherever they are cut, and say that they are`() throws {
    let all = try Self.frames(Self.batches)
    for cut in 4..<all.bytes.count {
      let reading = try Reading(Array(all.bytes[..<cut]))
      let whole = all.ends.lastIndex { $0 <= cut }
      // Of a frame that is cut off only what can be read is given: here that is all or nothing.
      let before = whole.map { Self.batches[...$0].flatMap { $0 } } ?? []
      guard !reading.events.isEmpty else {
        #expect(whole == nil)
        #expect(reading.error?.reason == .notATrace)
        continue
      }
      #expect(reading.error == nil)
      #expect(reading.events.starts(with: before))
      #expect(Self.batches.flatMap { $0 }.starts(with: reading.events))
      #expect(reading.tornTail == cut - (whole.map { all.ends[$0] } ?? 0), "cut at \(cut)")
      #expect(reading.lines == reading.events.count + (reading.tornTail > 0 ? 1 : 0))
    }
  }

  @Test func `say where they are damaged, wherever a bit is flipped`() throws {
    let all = try Self.frames(Self.batches)
    for place in all.bytes.indices {
      var bytes = all.bytes
      bytes[place] ^= 0x10
      let reading = try Reading(bytes)
      let frame = all.ends.lastIndex { $0 <= place }.map { all.ends[$0] } ?? 0
      let before = all.ends.lastIndex { $0 <= place }.map { Self.batches[...$0].flatMap { $0 } }
      #expect(reading.events.starts(with: before ?? []))
      // The first bytes say that it is compressed; some flips make a frame longer, which is then cut off.
      guard place >= 4, reading.tornTail == 0 else { continue }
      guard case .damaged = reading.error?.reason else {
        // The format has bits that mean nothing.
        #expect(reading.error == nil)
        #expect(reading.events == Self.batches.flatMap { $0 }, "byte \(place)")
        continue
      }
      #expect(reading.error?.offset == frame)
    }
  }

  @Test func `may be concatenated, also with frames of others and skippable ones`() throws {
    let all = try Self.frames(Self.batches)
    let text = Samples.minimalHeader.text + "\n"
    let other = ZstdFrame.whole(ByteBuffer(string: text))
    let skipped = ZstdFrame.skippable([1, 2, 3])
    let bytes = Array(skipped.readableBytesView) + all.bytes + Array(skipped.readableBytesView)
    let reading = try Reading(bytes + Array(other.readableBytesView) + all.bytes)
    let events = Self.batches.flatMap { $0 }
    #expect(reading.events == events + [Samples.minimalHeader.event] + events)
    #expect(reading.error == nil)
  }

  @Test func `cost no more memory than their window, whatever they say`() throws {
    // A frame of 512 MiB by its header, in which there is one block of a run.
    let size: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x20]
    let reading = try Reading(size + [0x03, 0, 0, 0x20])
    #expect(reading.events.isEmpty)
    guard case .damaged = reading.error?.reason else {
      Issue.record("\(String(describing: reading.error))")
      return
    }
  }

  @Test func `say in one sentence where they are damaged`() {
    #expect(
      TraceFormatError(.damaged("Data corruption detected"), offset: 17).description
        == "byte 17: the compressed frame that begins here is damaged: Data corruption detected")
  }

  @Test func `lose whole frames on a full disk, none in part`() throws {
    let file = try FullFiles.sealed(size: 4096)
    defer { close(file.reading) }
    let writer = TraceWriter(descriptor: file.writing, level: 1)
    writer.write(Samples.minimalHeader.event)
    writer.flush()
    let whole = writer.bytesWritten
    var generator = SeededGenerator(seed: 1)
    let noise = String(
      (0..<20_000).map { _ in "0123456789abcdef".randomElement(using: &generator) ?? "0" })
    writer.write(.loss(LossLine(t: 0, kind: noise)))
    writer.flush()
    #expect(writer.failure == EPERM)
    #expect(writer.linesLost == 1)
    #expect(writer.bytesWritten == whole)
    #expect(lseek(file.reading, 0, SEEK_END) == whole)
  }

  @Test func `write nothing behind a part of a frame that can't be cut back`() throws {
    let pipe = try FullFiles.pipe()
    defer { close(pipe.reading) }
    let writer = TraceWriter(descriptor: pipe.writing, level: 1)
    var generator = SeededGenerator(seed: 1)
    let noise = String(
      (0..<4 * pipe.capacity).map { _ in "0123456789abcdef".randomElement(using: &generator) ?? "0"
      })
    writer.write(.loss(LossLine(t: 0, kind: noise)))
    writer.flush()
    #expect(writer.failure == EAGAIN)
    _ = FullFiles.drain(pipe.reading)
    writer.write(Samples.minimalHeader.event)
    writer.flush()
    #expect(writer.linesLost == 2)
    #expect(FullFiles.drain(pipe.reading) == "")
  }

  @Test func `have lines that can be read where they stand`() throws {
    try TemporaryFile.with(suffix: ".mcptrace.zst") { path in
      let writer = try TraceWriter(path: path)
      for event in Self.batches.flatMap({ $0 }) { writer.write(event) }
      writer.flush()
      let reader = try TraceReader(path: path)
      var places: [(event: TraceEvent, offset: Int, length: Int)] = []
      while let event = try reader.next() { places.append((event, reader.offset, reader.length)) }
      let lines = try TraceLineFile(path: path)
      for place in places.reversed() {
        let event = try lines.event(offset: place.offset, length: place.length)
        #expect(event == place.event)
      }
      #expect(places.count == 1 + 5)
    }
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(count))
  }
}
