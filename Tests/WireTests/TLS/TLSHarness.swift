import Basics
import Capture
import NIOCore
import Packets
import TestKit
import Testing
import Wire

/// Bytes of one direction of a captured connection, with their capture time.
struct Segment {
  var direction: Direction
  var bytes: [UInt8]
  var at: Timestamp
}

/// A connection of a capture in `Tests/Fixtures/tls` (its last one), and the key log beside it.
struct CapturedTLS {
  var segments: [Segment] = []
  let keys: ByteBuffer

  init(_ name: String) throws {
    keys = ByteBuffer(string: try Fixture.text("tls/\(name).keys"))
    let file = try CaptureFile(path: Fixture.path("tls/\(name).pcap"))
    var table = FlowTable()
    var last = FlowID(0)
    while let item = try file.next() {
      guard case .frame(let frame) = item else { continue }
      table.append(frame)
      while let event = table.next() {
        guard case .bytes(let flow, let direction, let bytes, let at) = event else { continue }
        if flow > last { segments = [] }
        last = max(flow, last)
        segments.append(
          Segment(direction: direction, bytes: Array(bytes.readableBytesView), at: at))
      }
    }
  }

  var log: TLSKeyLog {
    let log = TLSKeyLog()
    log.append(keys)
    return log
  }

  /// All bytes of a direction.
  func stream(_ direction: Direction) -> [UInt8] {
    segments.filter { $0.direction == direction }.flatMap(\.bytes)
  }

  /// Offsets and lengths of a direction's records.
  func records(_ direction: Direction) -> [Range<Int>] {
    let bytes = stream(direction)
    var ranges: [Range<Int>] = []
    var at = 0
    while at + 5 <= bytes.count {
      let end = at + 5 + Int(bytes[at + 3]) << 8 + Int(bytes[at + 4])
      ranges.append(at..<min(end, bytes.count))
      at = end
    }
    return ranges
  }

  /// The segments without a range of a direction's bytes; in its place the gap, marked by no bytes.
  func losing(_ range: Range<Int>, _ direction: Direction) -> [TLSInput] {
    var inputs: [TLSInput] = []
    var offset = 0
    var isSaid = false
    for segment in segments {
      guard segment.direction == direction else {
        inputs.append(.bytes(segment))
        continue
      }
      let here = offset..<offset + segment.bytes.count
      offset = here.upperBound
      let lost = here.clamped(to: range)
      guard !lost.isEmpty else {
        inputs.append(.bytes(segment))
        continue
      }
      var before = segment
      before.bytes = Array(segment.bytes[..<(lost.lowerBound - here.lowerBound)])
      var after = segment
      after.bytes = Array(segment.bytes[(lost.upperBound - here.lowerBound)...])
      if !before.bytes.isEmpty { inputs.append(.bytes(before)) }
      if !isSaid { inputs.append(.gap(direction, range.count, segment.at)) }
      isSaid = true
      if !after.bytes.isEmpty { inputs.append(.bytes(after)) }
    }
    return inputs
  }
}

/// What a decoder is fed.
enum TLSInput {
  case bytes(Segment)
  case gap(Direction, Int, Timestamp)
}

/// What a decoder made of a connection.
struct DecodedTLS {
  /// Plaintext of each direction; a gap of `n` bytes is in `gaps` at its offset.
  var plain: [Direction: [UInt8]] = [.c2s: [], .s2c: []]
  var gaps: [Direction: [Int]] = [.c2s: [], .s2c: []]
  /// Plaintext parts with their times, in order.
  var parts: [(direction: Direction, count: Int, at: Timestamp)] = []
  var ends: [String] = []
  var alerts: [UInt8] = []
  var resynced = 0
  var lost: [String: Int] = [:]
  var facts: TLSFacts
  var explained = 0
  /// Bytes that were fed, and whether each of them is explained, in plaintext, or lost by name.
  var fed = 0

  var balances: Bool {
    fed == explained + plain.values.reduce(0) { $0 + $1.count } + lost.values.reduce(0, +)
  }

  init(_ inputs: [TLSInput], log: TLSKeyLog?, fromStart: Bool = true, beforeEnd: () -> Void = {}) {
    var decoder = TLSDecoder(keyLog: log, fromStart: fromStart)
    facts = decoder.facts
    var latest = Timestamp(nanoseconds: 0)
    for input in inputs {
      switch input {
      case .bytes(let segment):
        fed += segment.bytes.count
        latest = segment.at
        decoder.append(segment.direction, ByteBuffer(bytes: segment.bytes), at: segment.at)
      case .gap(let direction, let count, let at): decoder.gap(direction, count, at: at)
      }
      drain(&decoder)
    }
    beforeEnd()
    for direction in [Direction.c2s, .s2c] {
      decoder.end(direction, .captureEnd, at: latest)
      drain(&decoder)
    }
    facts = decoder.facts
    explained = decoder.explained
  }

  init(_ segments: [Segment], log: TLSKeyLog?) {
    self.init(segments.map { .bytes($0) }, log: log)
  }

  private mutating func drain(_ decoder: inout TLSDecoder) {
    while let event = decoder.next() {
      switch event {
      case .bytes(let direction, let bytes, let at):
        plain[direction, default: []] += bytes.readableBytesView
        parts.append((direction, bytes.readableBytes, at))
      case .gap(let direction, let count, _): gaps[direction, default: []].append(count)
      case .end(let direction, let how, _): ends.append("\(direction.name) \(how.rawValue)")
      case .alert(let description, _): alerts.append(description)
      case .resynced: resynced += 1
      case .lost(let loss, let bytes, _): lost[loss.name, default: 0] += bytes
      }
    }
  }
}

/// The bytes of hexadecimal digits; white space does not count.
func hex(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.utf8.map { digit in
    digit >= 0x61 ? digit - 0x61 + 10 : digit - 0x30
  }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
