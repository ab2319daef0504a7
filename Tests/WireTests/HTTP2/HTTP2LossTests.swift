import Basics
import NIOCore
import TestKit
import Testing
import Wire

private func bytes(_ bytes: [UInt8]) -> H2Direct.Piece { .bytes(ByteBuffer(bytes: bytes)) }

struct `HTTP/2 gaps` {
  @Test func `inside DATA cost nothing else`() {
    var server = HTTP2Frames()
    let head = server.headers(1, [":status: 200", "a: b"])
    let data = HTTP2Frames.data(1, "0123456789", padding: 2)
    let next = server.headers(3, [":status: 200", "a: b"])
    // The gap lies in the content, reaches into the padding, or up to the frame's end.
    for (cut, lost, missing) in [(14, 3, 3), (17, 4, 3), (17, 5, 3), (20, 1, 0)] {
      let (said, accounted) = H2Direct().play([
        bytes(head + data[..<cut]), .gap(lost), bytes(data[(cut + lost)...] + next),
      ])
      let before = "0123456789".prefix(cut - 10)
      let after = "0123456789".dropFirst(cut - 10 + lost)
      #expect(
        said == [.headers(1, [":status: 200", "a: b"]), .data(1, String(before))]
          + (missing > 0 ? [.gap(1, missing)] : [])
          + (after.isEmpty ? [] : [.data(1, String(after))])
          + [.headers(3, [":status: 200", "a: b"])])
      #expect(accounted == head.count + data.count + next.count - lost)
    }
  }

  @Test func `inside HEADERS cost that block and what the table knew`() {
    var server = HTTP2Frames()
    let first = server.headers(1, [":status: 200", "a: b"])
    let torn = server.headers(3, [":status: 200", "c: some value"], end: true)
    let later = server.headers(5, [":status: 200", "a: b", "e: f"])
    let (said, accounted) = H2Direct().play([
      bytes(first + torn[..<12]), .gap(3), bytes(torn[15...] + later),
    ])
    #expect(
      said == [
        .headers(1, [":status: 200", "a: b"]), .skipped(12, .afterGap), .end(3),
        .skipped(torn.count - 15, .afterGap),
        .headers(5, [":status: 200", "?hpack-63: ", "e: f"]),
      ])
    #expect(accounted == first.count + torn.count + later.count - 3)
  }

  @Test func `across frames are left at the next three in a row`() {
    let data = HTTP2Frames.data(1, "0123456789")
    let after =
      Array("the rest of a frame".utf8) + HTTP2Frames.window(1) + HTTP2Frames.data(1, "abc")
      + HTTP2Frames.reset(1, 8)
    let (said, accounted) = H2Direct().play([bytes(Array(data[..<12])), .gap(100), bytes(after)])
    #expect(
      said == [
        .data(1, "012"), .gap(1, 7), .lostSync, .skipped(19, .afterGap), .resynced, .data(1, "abc"),
        .reset(1, 8),
      ])
    #expect(accounted == 12 + after.count)
  }

  @Test func `across frames are left where a segment holds nothing but frames`() {
    let (said, _) = H2Direct().play([
      bytes(HTTP2Frames.window(1)), .gap(100), bytes(Array("torn".utf8)),
      bytes(HTTP2Frames.data(1, "abc")), bytes(HTTP2Frames.reset(1, 8)),
    ])
    #expect(
      said == [.lostSync, .skipped(4, .afterGap), .resynced, .data(1, "abc"), .reset(1, 8)])
  }

  @Test func `are not left by zeros`() {
    let zeros = [UInt8](repeating: 0, count: 4000)
    let (said, accounted) = H2Direct().play([.gap(1), bytes(zeros), bytes(zeros)])
    #expect(said == [.lostSync, .skipped(8000, .afterGap)])
    #expect(accounted == 8000)
  }
}

struct `HTTP/2 joined in the middle` {
  private let late = H2Direct(fromStart: false)

