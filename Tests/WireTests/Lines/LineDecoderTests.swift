import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// Lines of a stdio server.
struct `Lines` {
  private func decode(_ chunks: [ByteBuffer], limit: Int = LineDecoder.limit) -> [LineDecoder.Event]
  {
    var decoder = LineDecoder(limit: limit)
    var events: [LineDecoder.Event] = []
    for chunk in chunks {
      decoder.append(chunk, at: Timestamp(nanoseconds: 0))
      while let event = decoder.next() { events.append(event) }
    }
    decoder.end()
    while let event = decoder.next() { events.append(event) }
    return events
  }

  /// Events in words: `text+1` is a line with its LF, `text` one without, `!n reason` what was skipped.
  private func words(_ events: [LineDecoder.Event]) -> [String] {
    events.map {
      switch $0 {
      case .line(let text, let size, _, _):
        String(buffer: text) + (size > text.readableBytes ? "+\(size - text.readableBytes)" : "")
      case .skipped(let bytes, let reason, _): "!\(bytes) \(reason.rawValue)"
      }
    }
  }

  @Test(
    arguments: [
      ("", []), ("\n", ["+1"]), ("{}\n", ["{}+1"]), ("{}\n\n[]\r\n", ["{}+1", "+1", "[]\r+1"]),
      ("{}\n{\"a\"", ["{}+1", "{\"a\""]), ("12345678\n", ["12345678+1"]),
      ("123456789\nx\n", ["!10 limit.stdio_line", "x+1"]),
      ("1\n123456789012345678901", ["1+1", "!21 limit.stdio_line"]),
    ] as [(String, [String])])
  func `a line ends with LF, whatever pieces it comes in`(_ text: String, _ expected: [String]) {
    let bytes = Array(text.utf8)
    for chunks in [[ByteBuffer(bytes: bytes)], Rechunking.bytewise(bytes)]
      + Rechunking.everySplit(bytes)
    {
      let events = decode(chunks, limit: 8)
      #expect(words(events) == expected)
      let sizes = events.map {
        switch $0 {
        case .line(_, let size, _, _): size
        case .skipped(let count, _, _): count
        }
      }
      #expect(sizes.reduce(0, +) == bytes.count)
    }
  }

  @Test func `a hole takes the line that it is in`() {
    var decoder = LineDecoder()
    var seen: [String] = []
    func append(_ text: String) {
      decoder.append(ByteBuffer(string: text), at: Timestamp(nanoseconds: 0))
      while let event = decoder.next() { seen += words([event]) }
    }
    append("a\nbb")
    decoder.gap()
    append("b\nc\n")
    decoder.gap()
    append("dd")
    decoder.end()
    while let event = decoder.next() { seen += words([event]) }
    #expect(seen == ["a+1", "!4 stdio.cut_line", "c+1", "!2 stdio.cut_line"])
  }

  @Test func `a line has the times of its first and its last byte`() {
    var decoder = LineDecoder()
    for (i, text) in ["a", "b\nc", "\n"].enumerated() {
      decoder.append(ByteBuffer(string: text), at: Timestamp(nanoseconds: Int64(i)))
    }
    var times: [[Int64]] = []
    while case .line(_, _, let first, let last)? = decoder.next() {
      times.append([first.nanoseconds, last.nanoseconds])
    }
    #expect(times == [[0, 1], [1, 2]])
  }
}
