import Basics
import NIOCore
import TestKit
import Testing
import Trace

struct `Trace decoder` {
  static let header = Samples.minimalHeader.text
  static let loss = #"{"type":"loss","t":1,"kind":"a"}"#
  static let lossEvent = TraceEvent.loss(LossLine(t: 1, kind: "a"))

  /// What a reader sees: events, errors with their places, and how much was left over.
  struct Seen: Equatable {
    var events: [TraceEvent] = []
    var errors: [TraceFormatError] = []
    var torn = 0
  }

  static func read(_ chunks: [ByteBuffer]) -> Seen {
    var decoder = TraceDecoder()
    var seen = Seen()
    func drain(_ decoder: inout TraceDecoder) {
      while true {
        do throws(TraceFormatError) {
          guard let event = try decoder.next() else { return }
          seen.events.append(event)
        } catch {
          seen.errors.append(error)
        }
      }
    }
    for chunk in chunks {
      decoder.append(chunk)
      drain(&decoder)
    }
    decoder.end()
    drain(&decoder)
    seen.torn = decoder.tornTail
    return seen
  }

  /// Reads a text whole, byte by byte and in random chunks, which must not differ.
  private func read(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Seen {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("trace decoder"))
    let bytes = Array(text.utf8)
    let whole = Self.read([ByteBuffer(bytes: bytes)])
    let parts = Self.read(Rechunking.random(bytes, using: &generator))
    #expect(Self.read(Rechunking.bytewise(bytes)) == whole, sourceLocation: sourceLocation)
    #expect(parts == whole, sourceLocation: sourceLocation)
    return whole
  }

  @Test(arguments: [(Int64.max, 1 << 56), (Int64.min, -(1 << 56)), (5, 5)] as [(Int64, Int64)])
  func `takes no time for later than arithmetic allows`(_ written: Int64, _ read: Int64) {
    let line = #"{"type":"loss","t":\#(written),"kind":"a"}"#
    let seen = Self.read([ByteBuffer(string: Self.header + "\n" + line + "\n")])
    #expect(seen.events.last == .loss(LossLine(t: read, kind: "a")))
  }

  @Test func `reads what all lines say`() {
    let samples = [Samples.header] + Samples.all
    let text = samples.map { $0.text + "\n" }.joined()
    #expect(read(text) == Seen(events: samples.map(\.event)))
  }