  @Test func `names fields that are not known by their index`() {
    var server = HTTP2Frames()
    _ = server.headers(1, [":status: 202", "a: b", "c: d"])
    let later = server.headers(3, [":status: 202", "e: f", "c: x", "a: b"])
    let again = server.headers(5, [":status: 200", "e: f", "c: d"])
    let (said, _) = late.play([bytes(later), bytes(again)])
    // Of `c` only the name is in the table; an entry keeps its name when others come before it.
    #expect(
      said == [
        .headers(3, ["?hpack-64: ", "e: f", "?hpack-62: x", "?hpack-63: "]),
        .headers(5, [":status: 200", "e: f", "?hpack-62: "]),
      ])
  }

  @Test func `keeps indices right while entries leave the table`() {
    var server = HTTP2Frames()
    for i in 0..<300 { _ = server.headers(1, [":status: 200", "x-\(i): \(i)"]) }
    var unknown = 0
    for i in 300..<600 {
      let fields = [":status: 200", "x-\(i): \(i)", "x-\(i - 30): \(i - 30)"]
      let (said, _) = late.play([bytes(server.headers(1, fields))])
      guard case .headers(_, let got)? = said.first else {
        Issue.record("no block at \(i)")
        return
      }
      #expect(got.prefix(2) == fields.prefix(2))
      if got[2].hasPrefix("?hpack-") { unknown += 1 }
    }
    #expect(unknown == 300)

    var decoder = HTTP2Decoder(role: .server, fromStart: false)
    for i in 600..<900 {
      let fields = [":status: 200", "x-\(i): \(i)", "x-\(i - 30): \(i - 30)"]
      decoder.append(
        ByteBuffer(bytes: server.headers(1, fields)), at: Timestamp(nanoseconds: 1))
      guard case .headers(let headers)? = decoder.next() else {
        Issue.record("no block at \(i)")
        return
      }
      #expect(headers.unknown == (i < 630 ? 1 : 0))
      if i >= 630 { #expect(headers.fields[2].value == "\(i - 30)") }
    }
  }

  @Test func `skips up to the first segment of frames`() {
    let (said, accounted) = late.play([
      bytes(Array("{\"jsonrpc\":\"2.0\"}".utf8)), bytes(HTTP2Frames.data(1, "abc")),
    ])
    #expect(said == [.skipped(17, .midstream), .data(1, "abc")])
    #expect(accounted == 29)
  }

  @Test func `knows all when the beginning comes after all`() {
    var client = HTTP2Frames()
    var server = HTTP2Frames()
    let fields = [":status: 202", "a: b"]
    let asked = HTTP2Frames.preface + HTTP2Frames.settings + client.headers(1, ["a: b"])
    expectH2(asked, as: H2Direct(role: .client, fromStart: false), [.headers(1, ["a: b"])])
    let answered = HTTP2Frames.settings + server.headers(1, fields) + server.headers(3, fields)
    expectH2(answered, as: late, [.headers(1, fields), .headers(3, fields)])
  }
}

struct `HTTP/2 times` {
  @Test func `are those of the segments that brought the bytes`() {
    var server = HTTP2Frames()
    let head = server.headers(1, [":status: 200", "a: b"])
    let data = HTTP2Frames.data(1, "abcdef", end: true, padding: 4)
    var decoder = HTTP2Decoder(role: .server)
    func at(_ n: Int64) -> Timestamp { Timestamp(nanoseconds: n) }
    decoder.append(ByteBuffer(bytes: head[..<4]), at: at(10))
    decoder.append(ByteBuffer(bytes: head[4...] + data[..<12]), at: at(20))
    decoder.append(ByteBuffer(bytes: data[12..<18]), at: at(30))
    decoder.append(ByteBuffer(bytes: data[18...]), at: at(40))
    var said: [HTTP2Decoder.Event] = []
    while let event = decoder.next() { said.append(event) }
    guard case .headers(let headers)? = said.first else {
      Issue.record("no headers")
      return
    }
    #expect(headers.firstByteAt == at(10))
    #expect(headers.endAt == at(20))
    #expect(
      Array(said.dropFirst()) == [
        .data(stream: 1, ByteBuffer(string: "ab"), at: at(20)),
        .data(stream: 1, ByteBuffer(string: "cdef"), at: at(30)), .end(stream: 1, at: at(40)),
      ])
  }
}

