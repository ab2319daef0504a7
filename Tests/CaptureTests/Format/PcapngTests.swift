import Basics
import Capture
import NIOCore
import Packets
import TestKit
import Testing

private typealias Option = PcapngBuilder.Option

struct `pcapng captures` {
  @Test(arguments: [false, true])
  func `packets of every kind of block come back`(_ isBigEndian: Bool) {
    var file = PcapngBuilder(isBigEndian: isBigEndian)
    file.section()
    file.interface(.ethernet, snapLength: 4)
    file.interface(.raw, options: [Option(9, [9])])
    file.packet([1, 2, 3], ticks: 5_000_001)
    file.obsoletePacket([4, 5], interface: 1, ticks: 7, original: 9)
    file.simplePacket([6, 7, 8, 9], original: 60)
    file.packet([], interface: 1, ticks: 1 << 33)
    var want = Decoded()
    want.frames = [
      .init([1, 2, 3], at: 5_000_001_000), .init([4, 5], length: 9, link: .raw, at: 7),
      .init([6, 7, 8, 9], length: 60, at: 7), .init([], link: .raw, at: 8_589_934_592),
    ]
    want.counters = ["packets.no_timestamp": 1]
    #expect(Decoded.everyWay(file.bytes) == want)
  }

  @Test func `every section has its own byte order and interfaces`() {
    var file = PcapngBuilder()
    file.section()
    file.interface(.ethernet)
    file.interface(.linuxSLL)
    file.packet([1], interface: 1, ticks: 1)
    file.isBigEndian = true
    file.section()
    file.interface(.ipv4)
    file.packet([2], interface: 0, ticks: 2)
    file.packet([3], interface: 1, ticks: 3)
    var want = Decoded()
    want.frames = [.init([1], link: .linuxSLL, at: 1000), .init([2], link: .ipv4, at: 2000)]
    want.counters = ["packets.no_interface": 1]
    #expect(Decoded.everyWay(file.bytes) == want)
  }

  @Test(
    arguments: [
      // if_tsresol, if_tsoffset, ticks, nanoseconds
      (6, 0, 1_600_000_000_123_456, 1_600_000_000_123_456_000),
      (9, 0, 1_600_000_000_123_456_789, 1_600_000_000_123_456_789),
      (9, 0, UInt64(Int64.max), .max), (0, 0, 1_600_000_000, 1_600_000_000_000_000_000),
      (3, 0, 1_600_000_000_123, 1_600_000_000_123_000_000),
      (7, 0, 16_000_000_001_234_567, 1_600_000_000_123_456_700),
      (12, 0, 1_600_000_123_456_789_999, 1_600_000_123_456_789),
      (19, 0, 15_999_999_999_999_999_999, 1_599_999_999), (20, 0, .max, 184_467_440),
      (27, 0, .max, 18), (28, 0, .max, 1), (29, 0, .max, 0), (127, 0, .max, 0),
      (0x80, 0, 3, 3_000_000_000), (0x8a, 0, 1_638_400_000_512, 1_600_000_000_500_000_000),
      (0xa0, 0, 6_871_947_673_600_000_000 + 1 << 31, 1_600_000_000_500_000_000),
      (0xbf, 0, 1 << 63 | 1 << 62, 1_500_000_000), (0xc0, 0, 1 << 63, 500_000_000),
      (0xc1, 0, 1 << 63, 250_000_000), (0xff, 0, .max, 0),
      (6, 1_600_000_000, 1, 1_600_000_000_000_001_000), (6, -5, 3_000_000, -2_000_000_000),
      (9, -1, 1, -999_999_999), (0, -9_000_000_000, 9_000_000_001, 1_000_000_000),
    ] as [(UInt8, Int64, UInt64, Int64)])
  func `times count in the interface's units`(
    _ resolution: UInt8, _ offset: Int64, _ ticks: UInt64, _ nanoseconds: Int64
  ) {
    for isBigEndian in [false, true] {
      var file = PcapngBuilder(isBigEndian: isBigEndian)
      file.section()
      let options = [Option(2, Array("lo".utf8)), Option(9, [resolution])]
      file.interface(
        options: options + (offset == 0 ? [] : [Option(14, file.value(offset))]))
      file.packet([1], ticks: ticks)
      let result = Decoded([file.bytes])
      #expect(result.frames == [.init([1], at: nanoseconds)])
      #expect(result.counters == [:])
    }
  }

