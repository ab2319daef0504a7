import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `Inflate decoder` {
  static let text = ByteBuffer(
    string: (0..<500).map { "{\"id\":\($0),\"text\":\"é \($0 * 7919)\"}" }.joined(separator: "\n"))

  private func coding(_ framing: Deflate.Framing) -> InflateDecoder.Coding {
    framing == .gzip ? .gzip : .deflate
  }

  private func inflate(_ chunks: [ByteBuffer], _ decoder: InflateDecoder) -> ByteBuffer {
    var out = ByteBuffer()
    for chunk in chunks { out.writeImmutableBuffer(decoder.inflate(chunk)) }
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
      let decoder = InflateDecoder(coding(framing))
      #expect(inflate(chunks, decoder) == Self.text)
      #expect(decoder.finished)
      #expect(!decoder.failed)
      #expect(!decoder.isIdentity)
      #expect(decoder.undecoded == 0)
    }
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `gives each flushed part as soon as it is there`(_ framing: Deflate.Framing) {
    let parts = (0..<5).map { ByteBuffer(string: "data: {\"id\":\($0)}\r\n\r\n") }
    let decoder = InflateDecoder(coding(framing))
    let out = Deflate.pieces(parts, framing).map { decoder.inflate($0) }
    #expect(out == parts)
    #expect(decoder.finished)
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `gives what there is of a truncated body`(_ framing: Deflate.Framing) {
    let coded = Deflate.whole(Self.text, framing)
    let half = coded.getSlice(at: 0, length: coded.readableBytes / 2) ?? ByteBuffer()
    let decoder = InflateDecoder(coding(framing))
    let out = decoder.inflate(half)
    #expect(out.readableBytes > 1000)
    #expect(Self.text.readableBytesView.starts(with: out.readableBytesView))
    #expect(!decoder.finished)
    #expect(!decoder.failed)
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `keeps what came before a break and counts the rest`(_ framing: Deflate.Framing) {
    let parts = [ByteBuffer(string: "first"), ByteBuffer(string: "second")]
    let pieces = Deflate.pieces(parts, framing)
    let decoder = InflateDecoder(coding(framing))
    #expect(String(buffer: decoder.inflate(pieces[0])) == "first")
    // A block of the reserved type 3.
    #expect(decoder.inflate(ByteBuffer(repeating: 0xff, count: 50)).readableBytes == 0)
    #expect(decoder.failed)
    #expect(!decoder.isIdentity)
    let undecoded = decoder.undecoded
    #expect((1...50).contains(undecoded))
    #expect(decoder.inflate(pieces[1]).readableBytes == 0)
    #expect(decoder.undecoded == undecoded + pieces[1].readableBytes)
  }

  @Test(arguments: [
    (InflateDecoder.Coding.gzip, "{\"jsonrpc\":\"2.0\"}"), (.gzip, "\u{1f}"), (.gzip, "\u{1f}x"),
    (.deflate, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}"),
    (.deflate, "data: {}\n\nevent: message\ndata: {\"a\":1}\n\n"), (.deflate, "xyz"),
    (.deflate, "[{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]"),
  ])
  func `hands through what is not coded in spite of its label`(
    _ coding: InflateDecoder.Coding, _ text: String
  ) {
    let plain = ByteBuffer(string: text + " and more, and more, and more of it")
    let decoder = InflateDecoder(coding)
    #expect(
      inflate([plain, plain], decoder)
        == ByteBuffer(string: String(buffer: plain) + String(buffer: plain)))
    #expect(decoder.isIdentity)
    #expect(!decoder.failed)
    #expect(decoder.undecoded == 0)
  }

  @Test func `hands through gzip's lie byte by byte too`() {
    let plain = Array("\u{1f}{\"jsonrpc\":\"2.0\"}".utf8)
    let decoder = InflateDecoder(.gzip)
    #expect(inflate(Rechunking.bytewise(plain), decoder) == ByteBuffer(bytes: plain))
    #expect(decoder.isIdentity)
  }

  @Test func `reads several members`() {
    let members = ["one, ", "", "two"].map { Deflate.whole(ByteBuffer(string: $0), .gzip) }
    let bytes = members.flatMap { Array($0.readableBytesView) }
    for chunks in [[ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes), members] {
      let decoder = InflateDecoder(.gzip)
      #expect(String(buffer: inflate(chunks, decoder)) == "one, two")
      #expect(decoder.finished)
      #expect(decoder.undecoded == 0)
    }
  }

  @Test(arguments: Deflate.Framing.allCases)
  func `ignores and counts bytes behind the end`(_ framing: Deflate.Framing) {
    var coded = Deflate.whole(ByteBuffer(string: "text"), framing)
    coded.writeString("\r\n\r\n")
    let decoder = InflateDecoder(coding(framing))
    #expect(String(buffer: decoder.inflate(coded)) == "text")
    #expect(decoder.inflate(ByteBuffer(string: "more")).readableBytes == 0)
    #expect(decoder.finished)
    #expect(!decoder.failed)
    #expect(decoder.undecoded == 8)
  }

  @Test func `stops at the limit`() {
    let size = InflateDecoder.limit + (8 << 20)
    let coded = Deflate.whole(ByteBuffer(repeating: 0, count: size), .gzip)
    let decoder = InflateDecoder(.gzip)
    var out = 0
    var rest = coded
    while let chunk = rest.readSlice(length: min(1000, rest.readableBytes)), chunk.readableBytes > 0
    {
      out += decoder.inflate(chunk).readableBytes
    }
    #expect(decoder.failed)
    #expect(decoder.undecoded > 0)
    #expect((InflateDecoder.limit...InflateDecoder.limit + (64 << 10)).contains(out))
  }

  @Test(arguments: [
    ("gzip", InflateDecoder.Coding.gzip), ("X-GZip", .gzip), ("DEFLATE", .deflate), ("br", nil),
    ("", nil), ("identity", nil), ("zstd", nil),
  ])
  func `knows its codings by name`(_ name: String, _ coding: InflateDecoder.Coding?) {
    #expect(InflateDecoder.Coding(name: name) == coding)
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
      let decoder = InflateDecoder(coding(framing))
      let out = inflate(Rechunking.random(bytes, using: &generator), decoder)
      #expect(decoder.undecoded <= bytes.count)
      #expect(!decoder.isIdentity || out == ByteBuffer(bytes: bytes))
    }
  }
}