struct `HTTP/2 properties` {
  /// Frames of many kinds and streams.
  private func direction(_ generator: inout SeededGenerator) -> [UInt8] {
    var server = HTTP2Frames()
    var bytes: [UInt8] = HTTP2Frames.settings
    for _ in 0..<Int.random(in: 3...30, using: &generator) {
      let stream = 1 + 2 * Int.random(in: 0...4, using: &generator)
      let text = String(
        repeating: "data: \(stream)\n\n", count: .random(in: 0...30, using: &generator))
      let padding = Bool.random(using: &generator) ? Int.random(in: 0...99, using: &generator) : nil
      switch Int.random(in: 0...6, using: &generator) {
      case 0:
        bytes += server.headers(
          stream, [":status: 200", "x-\(stream): \(bytes.count)", "content-type: a/b"],
          end: .random(using: &generator), frames: .random(in: 1...4, using: &generator),
          padding: padding, priority: .random(using: &generator))
      case 1: bytes += HTTP2Frames.window(stream)
      case 2: bytes += HTTP2Frames.reset(stream, 8)
      case 3: bytes += HTTP2Frames.frame(0xb, stream: stream, Array(text.utf8))
      default:
        bytes += HTTP2Frames.data(
          stream, text, end: .random(using: &generator), padding: padding)
      }
    }
    return bytes
  }

  @Test func `segmentation changes nothing`() {
    let seed = SeededGenerator.freshSeed("HTTP/2 rechunking")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      let frames = direction(&generator)
      let whole = H2Direct().play([bytes(frames)])
      #expect(whole.accounted == frames.count)
      let cut = Rechunking.random(frames, using: &generator)
      let (said, accounted) = H2Direct().play(
        cut.map { .bytes($0) }, drainsEach: .random(using: &generator))
      #expect(said == whole.said)
      #expect(accounted == frames.count)
    }
  }

  @Test func `every byte is accounted for, whatever is lost or wrong`() {
    let seed = SeededGenerator.freshSeed("HTTP/2 balance")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<400 {
      var frames = direction(&generator)
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        frames[Int.random(in: 0..<frames.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      var pieces: [H2Direct.Piece] = []
      var fed = 0
      for chunk in Rechunking.random(frames, using: &generator) {
        if Int.random(in: 0..<8, using: &generator) == 0 {
          pieces.append(.gap(chunk.readableBytes))
        } else {
          pieces.append(.bytes(chunk))
          fed += chunk.readableBytes
        }
      }
      let direct = H2Direct(
        role: Bool.random(using: &generator) ? .client : .server,
        fromStart: .random(using: &generator), ending: .reset)
      #expect(direct.play(pieces, drainsEach: .random(using: &generator)).accounted == fed)
    }
  }

  @Test func `every split and end of garbage is accounted for`() {
    let seed = SeededGenerator.freshSeed("HTTP/2 garbage")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<400 {
      let garbage = (0..<Int.random(in: 0...400, using: &generator)).map { _ in
        Bool.random(using: &generator) ? 0 : UInt8.random(in: 0...255, using: &generator)
      }
      let direct = H2Direct(
        role: Bool.random(using: &generator) ? .client : .server,
        fromStart: .random(using: &generator))
      let cut = Rechunking.random(garbage, using: &generator)
      #expect(direct.play(cut.map { .bytes($0) }).accounted == garbage.count)
    }
  }
}