  @Test(
    arguments: [
      (9, 0, UInt64(Int64.max) + 1, .max), (6, 0, .max, .max), (0, 0, .max, .max),
      (0x80, 0, .max, .max), (0, .max, 1, .max), (6, .min, 0, .min),
      (0, -10_000_000_000, 0, .min),
    ] as [(UInt8, Int64, UInt64, Int64)])
  func `times beyond 64 bits of nanoseconds are counted`(
    _ resolution: UInt8, _ offset: Int64, _ ticks: UInt64, _ nanoseconds: Int64
  ) {
    var file = PcapngBuilder()
    file.section()
    file.interface(options: [Option(9, [resolution]), Option(14, file.value(offset))])
    file.packet([1], ticks: ticks)
    let result = Decoded([file.bytes])
    #expect(result.frames == [.init([1], at: nanoseconds)])
    #expect(result.counters == ["packets.time_out_of_range": 1])
  }

  @Test func `a frame check sequence is the interface's or the packet's own`() {
    var file = PcapngBuilder()
    file.section()
    file.interface(options: [Option(13, [4])])
    file.packet([1, 2, 3, 4, 5, 6], ticks: 1)
    file.packet([1, 2, 3, 4, 5, 6], ticks: 1, options: [Option(2, file.value(UInt32(2 << 5)))])
    file.packet([1, 2, 3, 4, 5, 6], ticks: 1, options: [Option(2, file.value(UInt32(1)))])
    file.packet([1, 2, 3], ticks: 1, original: 9)
    #expect(
      Decoded([file.bytes]).frames == [
        .init([1, 2], at: 1000), .init([1, 2, 3, 4], at: 1000), .init([1, 2], at: 1000),
        .init([1, 2, 3], length: 5, at: 1000),
      ])
  }

  @Test(arguments: [false, true])
  func `blocks without packets are passed over and counted`(_ isBigEndian: Bool) {
    var file = PcapngBuilder(isBigEndian: isBigEndian)
    file.section()
    file.interface()
    file.block(4, ByteBuffer(repeating: 7, count: 30))
    file.packet([1], ticks: 1, options: [Option(1, Array("a comment".utf8))])
    file.block(0xbad, ByteBuffer(repeating: 7, count: 9))
    file.block(0x4000_0bad, ByteBuffer())
    file.block(0x8000_0001, ByteBuffer(repeating: 7, count: 3))
    file.statistics(options: [Option(5, file.value(UInt64(3))), Option(7, file.value(UInt64(4)))])
    file.packet([2], ticks: 2)
    file.statistics(options: [Option(5, file.value(UInt64(5))), Option(7, file.value(UInt64(6)))])
    var want = Decoded()
    want.frames = [.init([1], at: 1000), .init([2], at: 2000)]
    want.counters = [
      "pcapng.name_resolution": 1, "pcapng.custom_block": 2, "pcapng.unknown_block": 1,
      "pcapng.interface_statistics": 2, "capture.interface_drop": 5, "capture.kernel_drop": 6,
    ]
    #expect(Decoded.everyWay(file.bytes) == want)
  }

  @Test func `an unknown block may be longer than what is held`() {
    var file = PcapngBuilder()
    file.section()
    file.interface()
    file.block(99, ByteBuffer(repeating: 7, count: CaptureDecoder.recordLimit + 5000))
    file.packet([1], ticks: 1)
    let result = Decoded([file.bytes])
    #expect(result.frames == [.init([1], at: 1000)])
    #expect(result.error == nil)
  }

  @Test(arguments: [false, true])
  func `secrets come in their place`(_ isBigEndian: Bool) {
    var file = PcapngBuilder(isBigEndian: isBigEndian)
    file.section()
    file.secrets(DecryptionSecrets.tlsKeyLog, "CLIENT_RANDOM 01 02\n")
    file.secrets(1, "x")
    let result = Decoded.everyWay(file.bytes)
    #expect(
      result.secrets == [
        DecryptionSecrets(
          type: DecryptionSecrets.tlsKeyLog, bytes: ByteBuffer(string: "CLIENT_RANDOM 01 02\n")),
        DecryptionSecrets(type: 1, bytes: ByteBuffer(string: "x")),
      ])
    #expect(result.counters == ["pcapng.secrets": 2])
  }

  @Test func `options that do not fit end their list`() {
    var file = PcapngBuilder()
    file.section()
    var body = ByteBuffer()
    body.writeInteger(UInt64(1), endianness: .little)
    for half in [9, 1, 9, 0, 14, 200] as [UInt16] {
      body.writeInteger(half, endianness: .little)
    }
    file.block(1, body)
    file.packet([1], ticks: 5)
    let result = Decoded.everyWay(file.bytes)
    #expect(result.frames == [.init([1], at: 5)])
    #expect(result.counters == ["pcapng.bad_options": 1])
  }

  @Test func `a simple packet's length is bounded by snap length and block`() {
    var file = PcapngBuilder()
    file.section()
    file.simplePacket([9])
    file.interface(snapLength: 2)
    file.simplePacket([1, 2, 3, 4], original: 3)
    file.isBigEndian = true
    file.section()
    file.interface(snapLength: 0)
    file.simplePacket([1, 2, 3, 4], original: 900)
    var want = Decoded()
    want.frames = [.init([1, 2], length: 3, at: 0), .init([1, 2, 3, 4], length: 900, at: 0)]
    want.counters = ["packets.no_timestamp": 2, "packets.no_interface": 1]
    #expect(Decoded.everyWay(file.bytes) == want)
  }

  @Test func `a file cut off anywhere keeps all whole blocks`() throws {
    var file = PcapngBuilder()
    var ends: [Int] = []
    file.section()
    ends.append(file.bytes.readableBytes)
    file.interface()
    ends.append(file.bytes.readableBytes)
    file.packet([1, 2, 3], ticks: 1)
    ends.append(file.bytes.readableBytes)
    file.block(99, ByteBuffer(repeating: 1, count: 40))
    ends.append(file.bytes.readableBytes)
    file.packet([4], ticks: 2)
    ends.append(file.bytes.readableBytes)
    for length in 4...file.bytes.readableBytes {
      let result = Decoded([try #require(file.bytes.getSlice(at: 0, length: length))])
      let complete = ends.filter { $0 <= length }
      #expect(result.frames.count == (complete.count >= 5 ? 2 : complete.count >= 3 ? 1 : 0))
      #expect(result.counters["file.truncated_tail"] ?? 0 == length - (complete.last ?? 0))
      #expect(result.error == nil)
    }
  }

  /// Where in the file's last block a number is put, and what.
  @Test(
    arguments: [
      ("a length of nothing", 4, 0), ("a length not in words", 4, 46),
      ("a length beyond all limits", 4, 0x7fff_fffc), ("another length behind", 40, 40),
      ("more captured than there is", 20, 13), ("far more captured", 20, 0xffff_ffff),
    ] as [(String, Int, UInt32)])
  func `a damaged block is an error with its offset`(
    _ name: String, _ place: Int, _ value: UInt32
  ) {
    var file = PcapngBuilder(isBigEndian: true)
    file.section()
    file.interface()
    file.packet([1], ticks: 1)
    let block = file.bytes.readableBytes
    file.packet([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], ticks: 2)
    var bytes = file.bytes
    bytes.setInteger(value, at: block + place)
    let result = Decoded.everyWay(bytes)
    #expect(result.frames == [.init([1], at: 1000)], "\(name)")
    #expect(result.error?.what == .corruptBlock, "\(name)")
    #expect(result.error?.offset == block, "\(name)")
    #expect(result.counters == ["file.corrupt_block": 1], "\(name)")
  }

  @Test func `interfaces beyond what a section may have are counted, and so are their packets`() {
    var file = PcapngBuilder()
    file.section()
    for _ in 0...65_536 { file.interface() }
    file.packet([1], interface: 65_535, ticks: 1)
    file.packet([2], interface: 65_536, ticks: 2)
    let result = Decoded([file.bytes])
    #expect(result.frames == [.init([1], at: 1000)])
    #expect(result.counters == ["limit.interfaces": 1, "packets.no_interface": 1])
  }

  @Test func `a skipped block with another length behind is an error at its first byte`() {
    var file = PcapngBuilder()
    file.section()
    let block = file.bytes.readableBytes
    file.block(99, ByteBuffer(repeating: 1, count: 8))
    var bytes = file.bytes
    bytes.setInteger(UInt32(16), at: block + 16, endianness: .little)
    let result = Decoded.everyWay(bytes)
    #expect(result.error?.what == .corruptBlock)
    #expect(result.error?.offset == block)
  }

  @Test func `a section of another version or without byte order ends the file`() {
    var file = PcapngBuilder()
    file.section()
    file.interface()
    let second = file.bytes.readableBytes
    file.section(major: 2)
    #expect(Decoded([file.bytes]).error?.what == .unsupported)
    #expect(Decoded([file.bytes]).error?.offset == second)
    var bytes = file.bytes
    bytes.setInteger(UInt32(0), at: second + 8)
    #expect(Decoded([bytes]).error?.what == .corruptBlock)
    #expect(Decoded([bytes]).error?.offset == second)
  }
}