  @Test func `reads a last line that lacks its end`() {
    #expect(
      read(Self.header + "\n" + Self.loss)
        == Seen(events: [Samples.minimalHeader.event, Self.lossEvent]))
  }

  @Test func `tells of a torn tail without an error`() {
    let torn = read(Self.header + "\n" + Self.loss + "\n" + Self.loss.dropLast(3))
    #expect(
      torn
        == Seen(
          events: [Samples.minimalHeader.event, Self.lossEvent],
          torn: Self.loss.utf8.count - 3))
  }

  @Test func `tells of a tail torn inside a character`() {
    var bytes = Array((Self.header + "\n" + #"{"type":"loss","t":1,"kind":""#).utf8)
    bytes.append(0xe2)
    let seen = Self.read([ByteBuffer(bytes: bytes)])
    #expect(seen == Seen(events: [Samples.minimalHeader.event], torn: 30))
  }

  @Test func `ignores lines of white space and CR at line ends`() {
    #expect(
      read("\n" + Self.header + "\r\n\r\n \n\n" + Self.loss + "\r\n\n")
        == Seen(events: [Samples.minimalHeader.event, Self.lossEvent]))
  }

  @Test func `takes a header wherever a segment begins`() {
    #expect(
      read(Self.header + "\n" + Samples.header.text + "\n" + Self.loss + "\n").events
        == [Samples.minimalHeader.event, Samples.header.event, Self.lossEvent])
  }

  @Test func `says which line is wrong and reads on`() {
    let lines = [
      Self.header, "{", Self.loss, "[]", #"{"type":"loss","t":1}"#, "\u{1}", Self.loss,
      #"{"type":"loss","t":"1","kind":"a"}"#, #"{"t":1}"#,
    ]
    let offsets = lines.indices.map { lines[..<$0].map { $0.utf8.count + 1 }.reduce(0, +) }
    #expect(
      read(lines.joined(separator: "\n") + "\n")
        == Seen(
          events: [Samples.minimalHeader.event, Self.lossEvent, Self.lossEvent],
          errors: [
            TraceFormatError(.notJSON, line: 2, offset: offsets[1]),
            TraceFormatError(.notJSON, line: 4, offset: offsets[3]),
            TraceFormatError(.missing(key: "kind"), line: 5, offset: offsets[4]),
            TraceFormatError(.notJSON, line: 6, offset: offsets[5]),
            TraceFormatError(
              .wrongType(key: "t", expected: "an integer"), line: 8, offset: offsets[7]),
            TraceFormatError(.missing(key: "type"), line: 9, offset: offsets[8]),
          ]))
  }

  @Test(arguments: [
    "", "hello", "hello\n", "{}", "{}\n", "[]\n", "\u{0}\u{1}\u{2}", Self.loss, Self.loss + "\n",
    #"{"type":"header"}"#, #"{"type":"header","format":"other","version":1}"#, "{\"type\":\"head",
    "\u{feff}" + Self.header,
  ])
  func `refuses what is not a trace`(_ text: String) {
    let seen = read(text)
    #expect(seen.events.isEmpty)
    #expect(seen.errors == [TraceFormatError(.notATrace, line: 1, offset: 0)])
  }

  @Test(arguments: [
    (
      #"{"type":"header","format":"mcptrace","version":2}"#, TraceFormatError.Reason.laterVersion(2)
    ),
    (
      #"{"type":"header","format":"mcptrace","version":0}"#,
      .wrongType(key: "version", expected: "1")
    ),
    (#"{"type":"header","format":"mcptrace"}"#, .missing(key: "version")),
    (#"{"type":"header","format":"mcptrace","version":1,"recorder":"r"}"#, .missing(key: "source")),
    (
      #"{"type":"header","format":"mcptrace","version":1,"recorder":"r","source":"pcap","t0":"now"}"#,
      .wrongType(key: "t0", expected: "UTC with Z")
    ),
    (
      #"{"type":"header","format":"mcptrace","version":1,"recorder":"r","source":"pcap","#
        + #""t0":"9999-12-31T23:59:59Z"}"#, .wrongType(key: "t0", expected: "UTC with Z")
    ),
  ])
  func `says what is wrong with a header`(_ text: String, _ reason: TraceFormatError.Reason) {
    #expect(read(text + "\n").errors == [TraceFormatError(reason, line: 1, offset: 0)])
  }

  @Test func `reads on behind a line that is too long`() {
    let header = ByteBuffer(string: Self.header + "\n{")
    let block = ByteBuffer(repeating: 0x20, count: 8 << 20)
    let blocks = Array(repeating: block, count: TraceDecoder.lineLimit / block.readableBytes + 1)
    let rest = ByteBuffer(string: " }\n" + Self.loss + "\n{\n")
    let seen = Self.read([header] + blocks + [rest])
    let offset = header.readableBytes - 1
    let next = offset + 1 + blocks.count * block.readableBytes + 3 + Self.loss.utf8.count + 1
    #expect(
      seen
        == Seen(
          events: [Samples.minimalHeader.event, Self.lossEvent],
          errors: [
            TraceFormatError(.lineTooLong, line: 2, offset: offset),
            TraceFormatError(.notJSON, line: 4, offset: next),
          ]))
  }

  @Test func `takes a long line within the limit`() {
    let text = String(repeating: "é", count: 3 << 20)
    let line = #"{"type":"loss","t":1,"kind":"\#(text)"}"#
    let seen = Self.read([ByteBuffer(string: Self.header + "\n" + line + "\n")])
    #expect(seen.events.last == .loss(LossLine(t: 1, kind: text)))
  }

  @Test func `knows the text of the line it read last`() throws {
    var decoder = TraceDecoder()
    decoder.append(ByteBuffer(string: Self.header + "\n{ \"type\" : \"later\" }\n"))
    _ = try decoder.next()
    #expect(decoder.text?.text == Self.header)
    let event = try decoder.next()
    #expect(
      event
        == .unknown(type: "later", line: RawJSON(trusted: ByteBuffer(string: #"{"type":"later"}"#)))
    )
    #expect(decoder.text?.text == #"{"type":"later"}"#)
    #expect(decoder.line == 2)
    #expect(decoder.offset == Self.header.utf8.count + 1)
  }

  @Test func `survives damaged traces`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("damaged trace"))
    let text = ([Samples.header] + Samples.all).map { $0.text + "\n" }.joined()
    for _ in 0..<200 {
      var bytes = Array(text.utf8)
      for _ in 0..<8 {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[at] = UInt8.random(in: 0...255, using: &generator)
      }
      let whole = Self.read([ByteBuffer(bytes: bytes)])
      #expect(Self.read(Rechunking.random(bytes, using: &generator)) == whole)
      let lines = bytes.split(separator: 0x0a).count
      #expect(whole.events.count + whole.errors.count <= lines)
      #expect(whole.events.allSatisfy { $0.line.text.utf8.count > 2 })
    }
  }
}
