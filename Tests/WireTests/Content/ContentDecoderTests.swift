import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `Content decoder` {
  static let text = ByteBuffer(
    string: (0..<500).map { "{\"id\":\($0),\"text\":\"é \($0 * 7919)\"}" }.joined(separator: "\n"))

  private func coding(_ framing: Deflate.Framing) -> ContentCoding {
    framing == .gzip ? .gzip : .deflate
  }

  private func decode(_ chunks: [ByteBuffer], _ decoder: ContentDecoder) -> ByteBuffer {
    var out = ByteBuffer()
    for chunk in chunks { out.writeImmutableBuffer(decoder.decode(chunk)) }
    return out
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `inflates whole, byte by byte and in random chunks`(_ framing: Deflate.Framing) {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("inflate"))
    let coded = Deflate.whole(Self.text, framing)
    let bytes = Array(coded.readableBytesView)
    for chunks in [
      [coded], Rechunking.bytewise(bytes), Rechunking.random(bytes, using: &generator),
    ] {
      let decoder = ContentDecoder(coding(framing))
      #expect(decode(chunks, decoder) == Self.text)
      #expect(decoder.finished)
      #expect(!decoder.failed)
      #expect(!decoder.isIdentity)
      #expect(decoder.undecoded == 0)
    }
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `gives each flushed part as soon as it is there`(_ framing: Deflate.Framing) {
    let parts = (0..<5).map { ByteBuffer(string: "data: {\"id\":\($0)}\r\n\r\n") }
    let decoder = ContentDecoder(coding(framing))
    let out = Deflate.pieces(parts, framing).map { decoder.decode($0) }
    #expect(out == parts)
    #expect(decoder.finished)
  }

  /// "data: {\"id\":0}", CRLF twice, and so on, flushed after each.
  static let brotli: [[UInt8]] = [
    [
      0x8b, 0x08, 0x80, 0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a,
      0x30,
      0x7d, 0x0d, 0x0a, 0x0d, 0x0a,
    ],
    [0x88, 0x00, 0x00, 0x40, 0x22, 0xa6, 0x16, 0x08, 0x26, 0xa8, 0xca, 0x00],
    [0x88, 0x00, 0x00, 0x40, 0x42, 0xa6, 0x16, 0x08, 0x22, 0x80, 0x18],
    [0x88, 0x00, 0x00, 0x40, 0x62, 0xa6, 0x16, 0x08, 0x22, 0x80, 0x18],
    [0x11, 0x01, 0x00, 0x40, 0x82, 0xa6, 0x16, 0x08, 0x22, 0x80, 0x00],
  ]

  @Test(arguments: [ContentCoding.br, .zstd])
  func `gives each flushed part of newer codings as soon as it is there`(_ coding: ContentCoding) {
    let parts = (0..<5).map { ByteBuffer(string: "data: {\"id\":\($0)}\r\n\r\n") }
    let pieces = coding == .br ? Self.brotli.map { ByteBuffer(bytes: $0) } : ZstdFrame.pieces(parts)
    let decoder = ContentDecoder(coding)
    #expect(pieces.map { decoder.decode($0) } == parts)
    #expect(decoder.finished)
    let bytes = pieces.flatMap { Array($0.readableBytesView) }
    let all = ByteBuffer(bytes: parts.flatMap { Array($0.readableBytesView) })
    for chunks in [[ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes)]
      + Rechunking.everySplit(bytes)
    {
      let decoder = ContentDecoder(coding)
      #expect(decode(chunks + [ByteBuffer(string: "\r\n")], decoder) == all)
      #expect(decoder.finished)
      #expect(!decoder.failed)
      #expect(decoder.undecoded == 2)
    }
  }

  @Test(arguments: [ContentCoding.gzip, .deflate, .br, .zstd])
  func `gives what there is of a body that is cut`(_ coding: ContentCoding) {
    let parts = (0..<5).map { ByteBuffer(string: "data: {\"id\":\($0)}\r\n\r\n") }
    let pieces =
      switch coding {
      case .br: Self.brotli.map { ByteBuffer(bytes: $0) }
      case .zstd: ZstdFrame.pieces(parts)
      case .gzip: Deflate.pieces(parts, .gzip)
      case .deflate: Deflate.pieces(parts, .raw)
      }
    let decoder = ContentDecoder(coding)
    #expect(decode(Array(pieces.dropLast()), decoder) == decode(Array(parts.dropLast())))
    #expect(!decoder.finished)
    #expect(!decoder.failed)
    #expect(decoder.undecoded == 0)
  }

  private func decode(_ parts: [ByteBuffer]) -> ByteBuffer {
    ByteBuffer(bytes: parts.flatMap { Array($0.readableBytesView) })
  }

  @Test func `reads frame after frame`() {
    let frames = ["one, ", "two"].flatMap { ZstdFrame.pieces([ByteBuffer(string: $0)]) }
    let bytes = frames.flatMap { Array($0.readableBytesView) }
    for chunks in [frames, [ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes)] {
      let decoder = ContentDecoder(.zstd)
      #expect(String(buffer: decode(chunks, decoder)) == "one, two")
      #expect(decoder.finished)
      #expect(decoder.undecoded == 0)
    }
  }

  @Test(arguments: [
    (["deflate", "gzip"], "text", false), (["gzip"], nil, false),
    (["x", "deflate", "gzip"], nil, true),
    (["x", "gzip"], nil, true), (["gzip", "x"], nil, true),
  ])
  func `removes two layers, outermost first`(_ names: [String], _ text: String?, _ isUnknown: Bool)
  {
    let inner = Deflate.whole(ByteBuffer(string: "text"), .zlib)
    let outer = Deflate.whole(inner, .gzip)
    let decoder = ContentDecoder(names: names)
    #expect(decoder?.isUnknown == isUnknown)
    for chunks in [[outer], Rechunking.bytewise(Array(outer.readableBytesView))] {
      let decoded = ContentDecoder(names: names).map { decode(chunks, $0) }
      switch (names, text) {
      case (_, let text?): #expect(decoded == ByteBuffer(string: text))
      case (["gzip"], _), (["x", "gzip"], _): #expect(decoded == inner)
      default: #expect(decoded == outer)
      }
    }
  }

  @Test(arguments: [UInt8(0x20), 0x40, 0x80, 0xe0])
  func `ignores reserved flags and a wrong sum of gzip`(_ flags: UInt8) {
    var coded = Array(Deflate.whole(Self.text, .gzip).readableBytesView)
    coded[3] |= flags
    coded[coded.count - 5] ^= 0xff
    for chunks in [[ByteBuffer(bytes: coded)], Rechunking.bytewise(coded)] {
      let decoder = ContentDecoder(.gzip)
      #expect(decode(chunks, decoder) == Self.text)
      #expect(decoder.finished)
    }
  }

  @Test func `reads all that a gzip header may have`() {
    let plain = Array(Deflate.whole(Self.text, .gzip).readableBytesView)
    let more: [UInt8] =
      [3, 0, 1, 2, 3] + Array("name".utf8) + [0] + Array("comment".utf8) + [0, 9, 9]
    let coded = plain[..<3] + [0x1e] + plain[4..<10] + more + plain[10...]
    for chunks in [[ByteBuffer(bytes: coded)], Rechunking.bytewise(Array(coded))] {
      #expect(decode(chunks, ContentDecoder(.gzip)) == Self.text)
    }
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `gives what there is of a truncated body`(_ framing: Deflate.Framing) {
    let coded = Deflate.whole(Self.text, framing)
    let half = coded.getSlice(at: 0, length: coded.readableBytes / 2) ?? ByteBuffer()
    let decoder = ContentDecoder(coding(framing))
    let out = decoder.decode(half)
    #expect(out.readableBytes > 1000)
    #expect(Self.text.readableBytesView.starts(with: out.readableBytesView))
    #expect(!decoder.finished)
    #expect(!decoder.failed)
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `keeps what came before a break and counts the rest`(_ framing: Deflate.Framing) {
    let parts = [ByteBuffer(string: "first"), ByteBuffer(string: "second")]
    let pieces = Deflate.pieces(parts, framing)
    let decoder = ContentDecoder(coding(framing))
    #expect(String(buffer: decoder.decode(pieces[0])) == "first")
    // A block of the reserved type 3.
    #expect(decoder.decode(ByteBuffer(repeating: 0xff, count: 50)).readableBytes == 0)
    #expect(decoder.failed)
    #expect(!decoder.isIdentity)
    let undecoded = decoder.undecoded
    #expect((1...50).contains(undecoded))
    #expect(decoder.decode(pieces[1]).readableBytes == 0)
    #expect(decoder.undecoded == undecoded + pieces[1].readableBytes)
  }

  @Test(arguments: [
    (ContentCoding.gzip, "{\"jsonrpc\":\"2.0\"}"), (.gzip, "\u{1f}"), (.gzip, "\u{1f}x"),
    (.deflate, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}"),
    (.deflate, "data: {}\n\nevent: message\ndata: {\"a\":1}\n\n"), (.deflate, "xyz"),
    (.deflate, "[{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]"),
    (.zstd, "{\"jsonrpc\":\"2.0\"}"), (.zstd, "("), (.br, "{\"jsonrpc\":\"2.0\"}"),
    (.br, "data: {}\n\n"),
  ])
  func `hands through what is not coded in spite of its label`(
    _ coding: ContentCoding, _ text: String
  ) {
    let plain = ByteBuffer(string: text + " and more, and more, and more of it")
    let decoder = ContentDecoder(coding)
    #expect(
      decode([plain, plain], decoder)
        == ByteBuffer(string: String(buffer: plain) + String(buffer: plain)))
    #expect(decoder.isIdentity)
    #expect(!decoder.failed)
    #expect(decoder.undecoded == 0)
  }

  @Test func `hands through gzip's lie byte by byte too`() {
    let plain = Array("\u{1f}{\"jsonrpc\":\"2.0\"}".utf8)
    let decoder = ContentDecoder(.gzip)
    #expect(decode(Rechunking.bytewise(plain), decoder) == ByteBuffer(bytes: plain))
    #expect(decoder.isIdentity)
  }

  @Test func `reads several members`() {
    let members = ["one, ", "", "two"].map { Deflate.whole(ByteBuffer(string: $0), .gzip) }
    let bytes = members.flatMap { Array($0.readableBytesView) }
    for chunks in [[ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes), members] {
      let decoder = ContentDecoder(.gzip)
      #expect(String(buffer: decode(chunks, decoder)) == "one, two")
      #expect(decoder.finished)
      #expect(decoder.undecoded == 0)
    }
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `ignores and counts bytes behind the end`(_ framing: Deflate.Framing) {
    var coded = Deflate.whole(ByteBuffer(string: "text"), framing)
    coded.writeString("\r\n\r\n")
    let decoder = ContentDecoder(coding(framing))
    #expect(String(buffer: decoder.decode(coded)) == "text")
    #expect(decoder.decode(ByteBuffer(string: "more")).readableBytes == 0)
    #expect(decoder.finished)
    #expect(!decoder.failed)
    #expect(decoder.undecoded == 8)
  }

  @Test func `stops at the limit`() {
    let size = ContentDecoder.limit + (8 << 20)
    let coded = Deflate.whole(ByteBuffer(repeating: 0, count: size), .gzip)
    let decoder = ContentDecoder(.gzip)
    var out = 0
    var rest = coded
    while let chunk = rest.readSlice(length: min(1000, rest.readableBytes)), chunk.readableBytes > 0
    {
      out += decoder.decode(chunk).readableBytes
    }
    #expect(decoder.isLimited)
    #expect(!decoder.failed)
    #expect(decoder.undecoded > 0)
    #expect(out == ContentDecoder.limit)
  }

  @Test func `stops what grows out of proportion`() throws {
    // 72 MiB of zeros.
    let bomb = try #require(
      Base64.decode(
        "y///P/gnAOKxQCD3/o///3/wTwDEYRGA7v0f////4J8AiMMCAN37P/7//8E/ARCHBQC693/8//+DfwIgDgsAdO//"
          + "+P//B/8EQBwWAOje//H//w/+CYA4LADQvf/j//8f/BMAcVgAoHv/x///P/gnAOKwAED3/m8="))
    let decoder = ContentDecoder(.br)
    #expect(decoder.decode(bomb).readableBytes == 8 << 20)
    #expect(decoder.isLimited)
  }

  @Test(arguments: [
    ("gzip", ContentCoding.gzip), ("X-GZip", .gzip), ("DEFLATE", .deflate), ("br", .br),
    ("zstd", .zstd), ("", nil), ("identity", nil), ("compress", nil),
  ])
  func `knows its codings by name`(_ name: String, _ coding: ContentCoding?) {
    #expect(ContentCoding(name: name) == coding)
  }

  @Test(arguments: [
    (["gzip"], ["gzip"]), (["deflate, gzip"], ["deflate", "gzip"]),
    (["deflate", "gzip"], ["deflate", "gzip"]),
    (["gzip;q=1"], ["gzip"]), (["gzip x"], ["gzip"]), (["identity, gzip,"], ["gzip"]),
    ([",", "Identity"], []), ([], []), (["\u{a0}"], []),
  ])
  func `reads lists of codings`(_ values: [String], _ names: [String]) {
    let fields = HeaderFields(values.map { HeaderField("content-Encoding", $0) })
    #expect(ContentCoding.names(in: fields) == names)
    #expect((ContentDecoder(fields: fields) == nil) == names.isEmpty)
  }

  @Test func `survives random bytes and never loses count`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("inflate garbage"))
    for round in 0..<300 {
      let framing = Deflate.Framing.allCases[round % 3]
      var bytes = Array(Deflate.whole(Self.text, framing).readableBytesView)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[at] = UInt8.random(in: 0...255, using: &generator)
      }
      let decoder = ContentDecoder(coding(framing))
      let out = decode(Rechunking.random(bytes, using: &generator), decoder)
      #expect(decoder.undecoded <= bytes.count)
      #expect(!decoder.isIdentity || out == ByteBuffer(bytes: bytes))
    }
  }
}
