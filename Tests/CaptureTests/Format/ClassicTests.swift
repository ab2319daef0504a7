import Basics
import Capture
import NIOCore
import Packets
import TestKit
import Testing

private func segments() -> [TCPSegment] {
  var script = TCPScript()
  script.handshake()
  script.now = script.now + 123_456
  script.send(.c2s, "ping")
  script.send(.s2c, "pong")
  return script.segments
}

/// A classic file, number by number.
private struct ClassicFile {
  var magic: UInt32 = 0xa1b2_c3d4
  var version: (UInt16, UInt16) = (2, 4)
  var link: UInt32 = 1
  var order = Endianness.big
  /// Time, two lengths as they stand, data.
  var records: [(UInt32, UInt32, UInt32, UInt32, [UInt8])] = []

  var bytes: ByteBuffer {
    var out = ByteBuffer()
    out.writeInteger(magic, endianness: order)
    out.writeInteger(version.0, endianness: order)
    out.writeInteger(version.1, endianness: order)
    for word in [0, 0, 65535, link] { out.writeInteger(word, endianness: order) }
    for (seconds, fraction, first, second, data) in records {
      for word in [seconds, fraction, first, second] { out.writeInteger(word, endianness: order) }
      if magic == 0xa1b2_cd34 { out.writeRepeatingByte(0xee, count: 8) }
      out.writeBytes(data)
    }
    return out
  }
}

struct `Classic captures` {
  @Test(arguments: [(true, false), (true, true), (false, false), (false, true)])
  func `frames come back with their times and lengths`(
    _ hasNanoseconds: Bool, _ isBigEndian: Bool
  ) {
    var builder = PcapBuilder()
    builder.hasNanoseconds = hasNanoseconds
    builder.isBigEndian = isBigEndian
    builder.snapLength = 57
    let written = builder.frames(segments())
    let result = Decoded.everyWay(builder.file(written))
    var want = Decoded()
    want.frames = written.map(Decoded.Frame.init)
    if !hasNanoseconds {
      for i in want.frames.indices { want.frames[i].at -= want.frames[i].at % 1000 }
    }
    #expect(result == want)
  }

  @Test(arguments: [Endianness.big, .little])
  func `the modified format has longer record headers`(_ order: Endianness) {
    var file = ClassicFile(magic: 0xa1b2_cd34, order: order)
    file.records = [(7, 8, 3, 5, [1, 2, 3]), (9, 0, 0, 0, []), (9, 999_999, 1, 1, [4])]
    var want = Decoded()
    want.frames = [
      .init([1, 2, 3], length: 5, at: 7_000_008_000), .init([], at: 9_000_000_000),
      .init([4], at: 9_999_999_000),
    ]
    #expect(Decoded.everyWay(file.bytes) == want)
  }

  @Test(
    arguments: [
      (2, 2, 5, 3), (2, 3, 3, 5), (2, 3, 5, 3), (2, 4, 3, 5), (2, 5, 3, 5), (543, 0, 5, 3),
    ] as [(UInt16, UInt16, UInt32, UInt32)])
  func `old versions have the lengths the other way round`(
    _ major: UInt16, _ minor: UInt16, _ first: UInt32, _ second: UInt32
  ) {
    let file = ClassicFile(version: (major, minor), records: [(1, 0, first, second, [1, 2, 3])])
    #expect(
      Decoded([file.bytes]).frames == [.init([1, 2, 3], length: 5, at: 1_000_000_000)])
  }

  @Test func `a length on the wire below the captured one is raised`() {
    let file = ClassicFile(records: [(1, 0, 4, 2, [1, 2, 3, 4])])
    #expect(
      Decoded([file.bytes]).frames == [.init([1, 2, 3, 4], length: 4, at: 1_000_000_000)])
  }

  @Test func `the upper bits of the link type tell of a frame check sequence`() {
    // 2 units of 16 bits, known; the record above is whole, the one below cut by the snap length.
    var file = ClassicFile(link: 0x2400_0001)
    file.records = [
      (1, 0, 6, 6, [1, 2, 3, 4, 5, 6]), (2, 0, 3, 9, [1, 2, 3]), (3, 0, 2, 3, [1, 2]),
    ]
    #expect(
      Decoded([file.bytes]).frames == [
        .init([1, 2], at: 1_000_000_000), .init([1, 2, 3], length: 5, at: 2_000_000_000),
        .init([], length: 0, at: 3_000_000_000),
      ])
  }

  @Test func `times reach to the end of 32 bits`() {
    let file = ClassicFile(records: [(.max, .max, 0, 0, [])])
    #expect(
      Decoded([file.bytes]).frames.map(\.at) == [4_294_967_295_000_000_000 + 4_294_967_295_000])
  }

  @Test(arguments: [LinkType.null, .loop, .ipv4, .linuxSLL, .linuxSLL2])
  func `the file's link type is that of its frames`(_ type: LinkType) {
    var builder = PcapBuilder()
    builder.linkType = type
    let written = builder.frames(segments())
    #expect(Decoded([builder.file(written)]).frames == written.map(Decoded.Frame.init))
  }

  @Test func `a file cut off anywhere keeps all whole records`() throws {
    let frames = PcapBuilder().frames(segments())
    let whole = PcapBuilder().file(frames)
    var ends = [24]
    for frame in frames { ends.append((ends.last ?? 0) + 16 + frame.bytes.readableBytes) }
    for length in 24...whole.readableBytes {
      let result = Decoded([try #require(whole.getSlice(at: 0, length: length))])
      let complete = ends.filter { $0 <= length }
      var want = Decoded()
      want.frames = frames.prefix(complete.count - 1).map(Decoded.Frame.init)
      let tail = length - (complete.last ?? 0)
      want.counters = tail > 0 ? ["file.truncated_tail": tail] : [:]
      #expect(result == want, "cut at \(length)")
    }
  }

  @Test func `a damaged record is an error with its offset`() {
    let frames = PcapBuilder().frames(segments())
    var bytes = PcapBuilder().file(frames)
    let second = 24 + 16 + frames[0].bytes.readableBytes
    bytes.setInteger(UInt32.max, at: second + 8)
    let result = Decoded.everyWay(bytes)
    #expect(result.frames == [.init(frames[0])])
    #expect(result.error?.what == .corruptBlock)
    #expect(result.error?.offset == second)
    #expect(result.counters == ["file.corrupt_block": 1])
  }

  @Test(
    arguments: [
      ("nothing", [], .notACapture), ("half a header", [0xd4, 0xc3, 0xb2, 0xa1, 2], .notACapture),
      ("text", Array("hello, this is not a capture at all".utf8), .notACapture),
      ("a trace", Array("{\"type\":\"header\",\"format\":\"mcptrace\"".utf8), .unsupported),
      ("snoop", Array("btsnoop\0".utf8) + [0, 0, 0, 1], .unsupported),
      ("xz", [0xfd] + Array("7zXZ\0".utf8), .unsupported),
      ("lz4", [0x04, 0x22, 0x4d, 0x18], .unsupported),
      ("version 3", Array(ClassicFile(version: (3, 0)).bytes.readableBytesView), .unsupported),
    ] as [(String, [UInt8], CaptureError.What)])
  func `what is not a capture is refused`(
    _ name: String, _ bytes: [UInt8], _ what: CaptureError.What
  ) {
    let result = Decoded.everyWay(ByteBuffer(bytes: bytes))
    #expect(result.error?.what == what, "\(name)")
    #expect(result.error?.offset == 0)
    #expect(result.error?.cause.isEmpty == false)
  }
}
