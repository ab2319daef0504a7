import Basics
import Capture
import Glibc
import NIOCore
import Packets
import TestKit
import Testing

/// A pcapng file with a packet of one byte at each time, in microseconds.
private func file(_ packets: [(UInt8, UInt64)], secrets: [String] = []) -> PcapngBuilder {
  var file = PcapngBuilder()
  file.section()
  file.interface()
  for (byte, ticks) in packets { file.packet([byte], ticks: ticks) }
  for text in secrets { file.secrets(DecryptionSecrets.tlsKeyLog, text) }
  return file
}

/// What came out of a time line, in order: a packet as its byte, secrets as their text.
private struct Told: Equatable {
  var items: [String] = []
  var errors: [CaptureError.What?] = []

  init(_ timeline: CaptureTimeline) {
    while let item = timeline.next() {
      switch item {
      case .frame(let frame): items.append("\(frame.bytes.readableBytesView.first ?? 0)")
      case .secrets(let secrets): items.append(String(buffer: secrets.bytes))
      case .waiting: items.append("waiting")
      }
    }
    errors = timeline.ended.map { $0.error?.what }
  }
}

private func told(_ files: [ByteBuffer]) throws -> Told {
  let disks = try files.map { try CaptureOnDisk($0) }
  let result = try Told(CaptureTimeline(paths: disks.map(\.path)))
  // The files must be there until they have been read.
  withExtendedLifetime(disks) {}
  return result
}

struct `A time line of captures` {
  @Test func `orders files by their first packets`() throws {
    let result = try told([
      file([(5, 50), (6, 60)]).bytes, file([]).bytes, file([(1, 10), (2, 20)]).bytes,
      file([(3, 30), (4, 40)]).bytes,
    ])
    #expect(result.items == ["1", "2", "3", "4", "5", "6"])
    #expect(result.errors == [nil, nil, nil, nil])
  }

  @Test func `merges files that overlap, each in its own order`() throws {
    let result = try told([
      file([(4, 40), (2, 20), (7, 70)]).bytes, file([(1, 10), (5, 50), (6, 60)]).bytes,
      file([(3, 30)]).bytes,
    ])
    // 2 stands behind 4 in its file, and is taken as soon as 4 is.
    #expect(result.items == ["1", "3", "4", "2", "5", "6", "7"])
  }

  @Test func `takes the file given first when times are equal`() throws {
    let result = try told([
      file([(1, 10), (4, 20)]).bytes, file([(2, 10), (5, 20)]).bytes, file([(3, 10)]).bytes,
    ])
    #expect(result.items == ["1", "2", "3", "4", "5"])
  }

  @Test func `reads the same file as often as it is given`() throws {
    let disk = try CaptureOnDisk(file([(1, 10), (2, 20)]).bytes)
    let result = try Told(CaptureTimeline(paths: [disk.path, disk.path, disk.path]))
    #expect(result.items == ["1", "1", "1", "2", "2", "2"])
  }

  @Test func `reads hundreds of files one after the other`() throws {
    let files = (0..<300).map { file([(UInt8($0 % 256), UInt64($0 * 10))]).bytes }
    let result = try told(files.reversed())
    #expect(result.items == (0..<300).map { "\($0 % 256)" })
  }

  @Test func `has the secrets of all files in front, once`() throws {
    let alone = try told([file([(1, 10)], secrets: ["a", "b"]).bytes])
    #expect(alone.items == ["a", "b", "1"])
    let several = try told([
      file([(2, 20)], secrets: ["b"]).bytes, file([(1, 10)], secrets: ["a"]).bytes,
    ])
    #expect(several.items == ["b", "a", "1", "2"])
  }

  @Test func `has the secrets of packed files where they stand`() throws {
    let packed = Deflate.whole(file([(1, 10), (2, 20)], secrets: ["a"]).bytes, .gzip)
    // A packed file is not read twice for its secrets; alone it is not read twice at all.
    let result = try told([packed])
    #expect(result.items == ["1", "2"] + ["a"])
  }

