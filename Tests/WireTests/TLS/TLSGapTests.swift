import Basics
import NIOCore
import TestKit
import Testing
import Wire

private let names = [
  "tls13", "tls12-ecdhe-ecdsa-aes128-gcm-sha256", "tls12-ecdhe-ecdsa-chacha20-poly1305",
  "tls12-ecdhe-ecdsa-aes128-sha256", "tls12-ecdhe-ecdsa-aes256-sha-mac-first", "tls13-key-update",
]

/// Whether what is left of a text stands in it in order, without `missing` bytes.
private func isLeft(_ rest: [UInt8], of whole: [UInt8], missing: Int) -> Bool {
  let kept = zip(rest, whole).prefix { $0 == $1 }.count
  return rest.count + missing == whole.count
    && rest[kept...].elementsEqual(whole[(kept + missing)...])
}

struct `TLS behind gaps` {
  @Test(arguments: names) func `goes on behind the loss of any record of data`(name: String) throws
  {
    let capture = try CapturedTLS(name)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    for direction in [Direction.c2s, .s2c] {
      let text = whole.plain[direction] ?? []
      for record in capture.records(direction).dropFirst(direction == .c2s ? 3 : 6).dropLast() {
        let decoded = DecodedTLS(capture.losing(record, direction), log: capture.log)
        let gap = decoded.gaps[direction]?.reduce(0, +) ?? 0
        let rest = decoded.plain[direction] ?? []
        let isExact =
          !name.hasPrefix("tls12-ecdhe-ecdsa-aes128-sha") && !name.contains("aes256-sha")
        if isExact, text.count > rest.count {
          #expect(isLeft(rest, of: text, missing: gap), "\(direction) \(record): gap \(gap)")
        }
        #expect(text.count - rest.count < record.count)
        #expect(decoded.plain[direction.reversed] == whole.plain[direction.reversed])
        #expect(decoded.resynced == 1, "\(direction) \(record)")
        #expect(decoded.balances)
      }
    }
  }

  @Test func `loses one record where its middle is lost`() throws {
    let capture = try CapturedTLS("tls13")
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let records = capture.records(.s2c)
    let index = try #require(records.firstIndex { $0.count > 16_000 })
    let record = records[index]
    let middle = record.lowerBound + 1000..<record.lowerBound + 3000
    let decoded = DecodedTLS(capture.losing(middle, .s2c), log: capture.log)
    #expect(decoded.gaps[.s2c] == [record.count - 22])
    #expect(decoded.lost == ["tls.broken_record": record.count - 2000])
    #expect(
      isLeft(
        decoded.plain[.s2c] ?? [], of: whole.plain[.s2c] ?? [], missing: record.count - 22))
    #expect(decoded.balances)
  }

  @Test(arguments: ["tls13", "tls12-ticket", "tls12-ecdhe-ecdsa-aes128-sha", "tls10"])
  func `loses no more than a gap touches, wherever it is`(name: String) throws {
    let capture = try CapturedTLS(name)
    let whole = DecodedTLS(capture.segments, log: capture.log)
    let seed = SeededGenerator.freshSeed("gaps \(name)")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      let direction = Bool.random(using: &generator) ? Direction.c2s : .s2c
      let stream = capture.stream(direction)
      let from = Int.random(in: 0..<stream.count - 1, using: &generator)
      let to = min(stream.count, from + Int.random(in: 1...3000, using: &generator))
      let decoded = DecodedTLS(capture.losing(from..<to, direction), log: capture.log)
      #expect(decoded.balances, "\(name) \(direction) \(from)..<\(to)")
      let touched = capture.records(direction).filter { $0.overlaps(from..<to) }
      let isHandshake = touched.contains { stream[$0.lowerBound] != 23 } || name == "tls10"
      if !isHandshake, decoded.lost["tls.no_handshake"] == nil {
        let most = touched.reduce(0) { $0 + $1.count }
        let missing = (whole.plain[direction]?.count ?? 0) - (decoded.plain[direction]?.count ?? 0)
        #expect(missing <= most, "\(name) \(direction) \(from)..<\(to)")
      }
    }
  }

  @Test func `finds its way behind a lost KeyUpdate`() throws {
    let capture = try CapturedTLS("tls13-key-update")
    let whole = DecodedTLS(capture.segments, log: capture.log)
    // Two of the client's records are KeyUpdates; each has 27 bytes.
    let updates = capture.records(.c2s).filter { $0.count == 27 }
    #expect(updates.count >= 2)
    for update in updates {
      let decoded = DecodedTLS(capture.losing(update, .c2s), log: capture.log)
      #expect(decoded.plain == whole.plain)
      #expect(decoded.resynced == 1)
    }
  }

  @Test func `never traps, and counts every byte, whatever comes`() throws {
    let capture = try CapturedTLS("tls13-early-data")
    let seed = SeededGenerator.freshSeed("noise")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var inputs: [TLSInput] = []
      for segment in capture.segments {
        var segment = segment
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
          let at = Int.random(in: 0..<segment.bytes.count, using: &generator)
          segment.bytes[at] = UInt8.random(in: 0...255, using: &generator)
        }
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: inputs.append(.gap(segment.direction, segment.bytes.count, segment.at))
        case 1: continue
        case 2: inputs += [.bytes(segment), .bytes(segment)]
        default: inputs.append(.bytes(segment))
        }
      }
      #expect(DecodedTLS(inputs, log: capture.log).balances)
    }
  }
}
