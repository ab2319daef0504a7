import Capture
import NIOCore
import Packets
import TestKit
import Testing

/// A snoop file: records of seconds, microseconds, data, length on the wire, padding, packets lost so far.
private func snoop(
  version: UInt32 = 2, datalink: UInt32 = 4,
  _ records: [(UInt32, UInt32, [UInt8], UInt32, Int, UInt32)] = []
) -> ByteBuffer {
  var out = ByteBuffer(string: "snoop\0\0\0")
  out.writeInteger(version)
  out.writeInteger(datalink)
  for (seconds, microseconds, data, length, padding, drops) in records {
    out.writeInteger(length)
    out.writeInteger(UInt32(data.count))
    out.writeInteger(UInt32(24 + data.count + padding))
    out.writeInteger(drops)
    out.writeInteger(seconds)
    out.writeInteger(microseconds)
    out.writeBytes(data)
    out.writeRepeatingByte(0xee, count: padding)
  }
  return out
}

struct `Snoop captures` {
  @Test func `frames come back without their padding`() {
    let file = snoop([
      (7, 8, [1, 2, 3], 5, 1, 0), (9, 999_999, [], 0, 0, 2), (10, 0, [4], 1, 7, 3),
    ])
    var want = Decoded()
    want.frames = [
      .init([1, 2, 3], length: 5, at: 7_000_008_000), .init([], at: 9_999_999_000),
      .init([4], at: 10_000_000_000),
    ]
    want.counters = ["capture.kernel_drop": 3]
    #expect(Decoded.everyWay(file) == want)
  }

  @Test func `a file cut off anywhere keeps all whole records`() throws {
    let file = snoop([(1, 0, [1, 2, 3], 3, 1, 0), (2, 0, [4], 1, 3, 0)])
    for length in 16..<file.readableBytes {
      let result = Decoded([try #require(file.getSlice(at: 0, length: length))])
      #expect(result.frames.count == (length < 44 ? 0 : 1))
      #expect(
        result.counters["file.truncated_tail"] ?? 0 == (length < 44 ? length - 16 : length - 44))
      #expect(result.error == nil)
    }
  }

  @Test(
    arguments: [(8, 20), (8, 26), (8, 0xffff_ffff), (4, 5)] as [(Int, UInt32)])
  func `a damaged record is an error with its offset`(_ place: Int, _ value: UInt32) {
    var file = snoop([(1, 0, [1, 2, 3], 3, 1, 0), (2, 0, [4, 5, 6, 7], 4, 0, 0)])
    file.setInteger(value, at: 44 + place)
    let result = Decoded.everyWay(file)
    #expect(result.frames == [.init([1, 2, 3], at: 1_000_000_000)])
    #expect(result.error?.what == .corruptBlock)
    #expect(result.error?.offset == 44)
  }

  @Test func `other versions and links are refused`() {
    #expect(Decoded([snoop(version: 3)]).error?.what == .unsupported)
    #expect(Decoded([snoop(datalink: 17)]).error?.cause == "a snoop file of datalink type 17")
    #expect(
      Decoded([snoop(datalink: 8, [(1, 0, [1], 1, 0, 0)])]).frames.first?.link == LinkType(10))
  }
}
