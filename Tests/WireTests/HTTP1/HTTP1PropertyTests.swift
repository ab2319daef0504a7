import Basics
import NIOCore
import TestKit
import Testing
import Wire

struct `HTTP/1 properties` {
  /// Pieces that real and hostile streams are made of.
  static let pieces = [
    "GET / HTTP/1.1\r\n\r\n", "POST /mcp HTTP/1.1\r\nContent-Length: 7\r\n\r\n", "{\"a\":1}",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 204 X\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "0\r\n\r\n", "0\r\n",
    "HTTP/1.1 100 C\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 101 S\r\n\r\n", "\r\n", "\n",
    "A: b",
    "G", "HTTP/1.", "\u{0}", "fffffffffffff\r\n", ";", " ", "5, 5",
  ]

  static func stream(_ count: Int, using generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<count {
      if Int.random(in: 0..<6, using: &generator) == 0 {
        bytes.append(UInt8.random(in: 0...255, using: &generator))
      } else {
        let piece = pieces[Int.random(in: 0..<pieces.count, using: &generator)]
        bytes += Array(piece.utf8)
      }
    }
    return bytes
  }

  @Test(arguments: [HTTP1Decoder.Role.request, .response], [true, false])
  func `every byte is part of a message or skipped`(_ role: HTTP1Decoder.Role, _ fromStart: Bool) {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("HTTP/1 balance"))
    for _ in 0..<600 {
      let bytes = Self.stream(Int.random(in: 0...20, using: &generator), using: &generator)
      var chunks = Rechunking.random(bytes, using: &generator).map(ByteBuffer?.some)
      for _ in 0..<Int.random(in: 0...2, using: &generator) {
        chunks.insert(nil, at: Int.random(in: 0...chunks.count, using: &generator))
      }
      var direct = Direct(role: role, fromStart: fromStart)
      direct.ending = [.fin, .reset, .idle, .captureEnd].randomElement(using: &generator)
      direct.answersToHead = [0, 2]
      for drainsEach in [true, false] {
        let (said, accounted) = direct.play(chunks, drainsEach: drainsEach)
        #expect(accounted == bytes.count)
        #expect(said.isBalanced)
      }
    }
  }

  @Test(arguments: [HTTP1Decoder.Role.request, .response])
  func `well-formed messages do not depend on segmentation`(_ role: HTTP1Decoder.Role) {
    var generator = SeededGenerator(seed: SeededGenerator.freshSeed("HTTP/1 rechunking"))
    let responses =
      [Self.pieces[3], Self.pieces[4]] + [
        Self.pieces[5] + Self.pieces[6] + Self.pieces[6] + Self.pieces[7], Self.pieces[9],
      ]
    let messages = role == .request ? [Self.pieces[0], Self.pieces[1] + Self.pieces[2]] : responses
    for _ in 0..<60 {
      let text = (0..<10).map { _ in
        messages[Int.random(in: 0..<messages.count, using: &generator)]
      }.joined()
      let bytes = Array(text.utf8)
      let whole = Direct(role: role).play([ByteBuffer(bytes: bytes)])
      #expect(whole.said.count >= 10)
      for _ in 0..<5 {
        let parts = Direct(role: role).play(Rechunking.random(bytes, using: &generator))
        #expect(parts.said == whole.said)
      }
    }
  }
}

extension [Said] {
  /// Whether each message is a head, then its body and trailers, then its end; and skipping lies between messages.
  fileprivate var isBalanced: Bool {
    var isOpen = false
    for said in self {
      switch said {
      case .request:
        if isOpen { return false }
        isOpen = true
      case .response(let status, _):
        if isOpen { return false }
        isOpen = status >= 200 || status == 101
      case .body, .trailers, .gap: if !isOpen { return false }
      case .end:
        if !isOpen { return false }
        isOpen = false
      case .skipped, .tunnel, .tunnelGap: if isOpen { return false }
      }
    }
    return !isOpen
  }
}