  @Test func `finds secrets behind long and skipped blocks, in both byte orders`() throws {
    var builder = file([])
    builder.block(99, ByteBuffer(repeating: 1, count: 200_000))
    builder.packet([UInt8](repeating: 1, count: 100_000), ticks: 1)
    builder.secrets(DecryptionSecrets.tlsKeyLog, "a")
    builder.isBigEndian = true
    builder.section()
    builder.secrets(DecryptionSecrets.tlsKeyLog, String(repeating: "b", count: 100_000))
    let result = try told([builder.bytes])
    #expect(result.items == ["a", String(repeating: "b", count: 100_000), "1"])
  }

  @Test func `leaves secrets where they stand once many wait`() throws {
    let half = String(repeating: "b", count: 8 << 20)
    let result = try told([
      file([(1, 10)], secrets: [half, half]).bytes, file([(2, 20)], secrets: ["a"]).bytes,
    ])
    #expect(result.items.map { $0.count > 1 ? "long" : $0 } == ["long", "long", "1", "2", "a"])
  }

  @Test func `goes on with the other files when one is damaged`() throws {
    var damaged = file([(1, 10), (3, 30)])
    let place = damaged.bytes.readableBytes
    damaged.packet([4], ticks: 35)
    var bytes = damaged.bytes
    bytes.setInteger(UInt32(7), at: place + 4)
    let result = try told([bytes, file([(2, 20), (5, 50)]).bytes])
    #expect(result.items == ["1", "2", "3", "5"])
    #expect(result.errors == [.corruptBlock, nil])
  }

  @Test func `refuses to begin with something that is no capture`() throws {
    let good = try CaptureOnDisk(file([(1, 10)]).bytes)
    let text = try CaptureOnDisk(ByteBuffer(string: "hello, this is text"))
    for bad in [text.path, "/nonexistent.pcap"] {
      #expect(throws: CaptureError.self) { _ = try CaptureTimeline(paths: [good.path, bad]) }
    }
  }

  @Test func `sums up what was met`() throws {
    let cut = file([(2, 20), (3, 30)]).bytes
    let disks = [
      try CaptureOnDisk(try #require(cut.getSlice(at: 0, length: cut.readableBytes - 5))),
      try CaptureOnDisk(file([(1, 10)], secrets: ["a"]).bytes),
    ]
    let timeline = try CaptureTimeline(paths: disks.map(\.path))
    #expect(Told(timeline).items == ["a", "1", "2"])
    #expect(
      timeline.counters.named.map { "\($0.name) \($0.count)" } == [
        "file.truncated_tail 31", "pcapng.secrets 1",
      ])
    withExtendedLifetime(disks) {}
  }

  @Test func `says when a pipe has to be waited for`() throws {
    let bytes = Array(file([(1, 10), (2, 20)]).bytes.readableBytesView)
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    defer { close(ends[0]) }
    let half = bytes.count / 2
    #expect(unsafe write(ends[1], bytes, half) == half)
    let timeline = try CaptureTimeline(paths: ["/dev/fd/\(ends[0])"])
    var items: [String] = []
    while let item = timeline.next() {
      switch item {
      case .frame(let frame): items.append("\(frame.bytes.readableBytesView.first ?? 0)")
      case .secrets: items.append("secrets")
      case .waiting:
        items.append("waiting")
        guard items.count == 1 else { continue }
        let rest = Array(bytes[half...])
        #expect(unsafe write(ends[1], rest, rest.count) == rest.count)
        close(ends[1])
      }
    }
    #expect(items == ["waiting", "1", "2"])
  }

  @Test func `merges pipes with files`() throws {
    let pipe = try Pipe(file([(2, 20), (4, 40)], secrets: ["a"]).bytes)
    let disk = try CaptureOnDisk(file([(1, 10), (3, 30)]).bytes)
    let result = try Told(CaptureTimeline(paths: [pipe.path, disk.path]))
    #expect(result.items == ["1", "2", "3", "4", "a"])
  }
}
