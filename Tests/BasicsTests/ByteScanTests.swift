import Basics
import TestKit
import Testing

struct `Byte scan` {
  /// Bytes around which word-at-a-time tricks go wrong.
  static let edges: [UInt8] = [
    0x00, 0x01, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0x9f, 0xa0, 0xa2, 0xdc,
    0xff, 0x0a, 0x0b, 0x0d, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61,
  ]

  private func random(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in Self.edges[Int.random(in: 0..<Self.edges.count, using: &generator)] }
  }

  @Test func `finds the end of plain text as a byte loop does`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("plain text"))
    for _ in 0..<3000 {
      let bytes = random(Int.random(in: 0...40, using: &generator), using: &generator)
      let span = bytes.span
      for start in 0...bytes.count {
        let end = ByteScan.endOfPlainText(span, start)
        let expected = bytes[start...].firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c }
        #expect(end == expected ?? bytes.count)
      }
    }
  }

  @Test func `finds the end of words as a byte loop does`() {
    func isWord(_ byte: UInt8) -> Bool {
      byte == 0x20 || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
    let letters = Array("aA zZ mQ".utf8)
    for byte in UInt8.min...UInt8.max {
      for place in 0..<20 {
        var bytes = (0..<20).map { letters[$0 % letters.count] }
        bytes[place] = byte
        let span = bytes.span
        for start in 0...bytes.count {
          let expected = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
          #expect(ByteScan.endOfWords(span, start) == expected)
        }
      }
    }
  }

  @Test func `finds one of two bytes as a byte loop does`() {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("two bytes"))
    for _ in 0..<3000 {
      let bytes = random(Int.random(in: 0...40, using: &generator), using: &generator)
      let (one, other) = (Self.edges.randomElement() ?? 0, Self.edges.randomElement() ?? 0)
      let span = bytes.span
      for start in 0...bytes.count {
        let either = ByteScan.firstIndex(of: one, or: other, in: span, from: start)
        #expect(either == bytes[start...].firstIndex { $0 == one || $0 == other })
        let single = ByteScan.firstIndex(of: one, in: span, from: start)
        #expect(single == bytes[start...].firstIndex(of: one))
      }
    }
  }

  @Test func `finds every byte at every place of a word`() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<24 {
        var bytes = [UInt8](repeating: byte == 0x61 ? 0x62 : 0x61, count: 24)
        bytes[place] = byte
        let found = ByteScan.firstIndex(of: byte, in: bytes.span, from: 0)
        #expect(found == place)
        let isPlain = byte >= 0x20 && byte != 0x22 && byte != 0x5c
        let end = ByteScan.endOfPlainText(bytes.span, 0)
        #expect(end == (isPlain ? 24 : place))
      }
    }
  }

  @Test func `makes text of a range`() {
    let bytes = Array("xéy".utf8) + [0xff]
    let (text, repaired) = (ByteScan.string(bytes.span, 1..<3), ByteScan.string(bytes.span, 3..<5))
    #expect([text, repaired, ByteScan.string(bytes.span, 2..<2)] == ["é", "y\u{fffd}", ""])
  }
}
