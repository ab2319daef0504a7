import Basics
import NIOCore
import TestKit
import Testing
import Wire

/// A decoder's event without times: what segmentation must not change.
enum H2Said: Hashable {
  case headers(Int, [String])
  case promise(Int, Int, [String])
  case data(Int, String)
  case gap(Int, Int)
  case end(Int)
  case reset(Int, UInt32)
  case goAway(Int, UInt32)
  case lostSync
  case resynced
  case skipped(Int, HTTP2Decoder.SkipReason)

  init(_ event: HTTP2Decoder.Event) {
    switch event {
    case .headers(let headers):
      let lines = headers.fields.map { "\($0.name): \($0.value)" }
      self =
        headers.promised.map { .promise(headers.stream, $0, lines) }
        ?? .headers(headers.stream, lines)
    case .data(let stream, let bytes, _): self = .data(stream, String(buffer: bytes))
    case .dataGap(let stream, let count, _): self = .gap(stream, count)
    case .end(let stream, _): self = .end(stream)
    case .reset(let stream, let code, _): self = .reset(stream, code)
    case .goAway(let last, let code, _): self = .goAway(last, code)
    case .lostSync: self = .lostSync
    case .resynced: self = .resynced
    case .skipped(let bytes, let reason, _): self = .skipped(bytes, reason)
    }
  }
}

extension [H2Said] {
  /// Appends, joined with the last where segmentation alone divides them.
  fileprivate mutating func add(_ next: H2Said) {
    switch (last, next) {
    case (.data(let one, let a), .data(let other, let b)) where one == other:
      self[count - 1] = .data(one, a + b)
    case (.skipped(let a, let one), .skipped(let b, let why)) where one == why:
      self[count - 1] = .skipped(a + b, why)
    default: append(next)
    }
  }
}

/// One direction to be decoded.
struct H2Direct: Sendable {
  var role = HTTP2Decoder.Role.server
  var fromStart = true
  var ending: FlowEnding? = .fin

  /// A piece of input.
  enum Piece {
    case bytes(ByteBuffer)
    case gap(Int)
  }

  /// Feeds pieces and returns what is said and how many bytes were accounted for.
  func play(_ pieces: [Piece], drainsEach: Bool = true) -> (said: [H2Said], accounted: Int) {
    var decoder = HTTP2Decoder(role: role, fromStart: fromStart)
    var said: [H2Said] = []
    var others = 0
    func drain(_ decoder: inout HTTP2Decoder) {
      while let event = decoder.next() {
        if case .skipped(let bytes, _, _) = event { others += bytes }
        if case .data(_, let bytes, _) = event { others += bytes.readableBytes }
        said.add(H2Said(event))
      }
    }
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): decoder.append(bytes, at: Timestamp(nanoseconds: 1))
      case .gap(let count): decoder.gap(count, at: Timestamp(nanoseconds: 1))
      }
      if drainsEach { drain(&decoder) }
    }
    if let ending { decoder.end(ending, at: Timestamp(nanoseconds: 2)) }
    drain(&decoder)
    return (said, decoder.explained + others)
  }
}

/// Checks that bytes say `expected`: whole, byte by byte, at every split, undrained, and followed by another frame.
func expectH2(
  _ bytes: [UInt8], as direct: H2Direct = H2Direct(), _ expected: [H2Said], isFollowed: Bool = true,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  func check(_ chunks: [ByteBuffer], _ how: Comment, _ expected: [H2Said]) {
    let count = chunks.reduce(0) { $0 + $1.readableBytes }
    for drainsEach in [true, false] {
      let (said, accounted) = direct.play(
        chunks.map { .bytes($0) }, drainsEach: drainsEach)
      #expect(said == expected, "\(how.rawValue)", sourceLocation: sourceLocation)
      #expect(accounted == count, "\(how.rawValue)", sourceLocation: sourceLocation)
    }
  }
  check([ByteBuffer(bytes: bytes)], "whole", expected)
  check(Rechunking.bytewise(bytes), "byte by byte", expected)
  for (index, split) in Rechunking.everySplit(bytes).enumerated() {
    check(split, "split at \(index + 1)", expected)
  }
  if isFollowed {
    let next = bytes + HTTP2Frames.reset(99, 8)
    check([ByteBuffer(bytes: next)], "followed", expected + [.reset(99, 8)])
  }
}
