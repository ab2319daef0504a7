import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// A decoder's event without times, its body as text: what segmentation must not change.
enum Said: Hashable {
  case request(String, String, [String])
  case response(Int, [String])
  case body(String)
  case trailers([String])
  case gap(Int)
  case tunnel(String)
  case tunnelGap(Int)
  case end(complete: Bool)
  case skipped(Int, HTTP1Decoder.SkipReason)
}

/// One direction to be decoded, with what the decoder has to be told on the way.
struct Direct: Sendable {
  var role = HTTP1Decoder.Role.response
  var fromStart = true
  /// Numbers of the responses, from 0, that answer HEAD.
  var answersToHead: Set<Int> = []
  /// Number of the response, from 0, that accepts CONNECT.
  var acceptsConnect: Int?
  var ending: FlowEnding? = .fin

  static let request = Direct(role: .request)
  static let response = Direct()

  /// Another complete message, to see that nothing of it is taken for the last.
  var next: (bytes: String, said: [Said]) {
    role == .request
      ? (
        "GET /n HTTP/1.1\r\nA: b\r\n\r\n", [.request("GET", "/n", ["A: b"]), .end(complete: true)]
      )
      : (
        "HTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\n!",
        [.response(201, ["Content-Length: 1"]), .body("!"), .end(complete: true)]
      )
  }

  /// Feeds chunks (`nil` is a gap of ten bytes) and returns what is said and how many bytes were accounted for.
  func play(_ chunks: [ByteBuffer?], drainsEach: Bool = true) -> (said: [Said], accounted: Int) {
    var decoder = HTTP1Decoder(role: role, fromStart: fromStart)
    var said: [Said] = []
    var skipped = 0
    var responses = 0
    func drain(_ decoder: inout HTTP1Decoder) {
      while let event = decoder.next() {
        if case .skipped(let bytes, _, _) = event { skipped += bytes }
        if case .tunnel(let bytes, _) = event { skipped += bytes.readableBytes }
        said.add(Said(event))
        guard case .response(let head) = event, !head.isInterim else { continue }
        if answersToHead.contains(responses) { decoder.omitBody() }
        if acceptsConnect == responses { decoder.becomeTunnel() }
        responses += 1
      }
    }
    for chunk in chunks {
      if let chunk {
        decoder.append(chunk, at: Timestamp(nanoseconds: 1))
      } else {
        decoder.gap(10, at: Timestamp(nanoseconds: 1))
      }
      if drainsEach { drain(&decoder) }
    }
    if let ending { decoder.end(ending, at: Timestamp(nanoseconds: 2)) }
    drain(&decoder)
    return (said, decoder.explained + skipped)
  }
}

extension Said {
  init(_ event: HTTP1Decoder.Event) {
    func lines(_ fields: HeaderFields) -> [String] { fields.map { "\($0.name): \($0.value)" } }
    self =
      switch event {
      case .request(let head): .request(head.method, head.target, lines(head.fields))
      case .response(let head): .response(head.status, lines(head.fields))
      case .body(let bytes, _): .body(String(buffer: bytes))
      case .trailers(let fields): .trailers(lines(fields))
      case .bodyGap(let count, _): .gap(count)
      case .tunnel(let bytes, _): .tunnel(String(buffer: bytes))
      case .tunnelGap(let count, _): .tunnelGap(count)
      case .end(let complete, _): .end(complete: complete)
      case .skipped(let bytes, let reason, _): .skipped(bytes, reason)
      }
  }
}

extension [Said] {
  /// Appends, joined with the last where segmentation alone divides them.
  mutating func add(_ next: Said) {
    switch (last, next) {
    case (.body(let a), .body(let b)): self[count - 1] = .body(a + b)
    case (.tunnel(let a), .tunnel(let b)): self[count - 1] = .tunnel(a + b)
    case (.trailers(let a), .trailers(let b)): self[count - 1] = .trailers(a + b)
    case (.skipped(let a, let one), .skipped(let b, let why)) where one == why:
      self[count - 1] = .skipped(a + b, why)
    default: append(next)
    }
  }
}

/// Checks that `text` says `expected`: whole, byte by byte, at every split, undrained, and followed by another message.
func expectEvents(
  _ text: String, _ direct: Direct, _ expected: [Said], isFollowed: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let bytes = Array(text.utf8)
  func check(_ chunks: [ByteBuffer], _ how: Comment, _ expected: [Said], _ count: Int) {
    let (said, accounted) = direct.play(chunks)
    #expect(said == expected, how, sourceLocation: sourceLocation)
    #expect(accounted == count, how, sourceLocation: sourceLocation)
    let undrained = direct.play(chunks, drainsEach: false)
    #expect(undrained.said == expected, "undrained, \(how)", sourceLocation: sourceLocation)
  }
  check([ByteBuffer(bytes: bytes)], "whole", expected, bytes.count)
  check(Rechunking.bytewise(bytes), "byte by byte", expected, bytes.count)
  for (i, parts) in Rechunking.everySplit(bytes).enumerated() {
    check(parts, "split at \(i + 1)", expected, bytes.count)
  }
  if isFollowed {
    let more = bytes + Array(direct.next.bytes.utf8)
    check([ByteBuffer(bytes: more)], "followed", expected + direct.next.said, more.count)
    check(Rechunking.bytewise(more), "followed bytewise", expected + direct.next.said, more.count)
  }
}

/// The same for a response without anything special.
func expectEvents(
  _ text: String, _ expected: [Said], isFollowed: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectEvents(
    text, .response, expected, isFollowed: isFollowed, sourceLocation: sourceLocation)
}
